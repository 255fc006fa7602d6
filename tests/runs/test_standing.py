"""Where a run stands, in words that the command line and the app share."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from duotune.runs.events import (
    CheckpointSaved,
    DecisionTaken,
    Event,
    MetricsMeasured,
    ProgressMade,
    RunCreated,
    RunResumed,
    RunStarted,
    RunStopped,
    StageFinished,
    StageStarted,
)
from duotune.runs.fold import fold
from duotune.runs.standing import left_in_words, measured, progress_in_words, share_of_run, share_of_stage, time_left
from duotune.runs.state import Progress, RunState
from support.runs import at

PLAN = DecisionTaken(name="expected_seconds", value={"prepare": 10, "train": 80, "evaluate": 8, "publish": 2})
HEAD: list[Event] = [RunCreated(run="r1", name="shop"), RunStarted(pid=7, process_start=1, attempt=1), PLAN]
AGAIN: list[Event] = [RunResumed(), RunStarted(pid=8, process_start=1, attempt=2)]


def progress(phase: str, done: int, total: int) -> ProgressMade:
    return ProgressMade(phase=phase, done=done, total=total, unit="steps")


def done(*stages: str) -> list[Event]:
    return [event for name in stages for event in (StageStarted(stage=name), StageFinished(stage=name))]


def checkpoint(step: int) -> CheckpointSaved:
    return CheckpointSaved(step=step, path=f"/c/{step}")


def shares_after(story: Sequence[Event], later: Sequence[Event]) -> list[float]:
    """The share of the run after the story, and after each of the later events."""
    every = at(100, *story, *later)
    return [share_of_run(fold(every[: len(story) + count])) for count in range(len(later) + 1)]


@pytest.mark.parametrize(
    ("seconds", "whole", "column", "words"),
    [
        (720.0, True, "12 min", "12 min left in all"),
        (40.0, False, "> 40 s", "40 s left of this phase"),
        (None, False, "–", "time left unknown"),
    ],
)
def test_the_time_left_says_how_far_it_reaches(seconds: float | None, whole: bool, column: str, words: str) -> None:
    state = RunState(state="running", eta_seconds=seconds, eta_whole_run=whole)
    assert (time_left(state), left_in_words(state)) == (column, words)
    ended = state.model_copy(update={"state": "finished"})
    assert (time_left(ended), left_in_words(ended)) == ("", "")


def test_figures_are_grouped_by_the_step_that_they_were_measured_at() -> None:
    before = MetricsMeasured(step=0, values={"validation_loss": 2.8})
    now = MetricsMeasured(step=2, values={"loss": 2.5, "tokens_per_second": 1234.0})
    state = fold(at(100, *HEAD, before, now))
    assert measured(state) == [
        ("At step 2", "loss 2.500 · 1,234 tokens trained on per second"),
        ("Before training", "validation loss 2.800"),
    ]
    worse = MetricsMeasured(step=3, values={"validation_loss": 2.9})
    assert measured(fold(at(100, *HEAD, before, worse))) == [
        ("At step 3", "validation loss 2.900"),
        ("Before training", "best validation loss 2.800"),
    ]


def test_the_share_of_a_run_counts_stages_by_their_length_and_never_goes_back() -> None:
    story: list[Event] = [
        *HEAD,
        StageStarted(stage="prepare"),
        progress("read", 1, 1),
        progress("tokenize", 0, 1),
        StageFinished(stage="prepare"),
        StageStarted(stage="train"),
        progress("train", 20, 40),
        checkpoint(20),
        RunStopped(),
        *AGAIN,
        StageStarted(stage="train"),
        progress("train", 20, 40),
        StageFinished(stage="train"),
        StageStarted(stage="evaluate"),
        progress("base", 0, 4),
        progress("base", 4, 4),
        progress("adapter", 2, 4),
        RunStopped(),
        *AGAIN,
        StageStarted(stage="evaluate"),
        progress("base", 4, 4),
        progress("adapter", 2, 4),
        progress("score", 0, 4),
        StageFinished(stage="evaluate"),
        StageStarted(stage="publish"),
        StageFinished(stage="publish"),
    ]
    shares = [share_of_run(fold(at(100, *story[:length]))) for length in range(1, len(story) + 1)]
    assert shares == sorted(shares)
    assert shares[story.index(progress("train", 20, 40))] == pytest.approx(0.5)
    assert shares[story.index(progress("adapter", 2, 4))] == pytest.approx(0.96)
    assert shares[-1] == 1.0
    without_a_plan = share_of_run(fold(at(100, *HEAD[:2], *story[3 : story.index(RunStopped())])))
    assert without_a_plan == pytest.approx(0.25 + 0.125)


def test_a_training_that_resumes_goes_back_to_its_checkpoint_and_no_further() -> None:
    killed = [*HEAD, *done("prepare"), StageStarted(stage="train"), progress("train", 0, 40), progress("train", 20, 40)]
    killed += [checkpoint(20), progress("train", 36, 40)]
    resumed = [*AGAIN, StageStarted(stage="train"), progress("train", 20, 40)]
    assert shares_after(killed, resumed) == pytest.approx([0.82, *[0.5] * 4])
    unsaved = [event for event in killed if event.type != "checkpoint_saved"]
    assert shares_after(unsaved, resumed[:3])[1:] == pytest.approx([0.1] * 3)


def test_a_finished_training_that_is_done_again_begins_anew() -> None:
    story = [*HEAD, *done("prepare"), StageStarted(stage="train"), progress("train", 40, 40), checkpoint(40)]
    story += [StageFinished(stage="train"), RunStopped()]
    again = [*AGAIN, StageStarted(stage="train"), progress("train", 4, 40)]
    assert shares_after(story, again)[2:] == pytest.approx([0.9, 0.1, 0.18])


def test_an_evaluation_that_resumes_goes_back_only_where_answers_are_lost() -> None:
    story = [*HEAD, *done("prepare", "train"), StageStarted(stage="evaluate"), progress("base", 4, 4)]
    story += [progress("adapter", 2, 4), RunStopped()]
    resumed = [*AGAIN, StageStarted(stage="evaluate"), progress("base", 4, 4), progress("adapter", 0, 4)]
    assert shares_after(story, resumed) == pytest.approx([*[0.96] * 5, 0.94])
    assert shares_after(story, [*resumed[:3], progress("base", 1, 4)])[-1] == pytest.approx(0.91)


def test_a_merge_that_resumes_begins_anew() -> None:
    merge: list[Event] = [RunCreated(run="r1", name="shop", kind="merge"), HEAD[1], StageStarted(stage="merge")]
    merge += [progress("check", 4, 4), progress("fold", 4, 4), RunStopped()]
    again = [*AGAIN, StageStarted(stage="merge"), progress("check", 2, 4)]
    assert shares_after(merge, again) == pytest.approx([2 / 3, 0, 0, 0, 1 / 6])


def test_without_a_plan_seconds_say_nothing_of_a_stage() -> None:
    story = at(100, *HEAD[:2], StageStarted(stage="prepare"), progress("read", 1, 4))
    state = fold(story, now=160.0)
    assert state.stages[0].seconds == pytest.approx(58.0)
    assert (share_of_stage(state, state.stages[0]), share_of_run(state)) == (0.0, 0.0)


def test_phases_of_the_evaluation_say_whose_answers_they_are() -> None:
    state = RunState(progress=Progress(done=16, total=160, unit="items", phase="base"))
    assert progress_in_words(state) == "base model answers 16/160 items"
