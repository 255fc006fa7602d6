"""Two runs never share a device by accident."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from duotune.runs.lease import GpuLease
from duotune.runs.reporter import Stopped

HOLDER = """
import sys
from duotune.runs.lease import GpuLease
lease = GpuLease.try_acquire("GPU-1", "run-a")
print(lease is not None, flush=True)
sys.stdin.read()
"""


def start_holder() -> subprocess.Popen[str]:
    holder = subprocess.Popen([sys.executable, "-c", HOLDER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline().strip() == "True"
    return holder


def never() -> bool:
    return False


def test_second_run_waits_for_the_named_holder_and_starts_when_it_is_killed() -> None:
    holder = start_holder()
    told: list[str] = []

    def on_wait(present: str) -> None:
        told.append(present)
        os.kill(holder.pid, signal.SIGKILL)
        holder.wait()

    with GpuLease.acquire("GPU-1", "run-b", on_wait, never, poll_seconds=0.01):
        assert told == ["run-a"]
        assert GpuLease.holder("GPU-1") == "run-b"
    assert GpuLease.holder("GPU-1") is None
    holder.communicate()


def test_waiting_run_can_be_stopped() -> None:
    with GpuLease.acquire("cpu", "run-a", print, never):
        told: list[str] = []
        with pytest.raises(Stopped):
            GpuLease.acquire("cpu", "run-b", told.append, lambda: bool(told), poll_seconds=0.01)
        assert told == ["run-a"]


def test_devices_are_leased_apart() -> None:
    with GpuLease.acquire("GPU-1", "run-a", print, never), GpuLease.acquire("MIG-2/1", "run-b", print, never):
        assert GpuLease.holder("GPU-1") == "run-a"
        assert GpuLease.holder("MIG-2/1") == "run-b"
