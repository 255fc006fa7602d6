"""Checkpoints that are whole or not there, and the newest one that can be trusted."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from pydantic import BaseModel, ConfigDict

from duotune.training.adapter_files import CONFIG, WEIGHTS, write_weights
from duotune.training.durable import appearing_whole

BEST = "best.safetensors"
MOMENTS = "optimizer.safetensors"
STATE = "state.json"
DIGESTS = "digests.json"
KEPT = 2


class TrainingState(BaseModel):
    """Everything but tensors that training needs to go on as if nothing had happened.

    The step is also the cursor in the data and the seed of the step's random numbers, so neither is stored apart.

    Attributes:
        dataset: Fingerprint of the data that it learned from; None in a checkpoint of before this was kept.
        step: Optimizer steps done.
        finished: Whether this is the last checkpoint of the training.
        best_step: Step of the lowest validation loss (0 is the untrained adapter).
        best_validation_loss: That loss; None without validation rows.
        initial_validation_loss: The base model's.
        worse_validations: Validation losses since the best one.
        loss_sum: Sum of the steps' training losses.
        tokens: Tokens computed on, padding not among them.
        seconds: Time spent training, over all attempts.
        peak_memory_bytes: Largest use of device memory (of process memory on a CPU) in any attempt.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    dataset: str | None = None
    step: int = 0
    finished: bool = False
    best_step: int = 0
    best_validation_loss: float | None = None
    initial_validation_loss: float | None = None
    worse_validations: int = 0
    loss_sum: float = 0.0
    tokens: int = 0
    seconds: float = 0.0
    peak_memory_bytes: int = 0


@dataclass(frozen=True)
class Checkpoint:
    """A complete checkpoint on disk.

    The directory is an adapter that PEFT can load, with the optimizer's state, the best weights so far (when they
    are not these) and the state beside it.
    """

    directory: Path
    state: TrainingState

    def weights(self) -> dict[str, torch.Tensor]:
        """The adapter at this step."""
        return _tensors(self.directory / WEIGHTS)

    def best(self) -> dict[str, torch.Tensor]:
        """The adapter of the lowest validation loss so far."""
        file = self.directory / BEST
        return _tensors(file if file.exists() else self.directory / WEIGHTS)

    def moments(self) -> dict[str, torch.Tensor]:
        """The optimizer's state."""
        return _tensors(self.directory / MOMENTS)

    def write_best(self, target: Path) -> None:
        """Write the best adapter as a directory of PEFT's format."""
        best = self.directory / BEST
        with appearing_whole(target) as partial:
            shutil.copyfile(best if best.exists() else self.directory / WEIGHTS, partial / WEIGHTS)
            shutil.copyfile(self.directory / CONFIG, partial / CONFIG)


def save(
    root: Path,
    state: TrainingState,
    config: str,
    weights: Mapping[str, torch.Tensor],
    best: Mapping[str, torch.Tensor] | None,
    moments: Mapping[str, torch.Tensor],
) -> Checkpoint:
    """Write a checkpoint and remove all but the newest two.

    Args:
        root: Directory of the run's checkpoints.
        state: State after the step.
        config: Text of `adapter_config.json`.
        weights: The adapter.
        best: The best adapter, or None when `weights` is it.
        moments: The optimizer's state.

    Raises:
        HostError: If the disk is full.
    """
    target = root / f"step-{state.step:06d}"
    with appearing_whole(target) as partial:
        write_weights(weights, partial / WEIGHTS)
        write_weights(moments, partial / MOMENTS)
        if best is not None:
            write_weights(best, partial / BEST)
        (partial / CONFIG).write_text(config)
        (partial / STATE).write_text(state.model_dump_json(indent=2))
        digests = {file.name: _digest(file) for file in sorted(partial.iterdir())}
        (partial / DIGESTS).write_text(json.dumps(digests, indent=2))
    for old in sorted(root.glob("step-*"), key=_step)[:-KEPT]:
        shutil.rmtree(old, ignore_errors=True)
    return Checkpoint(target, state)


def newest(root: Path, warn: Callable[[str], None]) -> Checkpoint | None:
    """The newest checkpoint whose files all have the content that was written; `warn` hears of the others."""
    for directory in sorted(root.glob("step-*"), key=_step, reverse=True):
        try:
            digests = json.loads((directory / DIGESTS).read_bytes())
            damaged = [name for name, digest in digests.items() if _digest(directory / name) != digest]
            if damaged:
                raise ValueError(f"{damaged[0]} has changed")
            state = TrainingState.model_validate_json((directory / STATE).read_bytes())
        except (OSError, ValueError, AttributeError) as error:
            warn(f"Checkpoint {directory.name} is damaged ({error}); training goes on from the one before.")
            continue
        return Checkpoint(directory, state)
    return None


def newest_of(root: Path, dataset: str, warn: Callable[[str], None]) -> Checkpoint | None:
    """The newest whole checkpoint if it learned from this dataset, else None with a warning and an empty `root`.

    Checkpoints of another dataset are removed, because their steps would count as newer than the first ones of this.
    """
    last = newest(root, warn)
    if last is None or last.state.dataset in (None, dataset):
        return last
    warn("The checkpoints are of another dataset than the one there is now, so training starts from the beginning.")
    for directory in root.glob("step-*"):
        shutil.rmtree(directory, ignore_errors=True)
    return None


def _step(directory: Path) -> int:
    number = directory.name.removeprefix("step-")
    return int(number) if number.isdigit() else -1


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _tensors(file: Path) -> dict[str, torch.Tensor]:
    from safetensors.torch import load_file

    tensors: dict[str, torch.Tensor] = load_file(file)
    return tensors
