"""Stage `train`: the dataset to an adapter."""

from __future__ import annotations

from pathlib import Path

from duotune.config.run import RunConfig
from duotune.evaluation.sampling import Sampler
from duotune.hardware.gpu import visible_gpus
from duotune.hardware.measured import remember_speed
from duotune.models.items import read_items
from duotune.models.locate import fingerprint, locate
from duotune.models.prompts import PromptRenderer
from duotune.models.tokenizer import load_tokenizer
from duotune.runs.results import Trained
from duotune.training.train import train
from duotune.worker.stages import RunInProgress

MEASURED_STEPS = 20
"""Fewer are mostly warm-up and validation, and their speed would mislead the next plan."""


def run(run: RunInProgress, config: RunConfig) -> Trained:
    """Train from the newest checkpoint there is, and remember how fast this machine was."""
    model = locate(config.model.path)
    dataset = Path(str(run.results["prepare"]["dataset"]))
    watch = _sampler(dataset, model, config)
    result = train(dataset, model, config, run.directory.path / "training", run.report, watch=watch)
    gpus = visible_gpus()
    if result.seconds > 0 and result.steps >= MEASURED_STEPS:
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


def _sampler(dataset: Path, model: Path, config: RunConfig) -> Sampler | None:
    """Some of the held-out completions, to be answered while the adapter is trained; None where there are none."""
    settings, file = config.evaluation, dataset / "held_out" / "fim.jsonl"
    items = read_items(file)[: settings.watched_items] if settings.watched_items and file.is_file() else []
    if not items:
        return None
    renderer = PromptRenderer(load_tokenizer(model))
    return Sampler(items, renderer, config.data.sequence_length, settings.max_new_tokens)
