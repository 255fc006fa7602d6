"""A run's state follows from its events alone."""

from __future__ import annotations

import json
import math

import pytest

from duotune.runs.events import (
    CheckpointSaved,
    DecisionTaken,
    Event,
    MetricsMeasured,
    ProgressMade,
    RunCreated,
    RunFailedEvent,
    RunFinished,
    RunQueued,
    RunResumed,
    RunStarted,
    RunStopped,
    StageFinished,
    StageStarted,
    WarningRaised,
)
from duotune.runs.fold import RunFold, fold
from support.runs import at, timed

CREATED = RunCreated(run="r1", name="shop")
STARTED = RunStarted(pid=7, process_start=1, attempt=1)


def test_life_of_a_run_from_queue_to_end() -> None:
    folding = RunFold()
    seen = []
    story: list[Event] = [
        CREATED,
        STARTED,
        RunQueued(device="GPU-1", holder="r0"),
        StageStarted(stage="prepare"),
        RunStopped(),
        RunResumed(),
        STARTED.model_copy(update={"attempt": 2}),
        RunFailedEvent(message="Out of memory.", hint="Take a shorter sequence.", exit_code=3),
        RunResumed(),
        STARTED.model_copy(update={"attempt": 3}),
        RunFinished(),
    ]
    for event in at(100, *story):
        folding.apply(event)
        seen.append(folding.state().state)
    assert seen == [
        "queued", "running", "queued", "running", "stopped", "queued", "running", "failed", "queued", "running",
        "finished",
    ]  # fmt: skip
    assert folding.state().attempts == 3


def test_what_stages_leave_behind_is_lifted_into_the_state() -> None:
    state = fold(
        at(
            100,
            CREATED,
            STARTED,
            StageStarted(stage="prepare"),
            StageFinished(stage="prepare", result={"dataset": "/d/1", "rows": 5}),
            StageStarted(stage="train"),
            StageFinished(stage="train", result={"adapter": "/r/adapter"}),
            StageFinished(stage="evaluate", result={"evaluation": {"verdict": "better"}}),
            StageFinished(stage="publish", result={"published": {"name": "shop.v1"}}),
            RunFinished(),
        )
    )
    assert (state.dataset, state.adapter) == ("/d/1", "/r/adapter")
    assert state.evaluation == {"verdict": "better"}
    assert state.published == {"name": "shop.v1"}
    assert state.results["prepare"]["rows"] == 5
    assert [(s.name, s.state) for s in state.stages] == [
        (name, "finished") for name in ("prepare", "train", "evaluate", "publish")
    ]


def test_failure_carries_its_sentences_and_resuming_clears_them() -> None:
    story: list[Event] = [CREATED, STARTED, RunFailedEvent(message="Disk full.", hint="Free some.", exit_code=3)]
    failed = fold(at(100, *story))
    assert failed.error is not None
    assert (failed.error.message, failed.error.hint, failed.error.exit_code) == ("Disk full.", "Free some.", 3)
    assert fold(at(100, *story, RunResumed())).error is None


def test_queued_run_names_what_it_waits_for() -> None:
    state = fold(at(100, CREATED, STARTED, RunQueued(device="GPU-1", holder="r0")))
    assert state.waiting_for is not None
    assert (state.waiting_for.device, state.waiting_for.holder) == ("GPU-1", "r0")


def test_until_shortens_the_list_of_stages() -> None:
    state = fold(at(100, CREATED.model_copy(update={"until": "train"})))
    assert [s.name for s in state.stages] == ["prepare", "train"]


def test_metrics_keep_the_latest_and_the_best() -> None:
    losses = [2.0, math.nan, 1.5, 1.7]
    events = [MetricsMeasured(step=i, values={"loss": 3.0 - i, "validation_loss": x}) for i, x in enumerate(losses)]
    state = fold(at(100, CREATED, *events))
    assert state.step == 3
    assert state.metrics == {"loss": 0.0, "validation_loss": 1.7, "best_validation_loss": 1.5}
    assert state.measured_at == {"loss": 3, "validation_loss": 3, "best_validation_loss": 2}


def test_each_figure_keeps_the_step_that_it_was_measured_at() -> None:
    before = MetricsMeasured(step=0, values={"validation_loss": 2.8})
    state = fold(at(100, CREATED, before, *(MetricsMeasured(step=i, values={"loss": 2.0}) for i in (1, 2))))
    assert state.measured_at == {"loss": 2, "validation_loss": 0, "best_validation_loss": 0}


def test_state_is_valid_json_even_when_a_loss_is_not_a_number() -> None:
    state = fold(at(100, CREATED, MetricsMeasured(step=1, values={"loss": math.nan})))

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    assert json.loads(state.model_dump_json(), parse_constant=refuse)["metrics"]["loss"] is None


def test_decisions_warnings_and_the_newest_checkpoint_are_kept() -> None:
    state = fold(
        at(
            100,
            CREATED,
            DecisionTaken(name="micro_batch", value=4),
            DecisionTaken(name="micro_batch", value=2),
            WarningRaised(message="slow disk"),
            CheckpointSaved(step=10, path="/c/10"),
            CheckpointSaved(step=20, path="/c/20"),
        )
    )
    assert state.decisions == {"micro_batch": 2}
    assert state.warnings == ["slow disk"]
    assert state.checkpoint is not None
    assert state.checkpoint.step == 20


def test_seconds_of_a_stage_leave_out_the_time_between_attempts() -> None:
    state = fold(
        timed(
            [
                (0, CREATED),
                (0, STARTED),
                (10, StageStarted(stage="prepare")),
                (30, ProgressMade(phase="combine", done=1, total=2, unit="row")),
                (5000, RunResumed()),  # killed after the progress
                (5001, STARTED),
                (5002, StageStarted(stage="prepare")),
                (5012, StageFinished(stage="prepare")),
            ]
        )
    )
    assert state.stages[0].seconds == pytest.approx(30.0)
