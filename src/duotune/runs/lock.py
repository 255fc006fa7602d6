"""A lock file that names its owner, so that a crashed owner, or a child that outlives it, never blocks anybody."""

from __future__ import annotations

import fcntl
import os
import socket
import weakref
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from pydantic import BaseModel, ConfigDict, ValidationError

from duotune.disk import alone_in
from duotune.errors import HostError

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Owner(BaseModel):
    """The process that holds a lock.

    Attributes:
        pid: Process id.
        process_start: Start of the process in clock ticks after boot; a recycled pid has another. Unlike a time of day
            it does not move when the clock is set.
        boot: Id of the machine's boot, so that a lock from before a power loss is never believed.
        host: Name of the machine, for people.
        note: What the owner says about itself.
    """

    model_config = ConfigDict(frozen=True)

    pid: int
    process_start: int
    boot: str
    host: str = ""
    note: str = ""

    @classmethod
    def this_process(cls, note: str = "") -> Owner:
        """The running process as an owner."""
        return cls.of(os.getpid(), note)

    @classmethod
    def of(cls, pid: int, note: str = "") -> Owner:
        """A process that runs, or that nobody has waited for yet, as an owner.

        Raises:
            OSError: There is none of this number.
        """
        start, _ = _start_and_state(pid)
        return cls(pid=pid, process_start=start, boot=_boot_id(), host=socket.gethostname(), note=note)

    def alive(self) -> bool:
        """Whether this very process still runs here; a dead one that nobody has waited for does not."""
        if self.boot != _boot_id():
            return False
        try:
            start, state = _start_and_state(self.pid)
        except OSError:
            return _exists_hidden(self.pid)
        return start == self.process_start and state not in ("Z", "X")


def owner_of(file: Path) -> Owner | None:
    """The live owner that a lock file names; None when it is free, missing, or its owner is gone."""
    owner = _named_owner(file)
    return owner if owner is not None and owner.alive() else None


@dataclass(eq=False)
class OwnedLock:
    """A held lock; release it, or use it as a context manager.

    Attributes:
        file: The lock file.
    """

    file: Path
    _fd: int

    def release(self) -> None:
        """Let go; safe to call twice."""
        if self._fd >= 0:
            os.ftruncate(self._fd, 0)
            os.close(self._fd)
            self._fd = -1

    def _forget_in_child(self) -> None:
        """Close the descriptor in a forked child: held there, it would keep the lock after its owner's death."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def __enter__(self) -> OwnedLock:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


_held: weakref.WeakSet[OwnedLock] = weakref.WeakSet()


def try_lock(file: Path, note: str = "") -> OwnedLock | None:
    """Take the lock if it is free or its owner is dead; None when a live process holds it.

    Raises:
        HostError: The lock file cannot be made or opened.
    """
    try:
        with alone_in(file.parent):  # two must never replace a dead owner's file at once
            fd = _open_locked(file)
            if fd is None and owner_of(file) is None:
                file.unlink(missing_ok=True)  # its owner is dead, but a child of it still holds the old file
                fd = _open_locked(file)
            if fd is None:
                return None
            os.ftruncate(fd, 0)
            os.pwrite(fd, Owner.this_process(note).model_dump_json().encode(), 0)
    except OSError as error:
        raise HostError(
            f"The lock file {str(file)!r} cannot be used: {error.strerror}.",
            "Check the owner and the free space of its directory.",
        ) from error
    lock = OwnedLock(file, fd)
    _held.add(lock)
    return lock


def _open_locked(file: Path) -> int | None:
    fd = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o660)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        return None
    return fd


def _named_owner(file: Path) -> Owner | None:
    try:
        return Owner.model_validate_json(file.read_bytes())
    except (OSError, ValidationError):
        return None


def _boot_id() -> str:
    return _BOOT_ID.read_text().strip()


def _start_and_state(pid: int) -> tuple[int, str]:
    """Start in clock ticks after boot, and state letter; fields 22 and 3 of proc_pid_stat(5)."""
    after_name = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    return int(after_name[19]), after_name[0]


def _exists_hidden(pid: int) -> bool:
    """Whether the process is another user's, on a /proc mounted with hidepid."""
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except OSError:
        return False
    return False


def _forget_all_in_child() -> None:
    for lock in list(_held):
        lock._forget_in_child()


os.register_at_fork(after_in_child=_forget_all_in_child)
