"""SIGKILL at any moment, in any stage, then resume: the adapter is byte-equal to that of an undisturbed run."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from duotune.config.run import RunConfig
from duotune.runs.directory import RunDirectory, create_run
from duotune.runs.events import (
    CheckpointSaved,
    Event,
    MetricsMeasured,
    ProgressMade,
    RunStarted,
    StageFinished,
    StageStarted,
)
from duotune.runs.journal import read_events
from duotune.runs.state import RunState
from support.projects import make_project, small_run
from support.workers import start_worker, wait_for_event

Moment = Callable[[Event], bool]


def finish(run: RunDirectory) -> RunState:
    """Let a worker go on to the end."""
    code = start_worker(run).wait(timeout=240)
    assert code == 0, run.log_file.read_text()[-3000:]
    state = run.state()
    assert state.state == "finished"
    return state


def kill_at(run: RunDirectory, moment: Moment) -> None:
    """Start a worker and kill it with SIGKILL as soon as its journal shows the moment."""
    offset = read_events(run.journal_file).offset
    worker = start_worker(run)
    wait_for_event(run, moment, worker, offset)
    os.killpg(worker.pid, signal.SIGKILL)
    worker.wait()


def begun(stage: str) -> Moment:
    return lambda event: isinstance(event, StageStarted) and event.stage == stage


def ended(stage: str) -> Moment:
    return lambda event: isinstance(event, StageFinished) and event.stage == stage


def progressed(phase: str, at_least: int) -> Moment:
    return lambda event: isinstance(event, ProgressMade) and event.phase.startswith(phase) and event.done >= at_least


def saved(step: int) -> Moment:
    return lambda event: isinstance(event, CheckpointSaved) and event.step >= step


MOMENTS: list[Moment] = [
    lambda event: isinstance(event, RunStarted),
    begun("prepare"),
    progressed("read", 1),
    progressed("combine", 1),
    ended("prepare"),
    begun("train"),
    lambda event: isinstance(event, MetricsMeasured),
    saved(2),
    saved(6),
    ended("train"),
    begun("evaluate"),
    progressed("adapter", 1),
    ended("evaluate"),
    begun("publish"),
]


def files_of(directory: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted(directory.iterdir())}


def test_killed_at_a_dozen_events_the_adapter_is_byte_equal(
    tmp_path: Path, micro_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config: RunConfig = small_run(make_project(tmp_path / "code"), micro_model)
    undisturbed = finish(create_run(config))
    assert undisturbed.adapter is not None
    monkeypatch.setenv("DUOTUNE_HOME", str(tmp_path / "another-home"))
    run = create_run(config)
    for moment in MOMENTS:
        kill_at(run, moment)
        assert run.state().state == "lost"
    resumed = finish(run)
    assert resumed.attempts == len(MOMENTS) + 1
    assert resumed.adapter is not None
    assert files_of(Path(resumed.adapter)) == files_of(Path(undisturbed.adapter))
    assert resumed.evaluation == undisturbed.evaluation
