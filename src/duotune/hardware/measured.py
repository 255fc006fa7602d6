"""Speeds measured by earlier runs on this machine: better than any estimate."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path

from duotune import paths


def remember_speed(device: str, model: str, quantity: str, value: float) -> None:
    """Keep the newest measurement.

    Args:
        device: GPU name, or `cpu`.
        model: Fingerprint of the base model.
        quantity: What was measured, such as `training_tokens_per_second`.
        value: The measurement.
    """
    file = _file()
    speeds = _read(file) | {f"{device}/{model}/{quantity}": value}
    temporary = file.with_suffix(f".{os.getpid()}.tmp")
    with contextlib.suppress(OSError):  # a full disk may cost an estimate, never a run
        file.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(json.dumps(speeds, indent=1, sort_keys=True))
        temporary.replace(file)


def measured_speed(device: str, model: str, quantity: str) -> float | None:
    """The newest measurement, or None."""
    return _read(_file()).get(f"{device}/{model}/{quantity}")


def _file() -> Path:
    return paths.cache() / "speeds.json"


def _read(file: Path) -> dict[str, float]:
    with contextlib.suppress(OSError, ValueError):
        content = json.loads(file.read_text())
        if isinstance(content, dict):
            return {str(key): float(value) for key, value in content.items()}
    return {}
