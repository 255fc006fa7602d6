"""Removing a run, with what it left outside its directory."""

from __future__ import annotations

from pathlib import Path

from duotune.adapters.target import clear_draft
from duotune.runs.directory import RunDirectory, remove_run


def remove(run: RunDirectory) -> Path | None:
    """Delete a run's directory, and what a killed merge wrote beside its target; all that was finished stays.

    Returns:
        What it wrote and cannot be deleted, as it is somebody else's or in use; None without any.

    Raises:
        UsageError: Its worker is alive.
        HostError: It cannot be deleted, or is gone already.
    """
    created = run.created()
    remove_run(run)
    return None if created is None or created.order is None else clear_draft(Path(created.order.directory))
