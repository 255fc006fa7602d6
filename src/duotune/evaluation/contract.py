"""What a server must reproduce to be trusted with this adapter."""

from __future__ import annotations

from collections.abc import Sequence

from duotune.adapters.contract import Contract, ContractCase
from duotune.evaluation.answers import StoredAnswer
from duotune.evaluation.generate import answer
from duotune.evaluation.model import Side, TwoModels
from duotune.evaluation.prompts import Question
from duotune.models.prompts import PromptRenderer
from duotune.runs.reporter import Reporter

CASES = 16
TARGET_TOKENS = 32


def make_contract(
    models: TwoModels,
    questions: Sequence[tuple[Question, StoredAnswer]],
    renderer: PromptRenderer,
    fingerprint: str,
    report: Reporter,
) -> Contract:
    """Teacher-forced log-probabilities of both sides on about 16 prompts, in the precision that is served.

    Turns the models to bfloat16, so it comes last. One prompt at a time: a batch's padding would move the figures.

    Args:
        models: The two models.
        questions: All questions, each with the answer of the adapter (of the base where there is none).
        renderer: The renderer that made the prompts.
        fingerprint: The base model's.
        report: Is told how many prompts are recorded.
    """
    models.serve_in_bfloat16()
    sides: list[Side] = ["base"] if models.peft is None else ["base", "adapter"]
    chosen = list(questions)[:: max(1, len(questions) // CASES)][:CASES]
    cases: list[ContractCase] = []
    for question, said in chosen:
        report.progress("record for serving", len(cases), len(chosen), "prompts")
        target = (said.ids or question.target)[:TARGET_TOKENS]
        scores = {}
        for side in sides:
            with models.speaking(side), models.decoding():
                found = answer(models, [question.prompt], [target], [0], renderer.end_ids)
            scores[side] = found[0].gold_logprobs
        cases.append(
            ContractCase(
                id=question.item.id,
                prompt_ids=question.prompt,
                target_ids=target,
                base=scores["base"],
                adapter=scores.get("adapter"),
            )
        )
    report.progress("record for serving", len(cases), len(chosen), "prompts")
    return Contract(
        model=fingerprint,
        tokenizer=renderer.tokenizer.fingerprint,
        family=renderer.format.family if renderer.format else None,
        precision=models.precision,
        cases=cases,
    )
