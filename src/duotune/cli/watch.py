"""Watching a run from the terminal: one bar per stage, with the time left; plain lines where there is no terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Protocol

from rich.progress import BarColumn, Progress, TaskID, TextColumn
from rich.table import Column

from duotune.cli.output import narrator, say
from duotune.runs.directory import RunDirectory
from duotune.runs.liveness import StateReader
from duotune.runs.outcomes import outcome
from duotune.runs.standing import left_in_words, progress_in_words, share_of_run, share_of_stage
from duotune.runs.state import RunState, StageState
from duotune.runs.wording import in_words

POLL_SECONDS = 0.4
SECONDS_BETWEEN_LINES = 15.0
TOTAL = "all"


class _Display(Protocol):
    def update(self, state: RunState) -> None: ...
    def tell(self, sentence: str) -> None: ...


def watch(run: RunDirectory, on_interrupt: Callable[[], str]) -> RunState:
    """Show a run's progress on standard error until it ends.

    Args:
        run: The run.
        on_interrupt: Called at the first Ctrl-C; what it returns is told, and the watching goes on.

    Raises:
        HostError: The run directory vanished.
        KeyboardInterrupt: At the second Ctrl-C; the run goes on by itself.
    """
    reader = StateReader(run.path)
    if not sys.stderr.isatty():
        return _follow(reader, _Lines(), on_interrupt)
    with _Bars() as bars:
        return _follow(reader, bars, on_interrupt)


def _follow(reader: StateReader, display: _Display, on_interrupt: Callable[[], str]) -> RunState:
    interrupted = False
    news = _News(display.tell)
    while True:
        try:
            state = reader.read()
            display.update(state)
            news.tell(state)
            if state.ended:
                return state
            time.sleep(POLL_SECONDS)
        except KeyboardInterrupt:
            if interrupted:
                raise
            interrupted = True
            display.tell(on_interrupt())


class _News:
    """Warnings and waits, each told once."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._warnings = 0
        self._waiting = ""

    def tell(self, state: RunState) -> None:
        """Tell what has come since the last time."""
        for warning in state.warnings[self._warnings :]:
            self._tell(f"Note: {warning}")
        self._warnings = len(state.warnings)
        waiting = state.waiting_for
        now = f"Waiting for {waiting.device}, which run {waiting.holder} uses." if waiting else ""
        if now and now != self._waiting:
            self._tell(f"{now} This run goes on by itself when it is free.")
        elif self._waiting and not now and not state.ended:
            self._tell("The device is free; this run goes on.")
        self._waiting = now


class _Bars:
    """A bar for each stage, and the time that is left of the whole run."""

    def __init__(self) -> None:
        self._console = narrator()
        self._progress = Progress(
            TextColumn("{task.description}", table_column=Column(width=8, no_wrap=True)),
            BarColumn(bar_width=20, table_column=Column(width=20, no_wrap=True)),
            TextColumn("{task.fields[detail]}", table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis")),
            console=self._console,
            expand=True,
            refresh_per_second=4,
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> _Bars:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def tell(self, sentence: str) -> None:
        """Print above the bars."""
        self._progress.console.print(sentence)

    def update(self, state: RunState) -> None:
        """Draw the newest state."""
        for stage in state.stages:
            self._draw(stage.name, share_of_stage(state, stage), _detail(state, stage))
        self._draw(TOTAL, share_of_run(state), state.state if state.ended else left_in_words(state))

    def _draw(self, name: str, completed: float, detail: str) -> None:
        if name not in self._tasks:
            self._tasks[name] = self._progress.add_task(name, total=1, detail="")
        self._progress.update(self._tasks[name], completed=completed, detail=detail)


class _Lines:
    """The same as lines of a log: when a stage begins and ends, and now and then between, where there is news."""

    def __init__(self) -> None:
        self._told: dict[str, str] = {}
        self._details: dict[str, str] = {}
        self._last = 0.0

    def tell(self, sentence: str) -> None:
        """Print a line."""
        say(sentence)

    def update(self, state: RunState) -> None:
        """Print what is new."""
        for stage in state.stages:
            changed = self._told.get(stage.name, "pending") != stage.state
            due = stage.state == "running" and time.monotonic() - self._last > SECONDS_BETWEEN_LINES
            if not (changed or due):
                continue
            self._told[stage.name] = stage.state
            # A line that differs in the time left alone would only say the same again.
            detail = _detail(state, stage) or stage.state
            if self._details.get(stage.name) == detail:
                continue
            self._details[stage.name] = detail
            self._last = time.monotonic()
            left = left_in_words(state) if state.eta_seconds is not None else ""
            say(" · ".join(filter(None, (f"{stage.name}: {detail}", left))))


def _detail(state: RunState, stage: StageState) -> str:
    if stage.state == "finished":
        found = outcome(state, stage.name)
        return f"done in {in_words(stage.seconds)}" + (f" · {found}" if found else "")
    if stage.state == "interrupted":
        return "interrupted"
    if stage.state == "pending" or state.stage != stage.name:
        return ""
    if not state.progress:  # figures would be those of an earlier attempt
        return "starting"
    parts = [progress_in_words(state)]
    if stage.name == "train":
        parts += [f"{label} {_figure(state, key)}" for label, key in _LOSSES if key in state.metrics]
    return " · ".join(parts)


def _figure(state: RunState, metric: str) -> str:
    """A figure, and the step of one that was not measured at the newest."""
    step = state.measured_at.get(metric, state.step)
    return f"{state.metrics[metric]:.3f}{'' if step == state.step else f' (step {step:,})'}"


_LOSSES = (("loss", "loss"), ("validation", "validation_loss"))
