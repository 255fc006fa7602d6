"""Helper processes: answers in order, errors by name, and nothing left behind however the work ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from itertools import count, islice
from pathlib import Path

import pytest

from duotune.data.shards import Shards
from duotune.errors import HostError, UsageError
from support import sharded


def ended(process: int) -> bool:
    """Whether a process is gone, or only its exit status is left of it."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


@pytest.fixture
def two() -> Iterator[Shards]:
    """Two helper processes, for any work at all."""
    with Shards(2, worth_bytes=0) as shards:
        yield shards


def test_answers_come_in_the_order_of_the_items_from_other_processes(two: Shards) -> None:
    answers = list(two.map(sharded.with_process, "x", range(40), 0))
    assert [answer for answer, _ in answers] == [("x", item) for item in range(40)]
    assert {process for _, process in answers} == set(two.process_ids)
    assert os.getpid() not in two.process_ids


def test_few_items_are_taken_in_advance(two: Shards) -> None:
    taken = []

    def items() -> Iterator[int]:
        for item in count():
            taken.append(item)
            yield item

    answers = two.map(sharded.with_process, "x", items(), 0)
    assert [answer[0][1] for answer in islice(answers, 10)] == list(range(10))
    assert len(taken) <= 10 + 5


def test_little_work_stays_in_this_process() -> None:
    with Shards(2, worth_bytes=100) as shards:
        assert list(shards.map(sharded.with_process, "x", [1], 99)) == [(("x", 1), os.getpid())]
        assert shards.process_ids == []


def test_helpers_import_neither_torch_nor_the_program_that_started_them(two: Shards) -> None:
    (loaded,) = two.map(sharded.loaded_modules, None, [["torch", "transformers", "pytest", "duotune.worker"]], 0)
    assert loaded == []


def test_errors_keep_their_kind_and_their_words(two: Shards) -> None:
    with pytest.raises(UsageError, match="item 3 is wrong") as caught:
        list(two.map(sharded.refusing, 3, range(9), 0))
    assert caught.value.hint == "Leave it out."
    with pytest.raises(RuntimeError, match="ZeroDivisionError"):
        list(two.map(sharded.dividing, 1, [1, 0], 0))
    assert len(list(two.map(sharded.with_process, "still there", range(3), 0))) == 3


def test_a_helper_that_is_killed_is_told_of(two: Shards) -> None:
    with pytest.raises(HostError, match=r"ended before its time \(exit status -9\)"):
        list(two.map(sharded.killed, None, range(9), 0))


def test_signals_to_the_group_are_left_to_the_process_that_started_the_helpers(two: Shards) -> None:
    next(two.map(sharded.with_process, "x", [0, 1], 0))
    for process in two.process_ids:
        os.kill(process, signal.SIGTERM)
        os.kill(process, signal.SIGINT)
    assert len(list(two.map(sharded.with_process, "x", range(9), 0))) == 9


def test_nothing_is_left_when_work_is_abandoned() -> None:
    with Shards(2, worth_bytes=0) as shards:
        next(shards.map(sharded.endless_after_first, None, range(9), 0))
        processes = shards.process_ids
    assert len(processes) == 2
    assert all(map(ended, processes))


def test_helpers_die_with_the_process_that_started_them_even_while_they_work() -> None:
    program = (
        "from duotune.data.shards import Shards\n"
        "from support import sharded\n"
        "shards = Shards(2, worth_bytes=0)\n"
        "answers = shards.map(sharded.endless_after_first, None, range(9), 0)\n"
        "next(answers)\n"
        "print(*shards.process_ids, flush=True)\n"
        "next(answers)\n"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, env=environment
    ) as parent:
        assert parent.stdout is not None
        processes = [int(word) for word in parent.stdout.readline().split()]
        assert not any(map(ended, processes))
        descriptors = [os.pidfd_open(process) for process in processes]
        parent.kill()
        for descriptor in descriptors:
            with os.fdopen(descriptor):
                assert sharded.ends(descriptor)


def test_one_process_does_all_where_no_other_can_be_started(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sys, "executable", "/nonexistent/python")
    with Shards(2, worth_bytes=0) as shards:
        assert list(shards.map(sharded.with_process, "x", [1], 10)) == [(("x", 1), os.getpid())]
    assert "one process does all of it" in caplog.text
