"""Does a merged model answer as the adapter did when it was evaluated?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from duotune.adapters.contract import ContractCase
from duotune.config.run import ModelConfig
from duotune.evaluation.generate import answer
from duotune.evaluation.model import load_two
from duotune.runs.reporter import Reporter, Stopped


def answers(model: Path, cases: Sequence[ContractCase], device: str, report: Reporter) -> list[list[float]]:
    """The log-probabilities, in nats, that a model gives the recorded answers, in bfloat16 as a contract records them.

    One prompt at a time, as the contract was made.

    Args:
        model: A whole model.
        cases: What was recorded.
        device: Where it answers.
        report: Told of cases; asked for a stop before the model is loaded and before each.

    Returns:
        One list per case.

    Raises:
        Stopped: A stop was asked for.
        ModelError: The model cannot be loaded.
    """
    if report.stop_requested:
        raise Stopped
    report.progress("prove", 0, len(cases), "answers")
    models = load_two(model, None, ModelConfig(path=str(model), dtype="bfloat16"), device)
    found = []
    for number, case in enumerate(cases, 1):
        if report.stop_requested:
            raise Stopped
        with models.speaking("base"), models.decoding():
            (said,) = answer(models, [case.prompt_ids], [case.target_ids], [0], ())
        found.append(said.gold_logprobs)
        report.progress("prove", number, len(cases), "answers")
    return found


def gpu_free_bytes() -> int:
    """Free memory of the first GPU as CUDA sees it; 0 where there is none."""
    return torch.cuda.mem_get_info(0)[0] if torch.cuda.is_available() else 0
