"""One run at a time on a device: the second waits, and starts by itself when the first is done or dead."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from duotune import paths
from duotune.errors import HostError, printable
from duotune.hardware.gpu import visible_gpus
from duotune.runs.lock import OwnedLock, owner_of, try_lock
from duotune.runs.reporter import Stopped

POLL_SECONDS = 0.5


def leased_device() -> str:
    """What the lease guards: the first GPU that CUDA sees here, a slice of one, or the CPU."""
    slice_of_gpu = os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")[0].strip()
    if slice_of_gpu.startswith("MIG-"):
        return slice_of_gpu
    gpus = visible_gpus()
    return gpus[0].uuid if gpus else "cpu"


class GpuLease:
    """The right to use a device, held until released or until the process dies.

    Attributes:
        device: UUID of the GPU, or "cpu": two trainings on one CPU only slow each other down.
    """

    def __init__(self, device: str, lock: OwnedLock) -> None:
        self.device = device
        self._lock = lock

    @classmethod
    def acquire(
        cls,
        device: str,
        holder: str,
        on_wait: Callable[[str], None],
        stop_requested: Callable[[], bool],
        poll_seconds: float = POLL_SECONDS,
    ) -> GpuLease:
        """Take the lease, waiting for as long as another live process holds it.

        Args:
            device: UUID of the GPU, or "cpu".
            holder: Who asks, for those who will have to wait: the run's id.
            on_wait: Called with the present holder when a wait begins, and again when the holder changes.
            stop_requested: Asked at every poll.
            poll_seconds: Time between two looks.

        Raises:
            Stopped: A stop was requested while waiting.
            HostError: The lease file cannot be used.
        """
        told: str | None = None
        while (lease := cls.try_acquire(device, holder)) is None:
            if stop_requested():
                raise Stopped
            present = cls.holder(device)
            if present is not None and present != told:
                told = present
                on_wait(present)
            time.sleep(poll_seconds)
        return lease

    @classmethod
    def try_acquire(cls, device: str, holder: str) -> GpuLease | None:
        """Take the lease if it is free.

        Raises:
            HostError: The lease file cannot be used.
        """
        try:
            paths.leases().mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise HostError(
                f"The directory of device leases {printable(paths.leases())} cannot be made: {error.strerror}.",
                "Check its owner, or set DUOTUNE_HOME to another directory.",
            ) from error
        lock = try_lock(_file(device), holder)
        return None if lock is None else cls(device, lock)

    @staticmethod
    def holder(device: str) -> str | None:
        """Who holds the lease now; None when nobody does."""
        owner = owner_of(_file(device))
        return None if owner is None else owner.note

    @staticmethod
    def held_by(holder: str) -> bool:
        """Whether a run holds the lease of any device."""
        owners = (owner_of(file) for file in paths.leases().glob("*.lock"))
        return any(owner is not None and owner.note == holder for owner in owners)

    def release(self) -> None:
        """Let the next one in."""
        self._lock.release()

    def __enter__(self) -> GpuLease:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def _file(device: str) -> Path:
    return paths.leases() / f"{re.sub(r'[^A-Za-z0-9._-]', '_', device)}.lock"
