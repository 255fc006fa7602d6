"""The state of a run with its worker's life in it: a worker that vanished leaves a run that is `lost`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from duotune.errors import printable
from duotune.runs.events import Event
from duotune.runs.fold import RunFold
from duotune.runs.journal import read_batches
from duotune.runs.lock import owner_of
from duotune.runs.state import ErrorState, RunState

JOURNAL = "events.jsonl"
LOCK = "worker.lock"
GRACE_SECONDS = 60.0
"""How long a run may wait for its worker to come up."""


class StateReader:
    """Follows one run: each `read` folds only the events that came since the last.

    Args:
        directory: The run's directory.
        clock: Seconds since 1970.
        hear: Called with each event too, once and in order, by whoever keeps more of the journal than its state.
    """

    def __init__(
        self, directory: Path, clock: Callable[[], float] = time.time, hear: Callable[[Event], None] | None = None
    ) -> None:
        self.directory = directory
        self._clock = clock
        self._hear = hear
        self._fold = RunFold()
        self._offset = 0

    def catch_up(self) -> Iterator[float]:
        """Fold what the journal has gained in small batches, so that a caller may pause or stop between two.

        Yields:
            After each batch, how much of the journal is folded, between 0 and 1.

        Raises:
            HostError: The run directory is gone or unreadable.
        """
        journal = self.directory / JOURNAL
        for batch in read_batches(journal, self._offset):
            self._offset = batch.offset
            for event in batch.events:
                self._fold.apply(event)
                if self._hear is not None:
                    self._hear(event)
            yield min(self._offset / max(_size(journal), 1), 1.0)

    def read(self) -> RunState:
        """The state now.

        Raises:
            HostError: The run directory is gone or unreadable.
        """
        alive = self._alive()
        state = self._folded(alive)
        if not alive and not state.ended and self._overdue(state):
            # between the first look and the reading, the worker may have come up, or ended and said so
            alive = self._alive()
            state = self._folded(alive)
            if not alive and not state.ended and self._overdue(state):
                return _lost(state)
        return state

    def _alive(self) -> bool:
        return owner_of(self.directory / LOCK) is not None

    def _folded(self, alive: bool) -> RunState:
        for _ in self.catch_up():
            pass
        state = self._fold.state(self._clock() if alive else None)
        return state.model_copy(update={"directory": str(self.directory), "run": state.run or self.directory.name})

    def _overdue(self, state: RunState) -> bool:
        if state.state == "running" or state.waiting_for is not None:
            return True  # a worker was there, and is there no more
        return self._clock() - (state.updated_at or 0.0) > GRACE_SECONDS


def read_state(directory: Path) -> RunState:
    """The state of a run now; `lost` when its worker vanished without a word.

    Raises:
        HostError: The run directory is gone or unreadable.
    """
    return StateReader(directory).read()


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0


def _lost(state: RunState) -> RunState:
    never_started = state.attempts == 0
    message = (
        f"The worker of run {printable(state.run)} never started."
        if never_started
        else f"The worker of run {printable(state.run)} vanished without a word: killed, out of memory, or power loss."
    )
    stages = [s.model_copy(update={"state": "interrupted"}) if s.state == "running" else s for s in state.stages]
    at = f" from its checkpoint at step {state.checkpoint.step:,}" if state.checkpoint else ""
    hint = f"Continue{at} with `duotune resume {printable(state.run)}`."
    error = ErrorState(message=message, hint=hint, exit_code=1)
    return state.model_copy(
        update={"state": "lost", "error": error, "stages": stages, "eta_seconds": None, "waiting_for": None}
    )
