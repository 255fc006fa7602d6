"""Checkpoints that survive a kill at any moment."""

import os
from pathlib import Path
from typing import Any

import torch

KEPT = 2


def save_checkpoint(directory: Path, step: int, state: dict[str, Any]) -> Path:
    """Write a checkpoint beside the earlier ones, then drop all but the newest two.

    Args:
        directory: The run's directory.
        step: Steps done.
        state: What :func:`torch.save` can write.
    """
    path = directory / f"step-{step:07d}.pt"
    partial = path.with_suffix(".partial")
    with partial.open("wb") as file:
        torch.save(state, file)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
    for old in checkpoints(directory)[:-KEPT]:
        old.unlink()
    return path


def checkpoints(directory: Path) -> list[Path]:
    """The complete checkpoints of a run, oldest first."""
    return sorted(directory.glob("step-*.pt"))


def load_newest(directory: Path) -> dict[str, Any] | None:
    """Read the newest checkpoint of a run to CPU memory, ``None`` where there is none."""
    found = checkpoints(directory)
    if not found:
        return None
    state: dict[str, Any] = torch.load(found[-1], map_location="cpu", weights_only=True)
    return state
