"""Stage `evaluate`: base and adapter on the same held-out prompts."""

from __future__ import annotations

import time
from pathlib import Path

from duotune.config.run import RunConfig
from duotune.evaluation.evaluate import evaluate
from duotune.hardware.gpu import visible_gpus
from duotune.hardware.measured import remember_speed
from duotune.models.items import read_items
from duotune.models.locate import fingerprint, locate
from duotune.runs.results import Evaluated, Prepared, Trained
from duotune.worker.stages import RunInProgress

MEASURED_ITEMS = 50
"""Fewer take less time than loading the model, and their speed would mislead the next plan."""


def run(run: RunInProgress, config: RunConfig) -> Evaluated:
    """Compare, and leave the verdict, the report and every single answer in the run's directory."""
    held_out = Path(Prepared.model_validate(run.results["prepare"]).dataset) / "held_out"
    items = {file.stem: read_items(file) for file in sorted(held_out.glob("*.jsonl"))}
    model = locate(config.model.path)
    directory = run.directory.path / "evaluation"
    fresh = not directory.exists()
    started = time.monotonic()
    adapter = Path(Trained.model_validate(run.results["train"]).adapter)
    evaluation = evaluate(items, model, adapter, config, directory, run.report)
    count = sum(len(set_items) for set_items in items.values())
    if fresh and count >= MEASURED_ITEMS:  # a resumed evaluation re-uses answers, so its speed says nothing
        gpus = visible_gpus()
        speed = count / (time.monotonic() - started)
        remember_speed(gpus[0].name if gpus else "cpu", fingerprint(model), "evaluated_items_per_second", speed)
    return Evaluated(evaluation=evaluation.model_dump(mode="json"), report=str(directory / "report.md"))
