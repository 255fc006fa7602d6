"""Trainings of the micro model."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from duotune.runs.reporter import SilentReporter
from duotune.training.train import TrainResult, train
from support.runs_config import tiny_run


def digest(adapter: Path) -> dict[str, str]:
    """Hashes of an adapter's files, by name."""
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(adapter.iterdir())}


def run_training(
    dataset: Path, micro: Path, directory: Path, report: Any = None, **sections: dict[str, Any]
) -> TrainResult:
    """Train on the CPU; sections are merged over those of `tiny_run`."""
    return train(dataset, micro, tiny_run(micro, **sections), directory, report or SilentReporter(), "cpu")
