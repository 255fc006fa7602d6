"""Stage `train`: the dataset to an adapter."""

from __future__ import annotations

from pathlib import Path

from duotune.config.run import RunConfig
from duotune.hardware.gpu import visible_gpus
from duotune.hardware.measured import remember_speed
from duotune.models.locate import fingerprint, locate
from duotune.runs.results import Trained
from duotune.training.train import train
from duotune.worker.stages import RunInProgress


def run(run: RunInProgress, config: RunConfig) -> Trained:
    """Train from the newest checkpoint there is, and remember how fast this machine was."""
    model = locate(config.model.path)
    result = train(
        Path(str(run.results["prepare"]["dataset"])), model, config, run.directory.path / "training", run.report
    )
    gpus = visible_gpus()
    if result.seconds > 0 and result.tokens > 0:
        device = gpus[0].name if gpus else "cpu"
        speed = result.tokens / result.seconds
        remember_speed(device, fingerprint(model), "training_tokens_per_second", speed)
    return Trained(
        adapter=str(result.adapter),
        steps=result.steps,
        best_step=result.best_step,
        train_loss=result.train_loss,
        validation_loss=result.validation_loss,
        initial_validation_loss=result.initial_validation_loss,
        tokens=result.tokens,
        seconds=result.seconds,
        peak_memory_bytes=result.peak_memory_bytes,
    )
