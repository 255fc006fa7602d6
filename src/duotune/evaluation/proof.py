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

ROOM = 1.2
"""Of a GPU's memory, so many times the weights must be free: prompts and what comes between layers need some too."""


def answers(
    model: Path, cases: Sequence[ContractCase], weight_bytes: int, report: Reporter
) -> tuple[list[list[float]], str]:
    """The log-probabilities, in nats, that a model gives the recorded answers, in bfloat16 as a contract records them.

    One prompt at a time, as the contract was made.

    Args:
        model: A whole model.
        cases: What was recorded.
        weight_bytes: Size of its weights.
        report: Told of cases; asked for a stop before each.

    Returns:
        One list per case, and the device that it answered on.

    Raises:
        Stopped: A stop was asked for.
        ModelError: The model cannot be loaded.
    """
    device = _device(weight_bytes)
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
    return found, device


def _device(weight_bytes: int) -> str:
    """The first GPU if it has the room now, else the CPU: what serves or trains there must not be disturbed."""
    if torch.cuda.is_available():
        free, _ = torch.cuda.mem_get_info(0)
        if free > weight_bytes * ROOM:
            return "cuda:0"
    return "cpu"
