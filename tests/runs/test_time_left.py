"""How long a run still takes, from its events: never nothing while it goes on."""

from __future__ import annotations

import pytest

from duotune.runs.events import (
    DecisionTaken,
    Event,
    ProgressMade,
    RunCreated,
    RunResumed,
    RunStarted,
    RunStopped,
    StageFinished,
    StageStarted,
)
from duotune.runs.fold import fold
from support.runs import timed

Timeline = list[tuple[float, Event]]

CREATED = RunCreated(run="r1", name="shop")
STARTED = RunStarted(pid=7, process_start=1, attempt=1)
HEAD: Timeline = [(0.0, CREATED), (0.0, STARTED), (0.0, StageStarted(stage="train"))]


def train_progress(done: int, total: int = 100) -> ProgressMade:
    return ProgressMade(phase="train", done=done, total=total, unit="step")


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
