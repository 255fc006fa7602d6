"""What home shows: read in threads, from the same rooms that the command line asks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from duotune import paths
from duotune.catalog.adapters import Version
from duotune.catalog.catalog import open_catalog
from duotune.config.load import load_host_config
from duotune.errors import HostError
from duotune.hardware.gpu import Gpu, gpus
from duotune.hardware.host import Host, disk_free_bytes, read_host
from duotune.hardware.processes import is_of
from duotune.runs.directory import list_runs
from duotune.runs.liveness import StateReader
from duotune.runs.lock import owner_of
from duotune.runs.state import RunState
from duotune.serving.status import ServingStatus, read_status
from duotune.serving.systemd import find_service


@dataclass(frozen=True)
class GpuUse:
    """One GPU's memory by who holds it, in bytes.

    Attributes:
        gpu: The driver's readings.
        training: Held by workers of ours.
        serving: Held by vLLM.
        others: The rest.
    """

    gpu: Gpu
    training: int
    serving: int
    others: int


@dataclass(frozen=True)
class Machine:
    """The host now."""

    host: Host
    disk_free: int
    disk_path: Path
    gpus: tuple[GpuUse, ...]


class RunsReader:
    """The states of all runs; only what a journal has gained since the last time is read again."""

    def __init__(self) -> None:
        self._readers: dict[Path, StateReader] = {}

    def read(self) -> list[RunState]:
        """All runs, newest first; one that is damaged or just removed is left out."""
        states, readers = [], {}
        for run in list_runs():
            reader = self._readers.get(run.path) or StateReader(run.path)
            try:
                states.append(reader.read())
            except HostError:
                continue
            readers[run.path] = reader
        self._readers = readers
        return states


def read_machine() -> Machine:
    """GPUs, cores, memory and disk."""
    home = paths.home()
    found = gpus()
    holders = {pid for gpu in found for pid, _ in gpu.processes}
    workers = _of(holders, _worker_pids)
    served = _of(holders - workers, _vllm_pids)
    uses = []
    for gpu in found:
        training = sum(held for pid, held in gpu.processes if pid in workers)
        serving = sum(held for pid, held in gpu.processes if pid in served)
        uses.append(GpuUse(gpu, training, serving, max(0, gpu.memory_used_bytes - training - serving)))
    return Machine(read_host(), disk_free_bytes(home), home, tuple(uses))


class AdaptersReader:
    """Each adapter's newest version; the catalog is opened when its files have changed."""

    def __init__(self) -> None:
        self._stamp: object = None
        self._versions: list[Version] = []

    def read(self) -> list[Version]:
        """The newest first."""
        stamp = [_stamp(paths.catalog()), _stamp(paths.catalog().with_name(f"{paths.catalog().name}-wal"))]
        if stamp != self._stamp:
            self._versions, self._stamp = _newest_versions(), stamp
        return self._versions


def _stamp(file: Path) -> tuple[int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


def _newest_versions() -> list[Version]:
    newest: dict[str, Version] = {}
    with open_catalog() as catalog:
        for version in catalog.adapters.versions():
            if version.adapter not in newest or version.version > newest[version.adapter].version:
                newest[version.adapter] = version
    return sorted(newest.values(), key=lambda version: version.created_at, reverse=True)


def read_serving() -> ServingStatus:
    """What vLLM serves."""
    host = load_host_config()
    with open_catalog() as catalog:
        return read_status(catalog, host, find_service(host.serving))


def _worker_pids() -> set[int]:
    return {owner.pid for run in list_runs() if (owner := owner_of(run.lock_file)) is not None}


def _vllm_pids() -> set[int]:
    state = find_service(load_host_config().serving).state()
    return {state.pid} if state.pid else set()


def _of(holders: set[int], roots: Callable[[], set[int]]) -> set[int]:
    """Those that descend from the roots, which are looked for only when there is somebody to ask about."""
    found = roots() if holders else set()
    return {pid for pid in holders if is_of(pid, found)}
