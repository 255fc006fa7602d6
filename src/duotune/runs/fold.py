"""The fold: events in, state out. App, command line, worker and tests share it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pydantic import ConfigDict

from duotune.runs import events as ev
from duotune.runs.eta import Outlook, Paces, outlook
from duotune.runs.state import (
    PHASES,
    Checkpoint,
    ErrorState,
    Progress,
    RunState,
    RunStatus,
    StageState,
    StageStatus,
    Waiting,
    stages_of,
)

EXPECTED_SECONDS = "expected_seconds"
"""Name of the decision in which the plan leaves the seconds that it expects of each stage."""
BEST = "best_validation_loss"
LIFTED = ("dataset", "funnel", "adapter", "evaluation", "published")


class _Draft(RunState):
    """A state that is still being folded: copying a frozen one for each event would take most of the time."""

    model_config = ConfigDict(frozen=False)


@dataclass
class _Stage:
    state: StageStatus = "pending"
    worked: float = 0.0
    started_at: float | None = None
    finished_at: float | None = None
    running_since: float | None = None
    reached: Progress | None = None

    def pause(self, at: float) -> None:
        """Count the time up to `at`; the stage is not being worked on after it."""
        if self.running_since is not None:
            self.worked += max(at - self.running_since, 0.0)
            self.running_since = None
            self.state = "interrupted"

    def seconds(self, now: float) -> float:
        running = 0.0 if self.running_since is None else max(now - self.running_since, 0.0)
        return self.worked + running


class RunFold:
    """A fold in progress: feed it events as they come, ask for the state at any time."""

    def __init__(self) -> None:
        self._state = _Draft()
        self._stages: dict[str, _Stage] = {}
        self._paces = Paces()

    def apply(self, event: ev.Event) -> None:
        """Take the next event."""
        if isinstance(event, ev.RunStarted | ev.RunResumed):
            self._interrupt(self._state.updated_at or event.ts)
            self._take_back()
        self._set(updated_at=event.ts)
        match event:
            case ev.RunCreated():
                self._create(event)
            case ev.RunResumed():
                self._set(state="queued", error=None, finished_at=None, progress=None, waiting_for=None)
            case ev.RunStarted():
                self._start(event)
            case ev.RunQueued():
                self._set(state="queued", waiting_for=Waiting(device=event.device, holder=event.holder))
            case ev.StageStarted():
                self._start_stage(event)
            case ev.ProgressMade():
                self._progress(event)
            case ev.StageFinished():
                self._finish_stage(event)
            case ev.RunFinished() | ev.RunFailedEvent() | ev.RunStopped():
                self._end(event)
            case _:
                self._note(event)

    def state(self, now: float | None = None) -> RunState:
        """The state; `now` (seconds since 1970) makes the times of a live run run, without it they end at the last
        event."""
        at = max(now or 0.0, self._state.updated_at or 0.0)
        left = self._outlook(at)
        return RunState.model_construct(
            **{
                **dict(self._state),
                "stages": [
                    StageState(
                        name=name,
                        state=stage.state,
                        seconds=round(stage.seconds(at), 3),
                        started_at=stage.started_at,
                        finished_at=stage.finished_at,
                        reached=stage.reached,
                    )
                    for name, stage in self._stages.items()
                ],
                "eta_seconds": None if left.seconds is None else round(left.seconds, 1),
                "eta_whole_run": left.whole_run,
            }
        )

    def _set(self, **changes: object) -> None:
        for name, value in changes.items():
            setattr(self._state, name, value)

    def _create(self, event: ev.RunCreated) -> None:
        self._set(run=event.run, name=event.name, kind=event.kind, order=event.order, until=event.until)
        self._set(created_at=event.ts)
        self._stages = {name: _Stage() for name in stages_of(event.kind, event.until)}

    def _start(self, event: ev.RunStarted) -> None:
        started = self._state.started_at or event.ts
        self._set(state="running", attempts=event.attempt, pid=event.pid, started_at=started)
        self._set(error=None, finished_at=None, progress=None, waiting_for=None)

    def _start_stage(self, event: ev.StageStarted) -> None:
        stage = self._stages.setdefault(event.stage, _Stage())
        stage.pause(event.ts)
        if stage.state == "finished":
            stage.reached = None  # what it left behind is gone, so it begins anew
        stage.state, stage.running_since, stage.finished_at = "running", event.ts, None
        stage.started_at = stage.started_at or event.ts
        if self._state.stage != event.stage:
            self._paces = Paces()
        self._set(state="running", stage=event.stage, progress=None, waiting_for=None)

    def _progress(self, event: ev.ProgressMade) -> None:
        progress = Progress(done=event.done, total=event.total, unit=event.unit, phase=event.phase)
        self._set(state="running", progress=progress, waiting_for=None)
        self._paces.observe(event.phase, event.done, event.total, event.ts)
        stage, phases = self._stages.get(self._state.stage or ""), PHASES.get(self._state.stage or "")
        if stage is None or phases is None:
            return
        # A phase that an earlier attempt has completed is told again, and takes nothing back.
        if event.done < event.total or stage.reached is None or _place(phases, event) >= _place(phases, stage.reached):
            stage.reached = progress

    def _take_back(self) -> None:
        """A new attempt takes up what the one before has kept: a training its checkpoint, a merge nothing."""
        train, merge = self._stages.get("train"), self._stages.get("merge")
        if train is not None and train.reached is not None:
            step = self._state.checkpoint.step if self._state.checkpoint is not None else 0
            train.reached = train.reached.model_copy(update={"done": step})
        if merge is not None:
            merge.reached = None

    def _finish_stage(self, event: ev.StageFinished) -> None:
        stage = self._stages.setdefault(event.stage, _Stage())
        stage.pause(event.ts)
        stage.state, stage.finished_at = "finished", event.ts
        stage.started_at = stage.started_at or event.ts
        self._paces = Paces()
        lifted = {key: event.result[key] for key in LIFTED if key in event.result}
        self._set(progress=None, results={**self._state.results, event.stage: event.result}, **lifted)

    def _end(self, event: ev.RunFinished | ev.RunFailedEvent | ev.RunStopped) -> None:
        self._interrupt(event.ts)
        states: dict[str, RunStatus] = {"run_finished": "finished", "run_failed": "failed", "run_stopped": "stopped"}
        error = None
        if isinstance(event, ev.RunFailedEvent):
            error = ErrorState(message=event.message, hint=event.hint, exit_code=event.exit_code)
        self._set(state=states[event.type], error=error, finished_at=event.ts, waiting_for=None)

    def _note(self, event: ev.Event) -> None:
        if isinstance(event, ev.MetricsMeasured):
            self._measure(event)
        elif isinstance(event, ev.CheckpointSaved):
            self._set(checkpoint=Checkpoint(step=event.step, path=event.path))
        elif isinstance(event, ev.DecisionTaken):
            self._set(decisions={**self._state.decisions, event.name: event.value})
        elif isinstance(event, ev.WarningRaised):
            self._set(warnings=[*self._state.warnings, event.message])

    def _measure(self, event: ev.MetricsMeasured) -> None:
        values, known = dict(event.values), self._state.metrics
        loss = values.get("validation_loss", math.nan)
        if loss < known.get(BEST, math.inf):  # which not-a-number is not
            values[BEST] = loss
        measured_at = {**self._state.measured_at, **dict.fromkeys(values, event.step)}
        self._set(step=event.step, metrics={**known, **values}, measured_at=measured_at)

    def _interrupt(self, at: float) -> None:
        self._paces.interrupt()
        for stage in self._stages.values():
            stage.pause(at)

    def _outlook(self, now: float) -> Outlook:
        current = self._stages.get(self._state.stage or "")
        if self._state.state != "running" or current is None:
            return Outlook(None, False)
        elapsed = {name: s.seconds(now) for name, s in self._stages.items() if s.started_at is not None}
        later = [name for name, s in self._stages.items() if s.state == "pending"]
        expected = expected_seconds(self._state)
        stage = "" if current.state == "finished" else self._state.stage or ""  # between two there is none
        return outlook(self._paces.current, now, stage, elapsed, later, expected)


def _place(phases: Sequence[str], at: ev.ProgressMade | Progress) -> int:
    return phases.index(at.phase) if at.phase in phases else len(phases)


def fold(events: Iterable[ev.Event], now: float | None = None) -> RunState:
    """The state after all events; see `RunFold.state` for `now`."""
    folding = RunFold()
    for event in events:
        folding.apply(event)
    return folding.state(now)


def expected_seconds(state: RunState) -> dict[str, float]:
    """Seconds that the plan expected of each stage; empty where it left none."""
    decision = state.decisions.get(EXPECTED_SECONDS)
    if not isinstance(decision, dict):
        return {}
    return {name: float(seconds) for name, seconds in decision.items() if isinstance(seconds, int | float)}
