"""Real worker processes, and waiting for what they do."""

from __future__ import annotations

import select
import subprocess
import sys
import time
from collections.abc import Callable

import pytest

from duotune.runs.directory import RunDirectory
from duotune.runs.events import Event
from duotune.runs.journal import read_events

PATIENCE_SECONDS = 240


def start_worker(run: RunDirectory) -> subprocess.Popen[bytes]:
    """Start a worker on the run, in a session of its own, as the launcher does."""
    with run.log_file.open("ab") as log:
        command = [sys.executable, "-m", "duotune.worker", str(run.path)]
        return subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)


def wait_until(holds: Callable[[], bool], what: str) -> None:
    """Look again and again, leaving the processor to others between two looks; fail after minutes."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, f"it never happened: {what}"
        select.select([], [], [], 0.01)


def wait_for_event(
    run: RunDirectory, wanted: Callable[[Event], bool], worker: subprocess.Popen[bytes] | None = None, offset: int = 0
) -> None:
    """Wait until the run's journal shows an event after `offset`; fail at once when the worker ends before."""

    def shown() -> bool:
        nonlocal offset
        reading = read_events(run.journal_file, offset)
        offset = reading.offset
        if any(wanted(event) for event in reading.events):
            return True
        if worker is not None and worker.poll() is not None:
            pytest.fail(f"the worker ended before:\n{run.log_file.read_text()[-3000:]}")
        return False

    wait_until(shown, "the awaited event")
