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

Timeline = list[tuple[float, Event]]

CREATED = RunCreated(run="r1", name="shop")
STARTED = RunStarted(pid=7, process_start=1, attempt=1)
HEAD: Timeline = [(0.0, CREATED), (0.0, STARTED), (0.0, StageStarted(stage="train"))]


def train_progress(done: int, total: int = 100) -> ProgressMade:
    return ProgressMade(phase="train", done=done, total=total, unit="step")


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


def test_eta_follows_the_pace_of_the_phase() -> None:
    steps: Timeline = [(10.0 + 2 * i, train_progress(i)) for i in range(11)]
    events = timed([*HEAD, *steps])
    assert fold(events, now=30.0).eta_seconds == pytest.approx(180.0)
    assert fold(events, now=31.0).eta_seconds == pytest.approx(179.0)


def test_eta_right_after_a_resume_is_not_flattered_by_what_was_done_before() -> None:
    before: Timeline = [(10.0 * i, train_progress(i)) for i in range(51)]
    after: Timeline = [(9000.0, RunResumed()), (9001.0, STARTED), (9002.0, StageStarted(stage="train"))]
    resumed: Timeline = [(9010.0, train_progress(50)), (9020.0, train_progress(51))]
    events = timed([*HEAD, *before, *after, *resumed])
    assert fold(events, now=9020.0).eta_seconds == pytest.approx(490.0)


def test_eta_just_after_a_resume_uses_the_pace_of_the_attempt_before() -> None:
    before: Timeline = [(10.0 * i, train_progress(i)) for i in range(51)]
    after: Timeline = [(9000.0, RunResumed()), (9001.0, STARTED), (9002.0, StageStarted(stage="train"))]
    first: Timeline = [(9010.0, train_progress(50))]
    events = timed([*HEAD, *before, *after, *first])
    assert fold(events, now=9010.0).eta_seconds == pytest.approx(500.0)


def test_eta_ignores_one_suspended_hour_but_counts_recurring_validations() -> None:
    suspended: Timeline = [(i + (3600.0 if i > 30 else 0.0), train_progress(i)) for i in range(51)]
    assert fold(timed([*HEAD, *suspended]), now=3650.0).eta_seconds == pytest.approx(50.0)
    validating: Timeline = [(i + 20.0 * (i // 10), train_progress(i)) for i in range(51)]
    assert fold(timed([*HEAD, *validating]), now=150.0).eta_seconds == pytest.approx(150.0)


def test_eta_adds_the_later_stages_as_the_plan_has_held_so_far() -> None:
    expected = DecisionTaken(
        name="expected_seconds", value={"prepare": 10.0, "train": 100.0, "evaluate": 50.0, "publish": 5.0}
    )
    events = timed(
        [
            (0, CREATED),
            (0, STARTED),
            (0, expected),
            (0, StageStarted(stage="prepare")),
            (20, StageFinished(stage="prepare")),
            (20, StageStarted(stage="train")),
            (20, train_progress(0)),
            (120, train_progress(50)),
        ]
    )
    state = fold(events, now=120.0)
    assert state.eta_seconds == pytest.approx(100 + (50 + 5) * 2)  # everything takes twice what was planned
    assert state.eta_whole_run


def test_eta_is_unknown_until_something_is_known_and_says_how_far_it_reaches() -> None:
    assert fold(timed(HEAD), now=5.0).eta_seconds is None
    only_phase = fold(timed([*HEAD, (0.0, train_progress(0)), (10.0, train_progress(50))]), now=10.0)
    assert only_phase.eta_seconds == pytest.approx(10.0)
    assert not only_phase.eta_whole_run
    assert fold(timed([*HEAD, (9.0, RunStopped())]), now=10.0).eta_seconds is None


PLAN = DecisionTaken(name="expected_seconds", value={"prepare": 10.0, "train": 100.0, "evaluate": 20.0, "publish": 2.0})
TRAINED: Timeline = [
    (0.0, CREATED),
    (0.0, STARTED),
    (0.0, PLAN),
    (0.0, StageStarted(stage="prepare")),
    (10.0, StageFinished(stage="prepare")),
    (10.0, StageStarted(stage="train")),
    (110.0, StageFinished(stage="train")),
    (110.0, StageStarted(stage="evaluate")),
]


def items(phase: str, done: int, total: int = 160) -> ProgressMade:
    return ProgressMade(phase=phase, done=done, total=total, unit="items")


def left(timeline: Timeline, now: float) -> tuple[float | None, bool]:
    state = fold(timed(timeline), now)
    return state.eta_seconds, state.eta_whole_run


def test_an_evaluation_that_outlasts_its_plan_before_it_answers_has_no_time_left_to_tell() -> None:
    assert left(TRAINED, 112.0) == (20.0, True), "the plan's word, until there is a better one"
    begun: Timeline = [*TRAINED, (115.0, items("base", 0))]
    assert left(begun, 131.0) == (None, False), "not the two seconds of what comes after it"


def test_the_time_of_an_evaluation_is_that_of_both_sides() -> None:
    base: Timeline = [*TRAINED, (115.0, items("base", 0)), (135.0, items("base", 40))]
    assert left(base, 135.0)[1]
    assert (left(base, 135.0)[0] or 0.0) >= 60 + 80
    adapter: Timeline = [*base, (195.0, items("base", 160)), (195.0, items("adapter", 0))]
    assert (left(adapter, 195.0)[0] or 0.0) >= 80, "the base model's speed, until there is one of its own"
    done: Timeline = [*adapter, (275.0, items("adapter", 160))]
    assert left(done, 276.0) == (None, False), "nobody knows how long scores and the contract take"


def test_a_resumed_evaluation_knows_the_speed_of_the_side_that_was_answering() -> None:
    stopped: Timeline = [
        *TRAINED,
        (115.0, items("base", 0)),
        (195.0, items("base", 160)),
        (195.0, items("adapter", 0)),
        (355.0, items("adapter", 80)),
        (356.0, RunStopped()),
        (9000.0, RunResumed()),
        (9001.0, STARTED),
        (9002.0, StageStarted(stage="evaluate")),
        (9010.0, items("base", 160)),
        (9010.0, items("adapter", 80)),
    ]
    seconds, whole = left(stopped, 9010.0)
    assert whole
    assert 160 <= (seconds or 0.0) < 180, "80 answers of two seconds each, and what comes after them"


def test_a_merge_whose_proof_begins_has_no_time_left_to_tell() -> None:
    merge: Timeline = [
        (0.0, CREATED.model_copy(update={"kind": "merge"})),
        (0.0, STARTED),
        (0.0, DecisionTaken(name="expected_seconds", value={"merge": 1.0})),
        (0.0, StageStarted(stage="merge")),
        (2.0, ProgressMade(phase="fold", done=6, total=6, unit="bytes")),
        (3.0, ProgressMade(phase="prove", done=0, total=16, unit="answers")),
    ]
    assert left(merge[:-1], 2.5) == (None, False)
    assert left(merge, 8.0) == (None, False)
    assert left([*merge, (10.0, ProgressMade(phase="prove", done=4, total=16, unit="answers"))], 10.0) == (21.0, True)


def test_a_preparation_that_outlasts_its_plan_still_tells_of_the_long_stages_after_it() -> None:
    reading: Timeline = [*TRAINED[:4], (5.0, ProgressMade(phase="read shop", done=1, total=1, unit="bytes"))]
    seconds, whole = left(reading, 12.0)
    assert whole
    assert (seconds or 0.0) >= 122


def test_a_fast_first_phase_does_not_make_the_whole_run_look_short() -> None:
    first: Timeline = [
        *TRAINED[:4],
        (1.0, ProgressMade(phase="read shop", done=1, total=2, unit="bytes")),
        (1.5, ProgressMade(phase="read shop", done=2, total=2, unit="bytes")),
    ]
    assert (left(first, 1.5)[0] or 0.0) >= 122


STAGE_NAMES = ["prepare", "train", "evaluate", "publish"]


@pytest.mark.parametrize("stage", STAGE_NAMES)
def test_a_run_that_goes_on_is_never_at_its_end(stage: str) -> None:
    begun: Timeline = [(0.0, CREATED.model_copy(update={"until": stage})), (0.0, STARTED), (0.0, PLAN)]
    begun += [(0.0, StageFinished(stage=name)) for name in STAGE_NAMES[: STAGE_NAMES.index(stage)]]
    begun.append((0.0, StageStarted(stage=stage)))
    for story in (begun, [*begun, (1.0, items("phase", 0))], [*begun, (1.0, items("phase", 160))]):
        for now in (1.0, 50.0, 3000.0):
            seconds, _ = left(story, now)
            assert seconds is None or seconds >= 0.5
