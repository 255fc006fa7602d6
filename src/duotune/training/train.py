"""Trains one adapter: the loop."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from duotune.base_model import choose_device, full_memory_told
from duotune.config.run import RunConfig
from duotune.errors import RunFailed, printable
from duotune.runs.reporter import Reporter
from duotune.training import checkpoints
from duotune.training.checkpoints import Checkpoint, TrainingState
from duotune.training.durable import sweep
from duotune.training.loop import Training, Watch
from duotune.training.rows import PackedRows

ADAPTER = "adapter"
CHECKPOINTS = "checkpoints"


@dataclass(frozen=True)
class TrainResult:
    """What a training came to.

    Attributes:
        adapter: Directory of the adapter with the lowest validation loss, in PEFT's format.
        steps: Optimizer steps done.
        best_step: The step that the adapter is from; 0 is the untrained adapter, which changes nothing.
        train_loss: Mean of the steps' training losses, in nats per label.
        validation_loss: The adapter's validation loss; None without validation rows.
        initial_validation_loss: The base model's.
        tokens: Tokens trained on, padding not among them.
        seconds: Time spent training, over all attempts.
        peak_memory_bytes: Largest use of device memory, or of process memory on a CPU.
    """

    adapter: Path
    steps: int
    best_step: int
    train_loss: float
    validation_loss: float | None
    initial_validation_loss: float | None
    tokens: int
    seconds: float
    peak_memory_bytes: int


@full_memory_told("training", "Lower data.sequence_length, the batch size or lora.r")
def train(
    dataset: Path,
    model: Path,
    config: RunConfig,
    directory: Path,
    report: Reporter,
    device: str = "auto",
    watch: Watch | None = None,
) -> TrainResult:
    """Train an adapter, or go on from the newest checkpoint to the result that one undisturbed run has.

    Args:
        dataset: Directory of the prepared dataset, with `train/` and `validation/`.
        model: Directory of the base model.
        config: The run.
        directory: Where checkpoints and the adapter go.
        report: Hears of progress, and may ask to stop.
        device: "auto", "cpu", "cuda" or "cuda:N".
        watch: Asked at each validation what the model answers, for people alone.

    Raises:
        Stopped: After a checkpoint, when the reporter asked to stop.
        RunFailed: If there is nothing to train on, the loss is not finite, or memory ends.
        ModelError: If the base model cannot be loaded.
        HostError: If the disk is full, or the device is not there.
    """
    root = directory / CHECKPOINTS
    root.mkdir(parents=True, exist_ok=True)
    for place in (directory, root):
        sweep(place)
    # A prepared dataset's directory is named by its fingerprint.
    last = checkpoints.newest_of(root, dataset.name, report.warning)
    if last is None or not last.state.finished:
        rows = PackedRows(dataset / "train")
        if len(rows) == 0:
            raise RunFailed(
                f"The dataset in {printable(dataset)} has no rows to train on.",
                "Add files or projects, or widen the filters of [[projects]].",
            )
        validation = PackedRows(dataset / "validation")
        training = Training(dataset.name, rows, validation, model, config, root, report, choose_device(device), watch)
        last = training.run(last)
    return _result(last, directory / ADAPTER)


def _result(last: Checkpoint, adapter: Path) -> TrainResult:
    # Written anew even when it is there: an earlier attempt may have left an adapter of a damaged checkpoint.
    last.write_best(adapter)
    state: TrainingState = last.state
    return TrainResult(
        adapter=adapter,
        steps=state.step,
        best_step=state.best_step,
        train_loss=state.loss_sum / max(1, state.step),
        validation_loss=state.best_validation_loss,
        initial_validation_loss=state.initial_validation_loss,
        tokens=state.tokens,
        seconds=state.seconds,
        peak_memory_bytes=state.peak_memory_bytes,
    )
