"""A run's configuration for tests of single stages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from duotune.config.run import RunConfig


def tiny_run(base: Path, **sections: dict[str, Any]) -> RunConfig:
    """A run on the model in `base`; sections are merged over settings that suit a micro model."""
    settings: dict[str, Any] = {
        "name": "test",
        "projects": [{"source": "."}],
        "model": {"path": str(base)},
        "adapter": {"name": "test"},
        "lora": {"r": 4, "lora_alpha": 8},
        "training": {"learning_rate": 1e-2, "gradient_accumulation_steps": 2},
    }
    for name, values in sections.items():
        settings[name] = {**settings.get(name, {}), **values}
    return RunConfig.model_validate(settings)
