"""Locks survive the death of their owners, and a vanished worker is noticed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from duotune.errors import HostError
from duotune.runs.directory import RunDirectory, create_run
from duotune.runs.events import CheckpointSaved, RunFinished, RunQueued, RunStarted, StageStarted
from duotune.runs.journal import Journal
from duotune.runs.liveness import StateReader, read_state
from duotune.runs.lock import Owner, owner_of, try_lock
from support.runs import run_config

HOLDER = """
import os, sys
from pathlib import Path
from duotune.runs.lock import try_lock
lock = try_lock(Path(sys.argv[1]), "holder")
print(lock is not None, flush=True)
{then}
"""
WAIT = "sys.stdin.read()"


def start_holder(file: Path, then: str = WAIT) -> subprocess.Popen[str]:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER.format(then=then), str(file)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout is not None
    assert holder.stdout.readline().strip() == "True"
    return holder


@pytest.fixture
def run() -> RunDirectory:
    return create_run(run_config())


def started(run: RunDirectory) -> None:
    with Journal(run.journal_file) as journal:
        journal.append(RunStarted(pid=1, process_start=1, attempt=1))
        journal.append(StageStarted(stage="train"))


def test_lock_of_a_live_process_is_not_given_twice(tmp_path: Path) -> None:
    file = tmp_path / "lock"
    holder = start_holder(file)
    owner = owner_of(file)
    assert owner is not None
    assert (owner.pid, owner.note) == (holder.pid, "holder")
    assert try_lock(file) is None
    holder.communicate("")
    assert owner_of(file) is None
    with try_lock(file) or pytest.fail("the lock was not freed"):
        assert owner_of(file) == Owner.this_process()


def test_killed_owner_frees_the_lock_even_before_anybody_waits_for_it(tmp_path: Path) -> None:
    file = tmp_path / "lock"
    holder = start_holder(file)
    os.kill(holder.pid, signal.SIGKILL)
    os.waitid(os.P_PID, holder.pid, os.WEXITED | os.WNOWAIT)  # dead, and still a zombie
    assert owner_of(file) is None
    lock = try_lock(file)
    assert lock is not None
    lock.release()
    holder.communicate()


@pytest.mark.parametrize(
    "fork",
    ["os.fork() or sys.stdin.read()", "import ctypes; ctypes.CDLL(None).fork() or sys.stdin.read()"],
    ids=["a child forked by Python", "a child forked behind Python's back"],
)
def test_child_that_inherited_the_lock_does_not_keep_it_after_its_owner(tmp_path: Path, fork: str) -> None:
    file = tmp_path / "lock"
    holder = start_holder(file, f"{fork}\nprint('forked', flush=True)\nsys.stdin.read()")
    assert holder.stdout is not None
    assert holder.stdout.readline().strip() == "forked"
    os.kill(holder.pid, signal.SIGKILL)
    os.waitpid(holder.pid, 0)
    assert owner_of(file) is None
    lock = try_lock(file)
    assert lock is not None
    assert owner_of(file) == Owner.this_process()
    assert try_lock(file) is None
    lock.release()
    holder.communicate("")


def test_recycled_pid_and_another_boot_are_not_the_owner() -> None:
    me = Owner.this_process()
    assert me.alive()
    assert not me.model_copy(update={"process_start": me.process_start + 1}).alive()
    assert not me.model_copy(update={"boot": "another"}).alive()


def test_fresh_run_is_queued_and_lost_when_no_worker_comes(run: RunDirectory) -> None:
    created = read_state(run.path)
    assert created.state == "queued"
    assert created.updated_at is not None
    later = StateReader(run.path, clock=lambda: (created.updated_at or 0) + 61)
    lost = later.read()
    assert lost.state == "lost"
    assert lost.error is not None
    assert "never started" in lost.error.message


def test_run_of_a_live_worker_runs_and_of_a_killed_one_is_lost(run: RunDirectory) -> None:
    started(run)
    holder = start_holder(run.lock_file)
    assert read_state(run.path).state == "running"
    os.kill(holder.pid, signal.SIGKILL)
    holder.communicate()
    lost = read_state(run.path)
    assert lost.state == "lost"
    assert lost.error is not None
    assert lost.error.hint == f"Continue with `duotune resume {run.id}`."
    with Journal(run.journal_file) as journal:
        journal.append(CheckpointSaved(step=1200, path="checkpoint-1200"))
    error = read_state(run.path).error
    assert error is not None
    assert error.hint == f"Continue from its checkpoint at step 1,200 with `duotune resume {run.id}`."
    assert {s.name: s.state for s in lost.stages}["train"] == "interrupted"


def test_queued_run_whose_worker_was_killed_is_lost(run: RunDirectory) -> None:
    started(run)
    with Journal(run.journal_file) as journal:
        journal.append(RunQueued(device="cpu", holder="other"))
    assert read_state(run.path).state == "lost"


def test_finished_run_is_not_lost_when_its_worker_is_gone(run: RunDirectory) -> None:
    started(run)
    with Journal(run.journal_file) as journal:
        journal.append(RunFinished())
    assert read_state(run.path).state == "finished"


def test_worker_that_ends_between_the_two_looks_is_not_taken_for_lost(
    run: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lock is seen free, then the journal is read, and only then the worker's last words arrive."""
    started(run)
    looks: list[StateReader] = []

    def look(reader: StateReader) -> bool:
        looks.append(reader)
        if len(looks) == 2:
            with Journal(run.journal_file) as journal:
                journal.append(RunFinished())
        return False

    monkeypatch.setattr(StateReader, "_alive", look)
    assert read_state(run.path).state == "finished"


def test_vanished_run_directory_is_a_sentence(run: RunDirectory) -> None:
    reader = StateReader(run.path)
    reader.read()
    run.path.rename(run.path.with_name("elsewhere"))
    with pytest.raises(HostError, match="is gone"):
        reader.read()
