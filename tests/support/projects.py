"""Real code to train on, and runs small enough for tests."""

from __future__ import annotations

import sysconfig
from pathlib import Path

from duotune.config.run import RunConfig
from support.repositories import make_repository


def standard_library(*packages: str) -> dict[str, bytes]:
    """The Python files of some packages of the standard library: path -> content."""
    root = Path(sysconfig.get_path("stdlib"))
    files = (file for package in packages for file in sorted((root / package).glob("*.py")))
    return {file.relative_to(root).as_posix(): file.read_bytes() for file in files if file.stat().st_size > 100}


def make_project(path: Path, *packages: str) -> Path:
    """A Git repository with real code in it; returns its path."""
    make_repository(path, standard_library(*(packages or ("json", "logging", "importlib", "concurrent/futures"))))
    return path


def small_run(source: Path, model: Path, name: str = "small", **training: object) -> RunConfig:
    """A run of a few steps that passes through every stage in seconds.

    Args:
        source: The project.
        model: A directory of a base model.
        name: Of the run and its adapter.
        **training: Settings of the training section that differ from a few steps with frequent checkpoints.
    """
    settings: dict[str, object] = {
        "max_steps": 8,
        "gradient_accumulation_steps": 1,
        "learning_rate": 5e-3,
        "eval_steps": 2,
        "save_steps": 2,
        "early_stopping_patience": 0,
    }
    return RunConfig.model_validate(
        {
            "name": name,
            "projects": [{"name": "code", "source": str(source)}],
            "model": {"path": str(model)},
            "data": {"sequence_length": 128, "validation_fraction": 0.1, "test_fraction": 0.2},
            "lora": {"r": 4, "lora_alpha": 8},
            "training": settings | training,
            "evaluation": {"fim_items": 24, "signature_items": 8, "max_new_tokens": 8},
            "adapter": {"name": name},
        }
    )
