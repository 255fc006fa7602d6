"""GPU readings through NVML; a host without a driver has no GPUs, which is no error."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Gpu:
    """One GPU as the driver reports it; None where the driver gives no answer.

    Attributes:
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

    @property
    def memory_free_bytes(self) -> int:
        """Memory that no process holds now."""
        return self.memory_total_bytes - self.memory_used_bytes


def gpus() -> list[Gpu]:
    """All GPUs of the host, in NVML's order; empty without a driver."""
    import pynvml

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return []
    try:
        return [_read(pynvml, index) for index in range(pynvml.nvmlDeviceGetCount())]
    except pynvml.NVMLError:
        return []
    finally:
        pynvml.nvmlShutdown()


def driver() -> tuple[str, str] | None:
    """Version of the NVIDIA driver, and the newest CUDA that it can run; None without a driver."""
    import pynvml

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return None
    try:
        cuda = int(pynvml.nvmlSystemGetCudaDriverVersion())
        return _text(pynvml.nvmlSystemGetDriverVersion()), f"{cuda // 1000}.{cuda % 1000 // 10}"
    except pynvml.NVMLError:
        return None
    finally:
        pynvml.nvmlShutdown()


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


def _read(nvml: Any, index: int) -> Gpu:
    handle = nvml.nvmlDeviceGetHandleByIndex(index)
    memory = nvml.nvmlDeviceGetMemoryInfo(handle)
    power = _query(nvml, lambda: nvml.nvmlDeviceGetPowerUsage(handle))
    utilization = _query(nvml, lambda: nvml.nvmlDeviceGetUtilizationRates(handle))
    return Gpu(
        index=index,
        uuid=_text(nvml.nvmlDeviceGetUUID(handle)),
        name=_text(nvml.nvmlDeviceGetName(handle)),
        memory_total_bytes=int(memory.total),
        memory_used_bytes=int(memory.used),
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
    except nvml.NVMLError:
        return None


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
