"""A run's curves: small however long the run is, right after a resume, from one reading of the journal."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from duotune.runs.directory import create_run
from duotune.runs.events import Event, MetricsMeasured, RunResumed, RunStarted, StageStarted
from duotune.runs.history import MOST_BUCKETS, Curve, History, RunFollower
from duotune.runs.journal import Journal, read_batches, read_events
from duotune.runs.log_tail import MOST_LINES, LogTail
from support.runs import run_config, timed


def measured(step: int, **values: float) -> MetricsMeasured:
    return MetricsMeasured(step=step, values=values)


def heard(pairs: list[tuple[float, Event]]) -> History:
    history = History()
    for event in timed(pairs):
        history.hear(event)
    return history


def test_curve_of_a_long_run_stays_small_and_keeps_every_extreme_and_the_mean() -> None:
    curve = Curve()
    values = [math.sin(step / 700) + (9.0 if step == 54_321 else 0.0) for step in range(90_000)]
    for step, value in enumerate(values):
        curve.add(step, step / 60, value)
    buckets = curve.buckets()
    assert MOST_BUCKETS // 2 <= len(buckets) <= MOST_BUCKETS
    assert sum(bucket.points for bucket in buckets) == 90_000
    assert max(bucket.high for bucket in buckets) == max(values)
    assert min(bucket.low for bucket in buckets) == min(values)
    assert sum(bucket.total for bucket in buckets) == pytest.approx(sum(values))
    assert [bucket.step for bucket in buckets] == sorted(bucket.step for bucket in buckets)


def test_steps_done_again_after_a_resume_replace_what_was_lost() -> None:
    history = heard(
        [
            (0, RunStarted(pid=1, process_start=1, attempt=1)),
            (0, StageStarted(stage="train")),
            *[(60.0 * step, measured(step, loss=4.0 - step)) for step in (1, 2, 3)],
            (9_000, RunResumed()),
            (9_001, RunStarted(pid=2, process_start=1, attempt=2)),
            (9_001, StageStarted(stage="train")),
            (9_061, measured(2, loss=1.5)),
        ]
    )
    assert [(bucket.step, bucket.mean) for bucket in history.buckets("loss")] == [(1, 3.0), (2, 1.5)]
    assert history.buckets("loss")[-1].minutes == pytest.approx(4.0), "the pause between attempts is no work"


def test_values_that_are_no_numbers_are_no_points() -> None:
    history = heard([(1, measured(1, loss=math.nan)), (2, measured(2, loss=2.0, other=math.inf))])
    assert history.names() == {"loss"}
    assert [bucket.mean for bucket in history.buckets("loss")] == [2.0]
    assert history.buckets("never measured") == ()


def test_follower_tells_state_and_history_and_reads_what_is_new_alone() -> None:
    run = create_run(run_config())
    follower = RunFollower(run.path)
    with Journal(run.journal_file) as journal:
        journal.append(RunStarted(pid=1, process_start=1, attempt=1))
        journal.append(StageStarted(stage="train"))
        journal.append(measured(1, loss=3.0))
        assert follower.read().metrics == {"loss": 3.0}
        journal.append(measured(2, loss=2.5))
    assert follower.read().step == 2
    assert [bucket.step for bucket in follower.history.buckets("loss")] == [1, 2]


def test_long_journal_comes_in_batches_that_say_how_far_they_are() -> None:
    run = create_run(run_config())
    line = b'{"v":1,"seq":2,"ts":1.0,"type":"metrics","step":%d,"values":{"loss":2.0}}\n'
    with run.journal_file.open("ab") as file:
        file.writelines(line % step for step in range(1, 5_001))
    follower = RunFollower(run.path)
    shares = list(follower.catch_up())
    assert len(shares) > 3
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert follower.read().step == 5_000


def test_batches_hold_every_line_once_and_leave_a_torn_one(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    long = '{"v":1,"seq":1,"ts":1.0,"type":"warning","message":"' + "x" * 300 + '"}\n'
    file.write_text(long * 5 + "no event\n" + long[:100])
    batches = list(read_batches(file, batch_bytes=64))
    assert sum(len(batch.events) for batch in batches) == 5
    assert sum(batch.skipped for batch in batches) == 1
    assert batches[-1].offset == len(long) * 5 + len("no event\n")
    assert read_events(file).offset == batches[-1].offset
    assert list(read_batches(file, batches[-1].offset)) == []


def test_log_tail_reads_the_end_of_a_huge_log_and_then_what_is_new(tmp_path: Path) -> None:
    file = tmp_path / "worker.log"
    tail = LogTail(file)
    assert tail.read() == []
    file.write_text("".join(f"line {number} {'x' * 200}\n" for number in range(50_000)))
    lines = tail.read()
    assert len(lines) == MOST_LINES
    assert lines[-1].startswith("line 49999 ")
    with file.open("a") as stream:
        stream.write("new\ntorn")
    assert tail.read() == ["new"]
    with file.open("a") as stream:
        stream.write(" no more\n")
    assert tail.read() == ["torn no more"]


def test_log_tail_begins_again_with_a_log_that_was_begun_anew(tmp_path: Path) -> None:
    file = tmp_path / "worker.log"
    file.write_text("old\n" * 9)
    tail = LogTail(file)
    tail.read()
    file.write_text("fresh\n")
    assert tail.read() == ["fresh"]


def test_log_tail_shows_control_characters_escaped_and_long_lines_cut(tmp_path: Path) -> None:
    file = tmp_path / "worker.log"
    file.write_bytes(b"\x1b[31mred\x1b[0m \xff\r\n\tin\n" + b"y" * 100_000 + b"\n")
    red, indented, long = LogTail(file).read()
    assert red == "\\x1b[31mred\\x1b[0m \ufffd"
    assert indented == "    in"
    assert len(long) < 2_010
