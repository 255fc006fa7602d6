"""What a stage may tell about itself while it works, and what it may ask."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from pydantic import JsonValue

from duotune.runs.events import (
    CheckpointSaved,
    DecisionTaken,
    MetricsMeasured,
    ProgressMade,
    WarningRaised,
)
from duotune.runs.journal import Journal

SECONDS_BETWEEN_LINES = 1.0

log = logging.getLogger("duotune.worker")


class Stopped(Exception):
    """Raised by a stage at a safe point after `stop_requested` became true."""


class Reporter(Protocol):
    """The one way in which a stage speaks to the outside."""

    def progress(self, phase: str, done: int, total: int, unit: str) -> None:
        """Say how far a phase is; cheap enough for every item."""

    def metrics(self, step: int, values: Mapping[str, float], *, always: bool = False) -> None:
        """Report values measured at an optimizer step; `always` for rare ones, such as a validation loss."""

    def checkpoint(self, step: int, path: Path) -> None:
        """Say that a checkpoint is complete on disk."""

    def warning(self, message: str) -> None:
        """Tell a person something that does not stop the run."""

    def record(self, name: str, value: JsonValue) -> None:
        """Keep a decision that depends on this machine, for this attempt and all later ones."""

    def recall(self, name: str) -> JsonValue:
        """The value recorded under `name`; None when there is none."""

    @property
    def stop_requested(self) -> bool:
        """Whether the stage should stop at the next safe point and raise `Stopped`."""


class JournalReporter:
    """A reporter that writes to a run's journal, at most one line a second per phase and for metrics.

    Args:
        journal: The run's journal, open for writing.
        decisions: What earlier attempts recorded (`RunState.decisions`).
        stop: Set when the run should stop.
        clock: Seconds, for the throttle only.
    """

    def __init__(
        self,
        journal: Journal,
        decisions: Mapping[str, JsonValue],
        stop: threading.Event,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._journal = journal
        self._decisions = dict(decisions)
        self._stop = stop
        self._clock = clock
        self._phase = ""
        self._progress_written = 0.0
        self._held_progress: ProgressMade | None = None
        self._metrics_written: float | None = None
        self._held_metrics: MetricsMeasured | None = None
        self._lock = threading.RLock()

    def progress(self, phase: str, done: int, total: int, unit: str) -> None:
        """Write the first and the last line of a phase, and one a second between; see `Reporter.progress`."""
        event = ProgressMade(phase=phase, done=done, total=total, unit=unit)
        with self._lock:
            now = self._clock()
            if phase != self._phase:
                self.flush()
            elif done < total and now - self._progress_written < SECONDS_BETWEEN_LINES:
                self._held_progress = event
                return
            self._phase, self._progress_written, self._held_progress = phase, now, None
            self._journal.append(event)

    def metrics(self, step: int, values: Mapping[str, float], *, always: bool = False) -> None:
        """Write the values, or hold them back until a second has passed; see `Reporter.metrics`."""
        with self._lock:
            now = self._clock()
            event = MetricsMeasured(step=step, values=dict(values))
            recent = self._metrics_written is not None and now - self._metrics_written < SECONDS_BETWEEN_LINES
            if recent and not always:
                self._held_metrics = event
                return
            if not always:
                self._metrics_written, self._held_metrics = now, None
            self._journal.append(event)
            log.info("step %d: %s", step, ", ".join(f"{name} {value:.4g}" for name, value in values.items()))

    def checkpoint(self, step: int, path: Path) -> None:
        """Write the checkpoint's event to disk, after all that was held back."""
        self.flush()
        self._journal.append(CheckpointSaved(step=step, path=str(path)))
        log.info("checkpoint at step %d", step)

    def warning(self, message: str) -> None:
        """Write the warning."""
        self._journal.append(WarningRaised(message=message))
        log.warning("%s", message)

    def record(self, name: str, value: JsonValue) -> None:
        """Write the decision to disk; every later `recall`, of later attempts too, answers it."""
        self._journal.append(DecisionTaken(name=name, value=value))
        self._decisions[name] = value

    def recall(self, name: str) -> JsonValue:
        """The decision, from this attempt or an earlier one."""
        return self._decisions.get(name)

    def flush(self) -> None:
        """Write what the throttle holds back; the worker calls it at the end of each stage."""
        with self._lock:
            held = [event for event in (self._held_metrics, self._held_progress) if event is not None]
            self._held_metrics = self._held_progress = None
            for event in held:
                self._journal.append(event)

    @property
    def stop_requested(self) -> bool:
        """Whether a stop was asked for."""
        return self._stop.is_set()


@dataclass
class SilentReporter:
    """A reporter that keeps everything in memory, for tests and benchmarks.

    Attributes:
        progressed: Every call of `progress`: phase, done, total, unit.
        measured: Every call of `metrics`: step, values.
        stop_requested: Set it to ask the stage to stop.
    """

    progressed: list[tuple[str, int, int, str]] = field(default_factory=list)
    measured: list[tuple[int, dict[str, float]]] = field(default_factory=list)
    checkpoints: list[tuple[int, Path]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    decisions: dict[str, JsonValue] = field(default_factory=dict)
    stop_requested: bool = False

    def progress(self, phase: str, done: int, total: int, unit: str) -> None:
        """Keep the call."""
        self.progressed.append((phase, done, total, unit))

    def metrics(self, step: int, values: Mapping[str, float], *, always: bool = False) -> None:
        """Keep the call."""
        self.measured.append((step, dict(values)))

    def checkpoint(self, step: int, path: Path) -> None:
        """Keep the call."""
        self.checkpoints.append((step, path))

    def warning(self, message: str) -> None:
        """Keep the call."""
        self.warnings.append(message)

    def record(self, name: str, value: JsonValue) -> None:
        """Keep the decision."""
        self.decisions[name] = value

    def recall(self, name: str) -> JsonValue:
        """The decision, or None."""
        return self.decisions.get(name)
