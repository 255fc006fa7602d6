"""A rehearsal keeps what decides whether a run works here, and does little of the rest."""

from __future__ import annotations

from pathlib import Path

from duotune.config.training import TrainingConfig
from duotune.plan.rehearsal import ITEMS, STEPS, rehearsal_of
from duotune.plan.resolve import plan
from support.projects import make_project, small_run


def test_what_decides_about_memory_and_data_stays(tmp_path: Path) -> None:
    config = small_run(tmp_path / "code", tmp_path / "model")
    rehearsed = rehearsal_of(config)
    assert rehearsed.name == f"{config.name}-rehearsal"
    assert (rehearsed.projects, rehearsed.model, rehearsed.data, rehearsed.lora) == (
        config.projects, config.model, config.data, config.lora,
    )  # fmt: skip
    for setting in ("per_device_train_batch_size", "gradient_accumulation_steps", "learning_rate"):
        assert getattr(rehearsed.training, setting) == getattr(config.training, setting)


def test_it_is_short_however_long_the_run_is(tmp_path: Path, micro_model: Path) -> None:
    config = small_run(make_project(tmp_path / "code"), micro_model)
    long = config.model_copy(
        update={
            "name": "a" * 63,
            "training": TrainingConfig(num_train_epochs=50, max_minutes=480),
            "evaluation": config.evaluation.model_copy(update={"fim_items": 2000, "signature_items": 0}),
        }
    )
    planned = plan(rehearsal_of(long))
    assert planned.refusals == []
    assert planned.steps == STEPS
    assert (planned.config.evaluation.fim_items, planned.config.evaluation.signature_items) == (ITEMS, 0)
    assert planned.config.name.endswith("-rehearsal")
    assert len(planned.config.name) == 63
