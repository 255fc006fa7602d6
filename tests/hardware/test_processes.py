"""Families of processes, asked of the kernel."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from duotune.hardware.processes import family, is_of, resident_bytes

PARENT = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "held = bytearray(64 << 20); print(1, flush=True); input()"],
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE)
child.stdout.readline()
print(child.pid, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def pair() -> Iterator[tuple[int, int]]:
    """A process and its child, which holds 64 MiB."""
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    yield parent.pid, int(parent.stdout.readline())
    parent.communicate()


def test_a_child_is_of_its_parent_and_of_this_process_and_not_the_other_way_round(pair: tuple[int, int]) -> None:
    parent, child = pair
    assert is_of(child, {parent})
    assert is_of(child, {os.getpid()})
    assert is_of(parent, {parent})
    assert not is_of(parent, {child})
    assert not is_of(child, set())


def test_a_familys_memory_is_that_of_its_children_too(pair: tuple[int, int]) -> None:
    parent, child = pair
    assert [process.pid for process in family(parent)] == [parent, child]
    assert resident_bytes(family(parent)) > resident_bytes(family(child)) > 64 << 20


def test_a_process_that_is_gone_has_no_family() -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    assert family(gone.pid) == []
    assert not is_of(gone.pid, {os.getpid()})
