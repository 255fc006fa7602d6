"""How long a run still takes, from the times of its journal's events.

A rate comes only from progress within one phase of one attempt: dividing an attempt's seconds by all units done would
make every resumed run look faster than it is.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

WINDOW = 120
LAST_PHASES = (("train", "train"), ("evaluate", "record for serving"), ("merge", "prove"))
"""Stage and phase with which it ends: what was measured in it needs no plan beside it."""
SIDES = ("base", "adapter")
"""Phases of the evaluation that answer the same prompts, one after the other."""
SCALE_LIMITS = (0.25, 4.0)
LEAST_SECONDS = 1.0
"""What is not done takes at least so long: a phase that stalls at its end does not count down to nothing."""


@dataclass
class Pace:
    """The speed of one phase in one attempt.

    Attributes:
        done: Units done so far.
        total: Units in the phase.
        at: Time of the last progress, seconds since 1970.
        known: Seconds per unit that count until there is a rate of its own.
    """

    phase: str
    done: int
    total: int
    at: float
    known: float | None = None
    _steps: deque[tuple[float, int]] = field(default_factory=lambda: deque(maxlen=WINDOW))

    def observe(self, done: int, total: int, at: float) -> None:
        """Take the next progress of the same phase and attempt."""
        if done > self.done:
            self._steps.append((at - self.at, done - self.done))
            self.done, self.at = done, at
        self.total = total

    def seconds_per_unit(self) -> float | None:
        """Seconds per unit over the recent window, or those known before; None while there are neither."""
        steps = _without_lone_outlier(self._steps)
        units = sum(count for _, count in steps)
        return sum(seconds for seconds, _ in steps) / units if units else self.known

    def remaining_seconds(self, now: float) -> float | None:
        """Seconds until the phase ends, with the one that does the same after it; None while its speed is unknown."""
        pace = self.seconds_per_unit()
        again = self.total if self.phase == SIDES[0] else 0
        if pace is None:
            return 0.0 if self.done >= self.total and not again else None
        units = self.total - self.done + again
        since = min(max(now - self.at, 0.0), max(pace, 1.0))  # a stalled phase does not count down to nothing
        return max(units * pace - since, LEAST_SECONDS) if units > 0 else 0.0


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


@dataclass
class Paces:
    """The speeds of one stage's phases, over all attempts.

    Attributes:
        current: That of the current phase, if it has made progress.
    """

    current: Pace | None = None
    _newest: dict[str, Pace] = field(default_factory=dict)
    _interrupted: bool = False

    def observe(self, phase: str, done: int, total: int, at: float) -> None:
        """Take the next progress."""
        pace = self.current
        if pace is None or pace.phase != phase or self._interrupted or done < pace.done:
            self.current = self._newest[phase] = Pace(phase, done, total, at, self._known(phase))
        else:
            pace.observe(done, total, at)
        self._interrupted = False

    def interrupt(self) -> None:
        """What comes next is another attempt's."""
        self._interrupted = True

    def _known(self, phase: str) -> float | None:
        """Its own speed when it was last at work, or that of the side that has answered the same prompts."""
        before = self._newest.get(phase)
        rate = before.seconds_per_unit() if before is not None else None
        return self._known(SIDES[0]) if rate is None and phase == SIDES[1] else rate


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
    measured = pace.remaining_seconds(now) if pace is not None else None
    place, rest = (stage, pace.phase if pace is not None else ""), measured or 0.0
    exact = measured is not None and place in LAST_PHASES
    reaches = exact or (rest > 0 and place[1] in SIDES)  # to the end of the stage, or only to that of the phase
    scale = _scale(stage, elapsed, expected, rest, reaches)
    planned = expected.get(stage, 0.0) * scale - elapsed.get(stage, 0.0)
    if not exact:
        reaches, rest = reaches or planned > rest, max(planned, rest)
    after = sum(expected.get(name, 0.0) for name in later) * scale
    # What a stage that has outlasted its plan still takes is not known, and little where much comes after it.
    whole_run = all(name in expected for name in later) and (reaches or after > elapsed.get(stage, 0.0))
    seconds = rest + after if whole_run else rest
    # Where nothing is known to be left nothing is said: a run that goes on is not at its end.
    return Outlook(seconds, whole_run) if seconds >= LEAST_SECONDS / 2 else Outlook(None, False)


def _scale(
    stage: str, elapsed: Mapping[str, float], expected: Mapping[str, float], rest: float, reaches: bool
) -> float:
    """How many times longer than planned things take, from the finished stages and the current one: that only as far
    as its end is in sight, or it has outlasted its plan."""
    actual = dict(elapsed)
    if stage in actual:
        actual[stage] += rest
        if not reaches and actual[stage] < expected.get(stage, 0.0):
            del actual[stage]
    planned = sum(expected[name] for name in actual if name in expected)
    spent = sum(seconds for name, seconds in actual.items() if name in expected)
    low, high = SCALE_LIMITS
    return min(max(spent / planned, low), high) if planned > 0 else 1.0
