"""What a log of a run shows: each line once, and only what is new."""

from __future__ import annotations

import pytest

from duotune.cli import watch
from duotune.runs.events import ProgressMade, RunCreated, RunStarted, StageStarted
from duotune.runs.fold import fold
from duotune.runs.state import Progress, RunState, StageState
from support.runs import at


def state(stage: str, done: int | None, left: float) -> RunState:
    progress = None if done is None else Progress(done=done, total=9, unit="steps", phase="train")
    return RunState(
        state="running",
        stage="train",
        stages=[StageState.model_validate({"name": "train", "state": stage, "seconds": 5})],
        progress=progress,
        eta_seconds=left,
    )


def test_a_resumed_stage_shows_no_figures_of_the_attempt_before() -> None:
    metrics = {"loss": 2.953, "validation_loss": 2.882}
    resumed = state("running", None, 9).model_copy(update={"metrics": metrics})
    assert watch._detail(resumed, resumed.stages[0]) == "starting"
    measured_at = {"loss": 3, "validation_loss": 0}
    going_on = state("running", 3, 9).model_copy(update={"metrics": metrics, "measured_at": measured_at, "step": 3})
    assert watch._detail(going_on, going_on.stages[0]) == "train 3/9 steps · loss 2.953 · validation 2.882 (step 0)"


def test_a_line_is_told_again_only_when_more_than_the_time_left_has_changed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(watch, "SECONDS_BETWEEN_LINES", -1.0)
    lines = watch._Lines()
    for one in (
        state("pending", None, 900),
        state("running", None, 900),
        state("running", None, 800),
        state("running", 3, 700),
        state("running", 3, 600),
        state("running", 4, 500),
        state("finished", None, 0),
        state("finished", None, 0),
    ):
        lines.update(one)
    told = [line.partition(" ·")[0] for line in capsys.readouterr().err.splitlines()]
    assert told == ["train: starting", "train: train 3/9 steps", "train: train 4/9 steps", "train: done in 5 s"]


def test_the_bar_of_the_only_stage_is_as_long_as_that_of_the_whole_run() -> None:
    answering = at(
        100,
        RunCreated(run="r1", name="shop", kind="evaluate"),
        RunStarted(pid=7, process_start=1, attempt=1),
        StageStarted(stage="evaluate"),
        ProgressMade(phase="base", done=4, total=4, unit="items"),
        ProgressMade(phase="adapter", done=1, total=4, unit="items"),
    )
    bars = watch._Bars()
    bars.update(fold(answering))
    assert {task.description: task.completed for task in bars._progress.tasks} == {"evaluate": 0.625, "all": 0.625}
