"""A rehearsal: a run's whole way in a few steps, to see that it works before hours are spent on it."""

from __future__ import annotations

from duotune.config.run import LONGEST_NAME, RunConfig

NAME_ENDING = "-rehearsal"
LAST_STAGE = "evaluate"
"""Nothing is published."""
STEPS = 4
ITEMS = 8


def rehearsal_of(config: RunConfig) -> RunConfig:
    """The same projects, model, precision, batch and sequence length, which decide about memory; a few steps and items.

    What is prepared is kept, so that the run itself does not prepare it again.
    """
    training = config.training.model_copy(
        update={"max_steps": STEPS, "max_minutes": 0.0, "eval_steps": STEPS // 2, "save_steps": STEPS // 2}
    )
    evaluation = config.evaluation
    evaluation = evaluation.model_copy(
        update={
            "fim_items": min(evaluation.fim_items, ITEMS),
            "signature_items": min(evaluation.signature_items, ITEMS),
            "watched_items": min(evaluation.watched_items, 2),
        }
    )
    name = config.name[: LONGEST_NAME - len(NAME_ENDING)] + NAME_ENDING
    return config.model_copy(update={"name": name, "training": training, "evaluation": evaluation})
