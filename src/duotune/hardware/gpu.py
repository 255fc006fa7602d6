"""GPU readings through NVML; a host without a driver has no GPUs, which is no error."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Gpu:
    """One GPU as the driver reports it; None where the driver gives no answer.

    Attributes:
        memory_used_bytes: Held by processes, of whoever.
        memory_reserved_bytes: Held by the driver itself, with or without processes; 0 where it does not tell, and then
            counted as used.
        processes: Process id and bytes held of each process that computes on it; empty where the driver does not tell.
    """

    index: int
    uuid: str
    name: str
    memory_total_bytes: int
    memory_used_bytes: int
    utilization_percent: int | None
    temperature_celsius: int | None
    power_watts: float | None
    processes: tuple[tuple[int, int], ...] = ()
    memory_reserved_bytes: int = 0

    @property
    def memory_free_bytes(self) -> int:
        """Memory that neither a process nor the driver holds now."""
        return self.memory_total_bytes - self.memory_used_bytes - self.memory_reserved_bytes


def gpus() -> list[Gpu]:
    """All GPUs of the host that answer, in NVML's order; empty without a driver."""
    return _asked(lambda nvml: list(_readings(nvml))) or []


def driver() -> tuple[str, str] | None:
    """Version of the NVIDIA driver, and the newest CUDA that it can run; None without a driver."""

    def ask(nvml: Any) -> tuple[str, str]:
        cuda = int(nvml.nvmlSystemGetCudaDriverVersion())
        return _text(nvml.nvmlSystemGetDriverVersion()), f"{cuda // 1000}.{cuda % 1000 // 10}"

    return _asked(ask)


def visible_gpus() -> list[Gpu]:
    """The GPUs that a CUDA process started now would see, in its order (`CUDA_VISIBLE_DEVICES`)."""
    found = gpus()
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is None:
        return found
    chosen = []
    for word in (entry.strip() for entry in visible.split(",")):
        match = next((gpu for gpu in found if word and (word == str(gpu.index) or gpu.uuid.startswith(word))), None)
        if match is None:  # CUDA ignores everything from the first entry it does not know
            break
        chosen.append(match)
    return chosen


@cache
def _opened() -> Any:
    """NVML, open until the process ends or the driver fails.

    Without persistence mode a driver forgets its GPUs when nobody has them open, and takes a second or more to find
    them again ("Driver Persistence" in NVIDIA's manual): far too long for what is read every few seconds.
    """
    import pynvml

    pynvml.nvmlInit()
    return pynvml


def _asked(ask: Callable[[Any], T]) -> T | None:
    """What NVML answers; None without a driver, or when it has failed, and then it is opened anew next time."""
    import pynvml

    try:
        return ask(_opened())
    except pynvml.NVMLError:
        with suppress(pynvml.NVMLError):  # it was never opened
            pynvml.nvmlShutdown()
        _opened.cache_clear()
        return None


def _readings(nvml: Any) -> Iterator[Gpu]:
    count, read = nvml.nvmlDeviceGetCount(), 0
    for index in range(count):
        gpu = _query(nvml, partial(_read, nvml, index))
        if gpu is not None:  # one that has fallen off its bus takes no other with it
            read += 1
            yield gpu
    if count and not read:
        raise nvml.NVMLError(nvml.NVML_ERROR_UNKNOWN)


def _read(nvml: Any, index: int) -> Gpu:
    handle = nvml.nvmlDeviceGetHandleByIndex(index)
    # The first version of this reading counts what the driver reserves as used; drivers before 510 know no other.
    apart = _query(nvml, lambda: nvml.nvmlDeviceGetMemoryInfo(handle, nvml.nvmlMemory_v2))
    memory = apart or nvml.nvmlDeviceGetMemoryInfo(handle)
    power = _query(nvml, lambda: nvml.nvmlDeviceGetPowerUsage(handle))
    utilization = _query(nvml, lambda: nvml.nvmlDeviceGetUtilizationRates(handle))
    return Gpu(
        index=index,
        uuid=_text(nvml.nvmlDeviceGetUUID(handle)),
        name=_text(nvml.nvmlDeviceGetName(handle)),
        memory_total_bytes=int(memory.total),
        memory_used_bytes=int(memory.used),
        memory_reserved_bytes=int(apart.reserved) if apart else 0,
        utilization_percent=None if utilization is None else int(utilization.gpu),
        temperature_celsius=_query(nvml, lambda: nvml.nvmlDeviceGetTemperature(handle, nvml.NVML_TEMPERATURE_GPU)),
        power_watts=None if power is None else power / 1000,
        processes=tuple(
            (process.pid, process.usedGpuMemory or 0)
            for process in _query(nvml, lambda: nvml.nvmlDeviceGetComputeRunningProcesses(handle)) or ()
        ),
    )


def _query(nvml: Any, ask: Callable[[], T]) -> T | None:
    """One reading, or None where this GPU or driver does not support it."""
    try:
        return ask()
    except (nvml.NVMLError, nvml.NVMLLibraryMismatchError):  # the second is how a driver before 510 has no processes
        return None


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
