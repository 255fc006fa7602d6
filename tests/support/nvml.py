"""A stand-in for NVIDIA's driver at the border of its C library: NVML's own Python bindings run over it."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

import pynvml

from duotune.hardware import gpu

GIB = 1 << 30
DONE, UNSUPPORTED = int(pynvml.NVML_SUCCESS), int(pynvml.NVML_ERROR_NOT_SUPPORTED)
UNLOADED, LOST = int(pynvml.NVML_ERROR_DRIVER_NOT_LOADED), int(pynvml.NVML_ERROR_GPU_IS_LOST)


@dataclass
class Card:
    """One GPU, as the driver would tell of it.

    Attributes:
        held: Bytes that each process holds, by its id.
        reserved: Bytes that the driver keeps for itself.
        quiet: It has no sensors for utilisation, temperature and power.
        lost: It has fallen off its bus.
    """

    name: str = "NVIDIA H200"
    total: int = 140 * GIB
    held: dict[int, int] = field(default_factory=dict)
    reserved: int = GIB // 2
    utilization: int = 87
    celsius: int = 61
    milliwatts: int = 512_300
    quiet: bool = False
    lost: bool = False

    @property
    def used(self) -> int:
        """What processes hold."""
        return sum(self.held.values())


class Driver:
    """`libnvidia-ml.so.1` with these GPUs: each method is the C function of its name, and answers by its pointers.

    Args:
        cards: Its GPUs.
        old: It is a driver of before release 510.
        installed: The kernel's side of it is loaded.
    """

    def __init__(self, *cards: Card, old: bool = False, installed: bool = True) -> None:
        self.cards, self.old, self.installed = list(cards), old, installed
        self.opened = self.clients = 0
        self._stale = False

    def unload(self) -> None:
        """Take its kernel module out: whoever has it open gets nothing any more, until all have closed it."""
        self.installed, self._stale = False, self.clients > 0

    def __getattr__(self, name: str) -> Any:
        if self.old and name in ("nvmlDeviceGetMemoryInfo_v2", "nvmlDeviceGetComputeRunningProcesses_v3"):
            raise AttributeError(name)
        try:
            return getattr(type(self), f"_{name}").__get__(self)
        except AttributeError:
            raise AttributeError(name) from None

    def _nvmlInitWithFlags(self, flags: int) -> int:
        self.opened += 1
        if not self.installed:
            return UNLOADED
        self._stale = self._stale and self.clients > 0
        self.clients += 1
        return DONE

    def _nvmlShutdown(self) -> int:
        if not self.clients:
            return int(pynvml.NVML_ERROR_UNINITIALIZED)
        self.clients -= 1
        return DONE

    def _nvmlSystemGetDriverVersion(self, text: Any, size: Any) -> int:
        text.value = b"610.43.02"
        return DONE

    def _nvmlSystemGetCudaDriverVersion(self, version: Any) -> int:
        version._obj.value = 13030
        return DONE

    def _nvmlDeviceGetCount_v2(self, count: Any) -> int:
        count._obj.value = len(self.cards)
        return DONE if self.installed and not self._stale else UNLOADED

    def _nvmlDeviceGetHandleByIndex_v2(self, index: Any, handle: Any) -> int:
        ctypes.c_void_p.from_buffer(handle._obj).value = index.value + 1
        return LOST if self.cards[index.value].lost else DONE

    def _nvmlDeviceGetMemoryInfo(self, handle: Any, memory: Any) -> int:
        card = self._card(handle)
        memory._obj.total, memory._obj.used = card.total, card.used + card.reserved
        memory._obj.free = card.total - card.used - card.reserved
        return DONE

    def _nvmlDeviceGetMemoryInfo_v2(self, handle: Any, memory: Any) -> int:
        self._nvmlDeviceGetMemoryInfo(handle, memory)
        card = self._card(handle)
        memory._obj.used, memory._obj.reserved = card.used, card.reserved
        return DONE

    def _nvmlDeviceGetPowerUsage(self, handle: Any, milliwatts: Any) -> int:
        milliwatts._obj.value = self._card(handle).milliwatts
        return self._sensor(handle)

    def _nvmlDeviceGetUtilizationRates(self, handle: Any, rates: Any) -> int:
        rates._obj.gpu = self._card(handle).utilization
        return self._sensor(handle)

    def _nvmlDeviceGetTemperature(self, handle: Any, sensor: Any, celsius: Any) -> int:
        celsius._obj.value = self._card(handle).celsius
        return self._sensor(handle)

    def _nvmlDeviceGetUUID(self, handle: Any, text: Any, size: Any) -> int:
        text.value = f"GPU-{self._index(handle)}aaa".encode()
        return DONE

    def _nvmlDeviceGetName(self, handle: Any, text: Any, size: Any) -> int:
        text.value = self._card(handle).name.encode()
        return DONE

    def _nvmlDeviceGetComputeRunningProcesses_v3(self, handle: Any, count: Any, processes: Any) -> int:
        held = self._card(handle).held
        room, count._obj.value = count._obj.value, len(held)
        if room < len(held):
            return int(pynvml.NVML_ERROR_INSUFFICIENT_SIZE)
        for place, (pid, amount) in enumerate(held.items()):
            processes[place].pid, processes[place].usedGpuMemory = pid, amount
        return DONE

    def _card(self, handle: Any) -> Card:
        return self.cards[self._index(handle)]

    @staticmethod
    def _index(handle: Any) -> int:
        return int(ctypes.cast(handle, ctypes.c_void_p).value or 0) - 1

    def _sensor(self, handle: Any) -> int:
        return UNSUPPORTED if self._card(handle).quiet else DONE


@contextmanager
def installed(driver: Driver) -> Iterator[Driver]:
    """Let this process find the driver, and no other; in the end it is as if it had never been."""
    with patch.object(pynvml, "nvmlLib", driver), patch.object(pynvml, "_nvmlGetFunctionPointer_cache", {}):
        gpu._opened.cache_clear()
        yield driver
    gpu._opened.cache_clear()
