"""What a run has measured over time, small enough to draw however long the run is."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from duotune.runs.events import Event, MetricsMeasured, RunResumed, RunStarted, StageStarted
from duotune.runs.liveness import StateReader
from duotune.runs.state import RunState

MOST_BUCKETS = 1024
"""A curve has between half as many and so many buckets; the widest terminal draws fewer columns of dots."""


class Bucket(NamedTuple):
    """Measurements that follow each other, as one.

    Attributes:
        step: Optimizer step of the first.
        minutes: Minutes worked in the stage up to the first, in all attempts.
        low: The smallest value.
        high: The largest value.
        total: Sum of the values.
        points: How many there are.
    """

    step: int
    minutes: float
    low: float
    high: float
    total: float
    points: int

    @property
    def mean(self) -> float:
        """Mean of the values."""
        return self.total / self.points

    def with_later(self, other: Bucket) -> Bucket:
        """This one and the one after it, as one."""
        return Bucket(
            self.step,
            self.minutes,
            min(self.low, other.low),
            max(self.high, other.high),
            self.total + other.total,
            self.points + other.points,
        )


class Curve:
    """The values of one metric: buckets of equally many measurements, merged by pairs when there are too many."""

    def __init__(self, most: int = MOST_BUCKETS) -> None:
        self._most = most
        self._stride = 1
        self._buckets: list[Bucket] = []

    def add(self, step: int, minutes: float, value: float) -> None:
        """Take the next value. A step that was measured before takes the place of what was measured from it on:
        the run went on from an earlier checkpoint."""
        while self._buckets and self._buckets[-1].step >= step:
            self._buckets.pop()
        point = Bucket(step, minutes, value, value, value, 1)
        if self._buckets and self._buckets[-1].points < self._stride:
            self._buckets[-1] = self._buckets[-1].with_later(point)
            return
        self._buckets.append(point)
        if len(self._buckets) > self._most:
            self._halve()

    def buckets(self) -> tuple[Bucket, ...]:
        """All of them, the earliest first."""
        return tuple(self._buckets)

    def __len__(self) -> int:
        return len(self._buckets)

    def _halve(self) -> None:
        self._stride *= 2
        old = self._buckets
        pairs = [first.with_later(second) for first, second in zip(old[::2], old[1::2], strict=False)]
        self._buckets = pairs + ([old[-1]] if len(old) % 2 else [])


class History:
    """The curves of all metrics of a run, from its events."""

    def __init__(self) -> None:
        self._curves: dict[str, Curve] = {}
        self._worked = 0.0
        self._last: float | None = None

    def hear(self, event: Event) -> None:
        """Take the next event."""
        if isinstance(event, StageStarted):
            self._last = event.ts
        elif isinstance(event, RunStarted | RunResumed):
            self._last = None  # nobody worked between two attempts
        elif isinstance(event, MetricsMeasured):
            if self._last is not None:
                self._worked += max(event.ts - self._last, 0.0)
            self._last = event.ts
            for name, value in event.values.items():
                if math.isfinite(value):
                    self._curves.setdefault(name, Curve()).add(event.step, self._worked / 60, value)

    def names(self) -> frozenset[str]:
        """The metrics that there are values of."""
        return frozenset(self._curves)

    def buckets(self, name: str) -> tuple[Bucket, ...]:
        """The curve of a metric; empty when it was never measured."""
        curve = self._curves.get(name)
        return curve.buckets() if curve else ()


class RunFollower:
    """Follows one run: its state and its history from one reading of the journal.

    Args:
        directory: The run's directory.
        clock: Seconds since 1970.
    """

    def __init__(self, directory: Path, clock: Callable[[], float] = time.time) -> None:
        self.history = History()
        self._reader = StateReader(directory, clock, self.history.hear)

    def catch_up(self) -> Iterator[float]:
        """Read what is new in small batches; see `StateReader.catch_up`."""
        return self._reader.catch_up()

    def read(self) -> RunState:
        """The state now; everything that is new is read.

        Raises:
            HostError: The run directory is gone or unreadable.
        """
        return self._reader.read()
