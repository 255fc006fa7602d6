"""How long a run still takes, from the times of its journal's events.

A rate comes only from progress within one phase of one attempt: dividing an attempt's seconds by all units done would
make every resumed run look faster than it is.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

WINDOW = 120
SINGLE_PHASE = ("train",)
"""Stages whose one phase is the whole of them: what was measured then needs no plan beside it."""
SCALE_LIMITS = (0.25, 4.0)


@dataclass
class Pace:
    """The speed of the current phase.

    Attributes:
        done: Units done so far.
        total: Units in the phase.
        at: Time of the last progress, seconds since 1970.
    """

    phase: str
    done: int
    total: int
    at: float
    _steps: deque[tuple[float, int]] = field(default_factory=lambda: deque(maxlen=WINDOW))
    _earlier: float | None = None

    def observe(self, done: int, total: int, at: float) -> None:
        """Take the next progress of the same phase and attempt."""
        if done > self.done:
            self._steps.append((at - self.at, done - self.done))
            self.done, self.at = done, at
        self.total = total

    def resumed(self, done: int, total: int, at: float) -> Pace:
        """The same phase in a new attempt: its own rate counts as soon as there is one."""
        return Pace(self.phase, done, total, at, _earlier=self.seconds_per_unit())

    def seconds_per_unit(self) -> float | None:
        """Seconds per unit over the recent window; None before the second progress of the phase's first attempt."""
        steps = _without_lone_outlier(self._steps)
        units = sum(count for _, count in steps)
        return sum(seconds for seconds, _ in steps) / units if units else self._earlier

    def remaining_seconds(self, now: float) -> float | None:
        """Seconds until the phase ends; None while its speed is unknown."""
        pace = self.seconds_per_unit()
        if pace is None:
            return 0.0 if self.done >= self.total else None
        left = (self.total - self.done) * pace
        since = min(max(now - self.at, 0.0), max(pace, 1.0))  # a stalled phase does not count down to nothing
        return max(left - since, 0.0)


def _without_lone_outlier(steps: Sequence[tuple[float, int]]) -> list[tuple[float, int]]:
    """Drop one interval beyond the upper quartile by three quartile distances.

    A slow interval that recurs, such as a validation every twenty steps, is part of the work and stays; one that
    happens once, such as a suspended machine or the first compilation, is not.
    """
    if len(steps) < 5:
        return list(steps)
    paces = sorted(seconds / count for seconds, count in steps)
    lower, upper = paces[len(paces) // 4], paces[(3 * len(paces)) // 4]
    fence = upper + 3 * max(upper - lower, 0.1 * upper)
    outside = [i for i, (seconds, count) in enumerate(steps) if seconds / count > fence]
    return [step for i, step in enumerate(steps) if len(outside) != 1 or i != outside[0]]


@dataclass(frozen=True)
class Outlook:
    """What is known of the time left.

    Attributes:
        seconds: Time left, None when nothing is known.
        whole_run: Whether it reaches to the end of the run, or only to the end of the current phase.
    """

    seconds: float | None
    whole_run: bool


def outlook(
    pace: Pace | None,
    now: float,
    stage: str,
    elapsed: Mapping[str, float],
    later: Sequence[str],
    expected: Mapping[str, float],
) -> Outlook:
    """Time left in a run.

    Args:
        pace: Speed of the current phase, if it has made progress.
        now: Seconds since 1970.
        stage: The current stage.
        elapsed: Seconds worked so far on each stage that has begun.
        later: The stages still to come.
        expected: Seconds that the plan expected of each stage; scaled by how the plan has held so far.
    """
    in_phase = pace.remaining_seconds(now) if pace is not None else None
    scale = _scale(stage, elapsed, expected, in_phase)
    in_stage = _stage_left(stage, elapsed, expected, in_phase, scale)
    if in_stage is None:
        return Outlook(None, False)
    known = all(name in expected for name in later)
    return Outlook(in_stage + sum(expected.get(name, 0.0) for name in later) * scale, known)


def _scale(stage: str, elapsed: Mapping[str, float], expected: Mapping[str, float], in_phase: float | None) -> float:
    """How many times longer than planned things take, from the finished stages and the projected current one."""
    actual = dict(elapsed)
    if in_phase is None:
        actual.pop(stage, None)
    elif stage in actual:
        actual[stage] += in_phase
    planned = sum(expected[name] for name in actual if name in expected)
    spent = sum(seconds for name, seconds in actual.items() if name in expected)
    low, high = SCALE_LIMITS
    return min(max(spent / planned, low), high) if planned > 0 else 1.0


def _stage_left(
    stage: str, elapsed: Mapping[str, float], expected: Mapping[str, float], in_phase: float | None, scale: float
) -> float | None:
    """The current phase's time left, or more where the plan says that the stage has further phases."""
    if stage not in expected:
        return in_phase
    by_plan = max(expected[stage] * scale - elapsed.get(stage, 0.0), 0.0)
    if in_phase is None:
        return by_plan
    return in_phase if stage in SINGLE_PHASE else max(in_phase, by_plan)
