"""Watching a run from the terminal: one bar per stage, with the time left; plain lines where there is no terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from duotune.cli.outcomes import outcome
from duotune.cli.output import in_bytes, in_words, narrator, say
from duotune.runs.directory import RunDirectory
from duotune.runs.liveness import StateReader
from duotune.runs.state import RunState, StageState

POLL_SECONDS = 0.4
SECONDS_BETWEEN_LINES = 15.0


def watch(run: RunDirectory) -> RunState:
    """Show a run's progress on standard error until it ends.

    Raises:
        HostError: The run directory vanished.
        KeyboardInterrupt: The watcher was interrupted; the run goes on.
    """
    reader = StateReader(run.path)
    console = narrator()
    if not sys.stderr.isatty():
        return _follow(reader, _Lines().update)
    with _Bars(console) as bars:
        return _follow(reader, bars.update)


def _follow(reader: StateReader, update: Callable[[RunState], None]) -> RunState:
    while True:
        state = reader.read()
        update(state)
        if state.ended:
            return state
        time.sleep(POLL_SECONDS)


class _Bars:
    """Progress bars of all stages of a run."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            TextColumn("{task.description:<9}"),
            BarColumn(bar_width=28),
            TextColumn("{task.fields[detail]}"),
            console=console,
            refresh_per_second=4,
        )
        self._tasks: dict[str, TaskID] = {}
        self._warnings = 0
        self._waiting = ""

    def __enter__(self) -> _Bars:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def update(self, state: RunState) -> None:
        """Draw the newest state."""
        for stage in state.stages:
            task = self._tasks.get(stage.name)
            if task is None:
                task = self._tasks[stage.name] = self._progress.add_task(stage.name, total=1, detail="")
            completed = _completed(state, stage)
            self._progress.update(task, completed=completed, detail=_detail(state, stage))
        for warning in state.warnings[self._warnings :]:
            self._progress.console.print(f"Note: {warning}")
        self._warnings = len(state.warnings)
        waiting = _waiting(state)
        if waiting != self._waiting and waiting:
            self._progress.console.print(waiting)
        self._waiting = waiting


class _Lines:
    """The same as lines of a log: when a stage begins and ends, and now and then between."""

    def __init__(self) -> None:
        self._told: dict[str, str] = {}
        self._last = 0.0
        self._warnings = 0
        self._waiting = ""

    def update(self, state: RunState) -> None:
        """Print what is new."""
        for warning in state.warnings[self._warnings :]:
            say(f"Note: {warning}")
        self._warnings = len(state.warnings)
        waiting = _waiting(state)
        if waiting and waiting != self._waiting:
            say(waiting)
        self._waiting = waiting
        for stage in state.stages:
            changed = self._told.get(stage.name, "pending") != stage.state
            due = stage.state == "running" and time.monotonic() - self._last > SECONDS_BETWEEN_LINES
            if changed or due:
                self._told[stage.name] = stage.state
                self._last = time.monotonic()
                detail = _detail(state, stage)
                say(f"{stage.name}: {detail or stage.state}")


def _completed(state: RunState, stage: StageState) -> float:
    if stage.state == "finished":
        return 1.0
    current = state.progress if state.stage == stage.name else None
    return current.done / current.total if current and current.total else 0.0


def _detail(state: RunState, stage: StageState) -> str:
    if stage.state == "finished":
        found = outcome(state, stage.name)
        return f"done in {in_words(stage.seconds)}" + (f" · {found}" if found else "")
    if stage.state == "interrupted":
        return "interrupted"
    if stage.state == "pending" or state.stage != stage.name:
        return ""
    parts = []
    if state.progress:
        parts.append(_amount(state.progress.done, state.progress.total, state.progress.unit, state.progress.phase))
    if stage.name == "train":
        parts += [f"{label} {state.metrics[key]:.3f}" for label, key in _LOSSES if key in state.metrics]
    if state.eta_seconds is not None:
        parts.append(f"{in_words(state.eta_seconds)} left")
    return " · ".join(parts)


_LOSSES = (("loss", "loss"), ("validation", "validation_loss"))


def _amount(done: int, total: int, unit: str, phase: str) -> str:
    if unit == "bytes":
        return f"{phase} {in_bytes(done)} of {in_bytes(total)}"
    return f"{phase} {done:,}/{total:,} {unit}"


def _waiting(state: RunState) -> str:
    if state.waiting_for is None:
        return ""
    return f"Queued: {state.waiting_for.device} is used by {state.waiting_for.holder}; this run starts by itself."
