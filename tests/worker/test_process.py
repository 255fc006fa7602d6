"""The last words of a worker."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from duotune.errors import ExitCode, no_space
from duotune.runs.directory import create_run
from duotune.runs.reporter import JournalReporter
from duotune.worker import process
from duotune.worker.stages import RunInProgress
from support.projects import small_run


@pytest.fixture(autouse=True)
def _own_signals_and_umask() -> Iterator[None]:
    """What a worker sets for its process ends with the test."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)}
    umask = os.umask(0o022)
    yield
    os.umask(umask)
    for number, handler in before.items():
        signal.signal(number, handler)


def test_full_disk_is_told_although_something_was_held_back(
    tmp_path: Path, micro_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(run: RunInProgress) -> None:
        raise no_space("/data")

    def refuse(report: JournalReporter) -> None:
        raise no_space("/data")

    monkeypatch.setattr(process, "run_stages", full)
    monkeypatch.setattr(JournalReporter, "flush", refuse)
    run = create_run(small_run(tmp_path, micro_model))
    assert process.work(run.path) == ExitCode.ENVIRONMENT
    state = run.state()
    assert state.state == "failed"
    assert state.error is not None
    assert "No space is left on the disk for /data" in state.error.message


def test_second_worker_on_a_run_leaves_it_alone(tmp_path: Path, micro_model: Path) -> None:
    from duotune.runs.lock import try_lock

    run = create_run(small_run(tmp_path, micro_model))
    lock = try_lock(run.lock_file)
    assert lock is not None
    before = run.journal_file.read_bytes()
    with lock:
        assert process.work(run.path) == ExitCode.FAILED
    assert run.journal_file.read_bytes() == before
