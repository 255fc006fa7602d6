"""The journal survives crashes, full disks and newer writers."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from duotune.errors import HostError
from duotune.runs.events import (
    DecisionTaken,
    MetricsMeasured,
    ProgressMade,
    RunFailedEvent,
    RunFinished,
    StageStarted,
    WarningRaised,
)
from duotune.runs.journal import Journal, read_events
from duotune.runs.reporter import JournalReporter

WRITER = """
import os, signal, sys
from pathlib import Path
from duotune.runs.events import WarningRaised
from duotune.runs.journal import Journal
journal = Journal(Path(sys.argv[1]))
journal.append(WarningRaised(message="whole"))
os.write(journal._fd, b'{"v":1,"seq":2,"ts":1.0,"type":"warn')
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "events.jsonl"


def test_events_come_back_numbered_timed_and_equal(file: Path) -> None:
    with Journal(file, clock=lambda: 12.3456) as journal:
        journal.append(StageStarted(stage="prepare"))
        journal.append(MetricsMeasured(step=3, values={"loss": float("nan"), "learning_rate": 2e-4}))
    first, second = read_events(file).events
    assert (first.seq, first.ts) == (1, 12.346)
    assert isinstance(second, MetricsMeasured)
    assert second.values["loss"] != second.values["loss"]
    assert second.values["learning_rate"] == 2e-4


def test_reader_continues_where_it_left_and_waits_for_a_whole_line(file: Path) -> None:
    journal = Journal(file)
    journal.append(StageStarted(stage="prepare"))
    first = read_events(file)
    with file.open("ab") as stream:
        stream.write(b'{"v":1,"seq":2,"ts":1.0,"type":"warning","mess')
    torn = read_events(file, first.offset)
    assert (torn.events, torn.offset) == ([], first.offset)
    with file.open("ab") as stream:
        stream.write(b'age":"late"}\n')
    assert [e.type for e in read_events(file, torn.offset).events] == ["warning"]


def test_writer_killed_in_the_middle_of_a_line_leaves_a_journal_that_goes_on(file: Path) -> None:
    killed = subprocess.run([sys.executable, "-c", WRITER, str(file)], check=False)
    assert killed.returncode == -signal.SIGKILL
    with Journal(file) as journal:
        journal.append(RunFinished())
    reading = read_events(file)
    assert [(e.type, e.seq) for e in reading.events] == [("warning", 1), ("run_finished", 2)]
    assert reading.skipped == 1


def test_event_types_of_newer_versions_are_skipped(file: Path) -> None:
    file.write_text('{"v":9,"seq":1,"ts":1.0,"type":"from_the_future"}\n')
    with Journal(file) as journal:
        journal.append(RunFinished())
    reading = read_events(file)
    assert [e.type for e in reading.events] == ["run_finished"]
    assert reading.skipped == 1


def test_full_disk_is_a_sentence_and_leaves_whole_lines(file: Path) -> None:
    """A file size limit cuts a write short exactly as a full disk does."""
    script = """
import resource, sys
from pathlib import Path
from duotune.errors import HostError
from duotune.runs.events import WarningRaised
from duotune.runs.journal import Journal
journal = Journal(Path(sys.argv[1]))
journal.append(WarningRaised(message="fits"))
resource.setrlimit(resource.RLIMIT_FSIZE, (200, 200))
try:
    journal.append(WarningRaised(message="x" * 500))
except HostError as error:
    print(error.message)
"""
    done = subprocess.run([sys.executable, "-c", script, str(file)], check=True, capture_output=True, text=True)
    assert "No space is left" in done.stdout
    assert file.read_bytes().endswith(b"\n")
    assert len(read_events(file).events) == 1


def _fill(journal: Journal) -> None:
    for _ in range(100):
        journal.append(WarningRaised(message="x" * 2000))


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small tmpfs needs root")
def test_run_can_still_say_why_it_ended_on_a_really_full_disk(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)], check=False).returncode:
        pytest.skip("mounting a tmpfs is not permitted here")
    try:
        file = disk / "events.jsonl"
        with Journal(file) as journal:
            with pytest.raises(HostError, match="No space is left"):
                _fill(journal)
            journal.append(RunFailedEvent(message="No space is left.", exit_code=3))
        reading = read_events(file)
        assert reading.events[-1].type == "run_failed"
        assert reading.skipped == 0
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_failed_write_that_cannot_be_taken_back_starts_a_fresh_line(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(file)
    real_write = os.write

    def half(fd: int, data: bytes) -> int:
        return real_write(fd, data[:10])

    def refuse(fd: int, size: int) -> None:
        raise OSError(errno.EIO, "broken")

    monkeypatch.setattr(os, "write", half)
    monkeypatch.setattr(os, "ftruncate", refuse)
    with pytest.raises(HostError):
        journal.append(WarningRaised(message="cut"))
    monkeypatch.undo()
    journal.append(RunFinished())
    assert [e.type for e in read_events(file).events] == ["run_finished"]


def test_vanished_run_directory_is_an_error_for_writer_and_reader(file: Path) -> None:
    journal = Journal(file)
    journal.append(StageStarted(stage="prepare"))
    file.unlink()
    with pytest.raises(HostError, match="is gone"):
        journal.append(RunFinished())
    with pytest.raises(HostError, match="is gone"):
        read_events(file)


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_reporter_writes_first_and_last_progress_and_one_a_second_between(file: Path) -> None:
    clock = Clock()
    reporter = JournalReporter(Journal(file), {}, threading.Event(), clock)
    for done in range(101):
        reporter.progress("train", done, 100, "step")
        clock.now += 0.1
    reporter.progress("train", 100, 100, "step")
    written = [e.done for e in read_events(file).events if isinstance(e, ProgressMade)]
    assert written[0] == 0
    assert written[-1] == 100
    assert len(written) <= 13


def test_reporter_flushes_what_it_held_back_when_the_phase_changes(file: Path) -> None:
    reporter = JournalReporter(Journal(file), {}, threading.Event(), Clock())
    reporter.progress("read a", 0, 10, "file")
    reporter.progress("read a", 7, 10, "file")
    reporter.progress("combine", 0, 3, "row")
    written = [(e.phase, e.done) for e in read_events(file).events if isinstance(e, ProgressMade)]
    assert written == [("read a", 0), ("read a", 7), ("combine", 0)]


def test_validation_loss_is_never_throttled(file: Path) -> None:
    reporter = JournalReporter(Journal(file), {}, threading.Event(), Clock())
    for step in range(5):
        reporter.metrics(step, {"loss": 1.0})
        reporter.metrics(step, {"validation_loss": 2.0}, always=True)
    reporter.flush()
    events = [e for e in read_events(file).events if isinstance(e, MetricsMeasured)]
    assert [e.step for e in events if "validation_loss" in e.values] == [0, 1, 2, 3, 4]
    assert [e.step for e in events if "loss" in e.values] == [0, 4]


def test_decision_survives_into_the_next_attempt(file: Path) -> None:
    reporter = JournalReporter(Journal(file), {}, threading.Event())
    assert reporter.recall("micro_batch") is None
    reporter.record("micro_batch", 2)
    decided = {e.name: e.value for e in read_events(file).events if isinstance(e, DecisionTaken)}
    resumed = JournalReporter(Journal(file), decided, threading.Event())
    assert resumed.recall("micro_batch") == 2


def test_stop_is_seen_by_the_stage(file: Path) -> None:
    stop = threading.Event()
    reporter = JournalReporter(Journal(file), {}, stop)
    assert not reporter.stop_requested
    stop.set()
    assert reporter.stop_requested
