"""Where a merged model is proven: never on a GPU that something serves or trains on."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from duotune.errors import HostError
from duotune.hardware.gpu import Gpu
from duotune.hardware.host import Host
from duotune.runs.directory import create_run
from duotune.runs.events import MergeOrder
from duotune.runs.journal import Journal
from duotune.runs.lease import GpuLease
from duotune.runs.lock import try_lock
from duotune.runs.pause import wants_gpu
from duotune.runs.reporter import JournalReporter
from duotune.worker import proving
from duotune.worker.stages import RunInProgress
from support.runs import run_config

WEIGHTS = 10 << 30


@pytest.fixture(autouse=True)
def _free_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """A GPU that nobody uses, and a host of little memory."""
    monkeypatch.setattr(proving, "visible_gpus", lambda: [Gpu(0, "GPU-1", "a GPU", 80 << 30, 0, None, None, None)])
    monkeypatch.setattr(proving, "leased_device", lambda: "GPU-1")
    monkeypatch.setattr(proving, "gpu_free_bytes", lambda: 80 << 30)
    monkeypatch.setattr(proving, "serves", lambda serving: False)
    monkeypatch.setattr(proving, "read_host", lambda: Host(1, 16 << 30, 16 << 30))


@pytest.fixture
def merging() -> RunInProgress:
    """A run that merges, with a worker at it."""
    order = MergeOrder(adapter="shop.v1", manifest_sha256="f", directory="/srv/models/whole")
    run = create_run(run_config("merge-shop"), kind="merge", order=order)
    journal = Journal(run.journal_file)
    return RunInProgress(run, journal, JournalReporter(journal, {}, threading.Event()), run.state())


def test_a_free_gpu_is_used_and_wanted_for_as_long_as_that_takes(merging: RunInProgress) -> None:
    worker = try_lock(merging.directory.lock_file)
    assert worker is not None
    with worker:
        assert not wants_gpu(merging.directory)
        with proving.device_for(merging, WEIGHTS) as device:
            assert device == "cuda:0"
            assert GpuLease.holder("GPU-1") == merging.directory.id
            assert wants_gpu(merging.directory)
        assert not wants_gpu(merging.directory)


@pytest.mark.parametrize("why", ["vLLM serves", "a run trains", "full", "slice"])
def test_elsewhere_it_is_the_cpu(merging: RunInProgress, monkeypatch: pytest.MonkeyPatch, why: str) -> None:
    if why == "vLLM serves":
        monkeypatch.setattr(proving, "serves", lambda serving: True)
    elif why == "full":
        monkeypatch.setattr(proving, "visible_gpus", lambda: [Gpu(0, "G", "a GPU", 80 << 30, 70 << 30, 0, 0, 0)])
    elif why == "slice":
        monkeypatch.setattr(proving, "gpu_free_bytes", lambda: WEIGHTS)
    other = GpuLease.try_acquire("GPU-1", "another") if why == "a run trains" else None
    with proving.device_for(merging, WEIGHTS) as device:
        assert device == "cpu"
        assert not GpuLease.held_by(merging.directory.id)
    if other:
        other.release()


def test_without_room_anywhere_it_is_refused_and_with_some_on_the_gpu_it_is_not(
    merging: RunInProgress, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    proving.check_memory(30 << 30)
    monkeypatch.setattr(proving, "serves", lambda serving: True)
    with pytest.raises(HostError, match=r"takes 36 GiB of memory, and 16 GiB are free"):
        proving.check_memory(30 << 30)
    with pytest.raises(HostError, match="cannot be proven"), proving.device_for(merging, 30 << 30):
        pass
