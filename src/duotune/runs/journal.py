"""The journal of a run: an append-only file of events with one writer and any number of readers."""

from __future__ import annotations

import errno
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from duotune.errors import HostError, is_full, no_space
from duotune.runs.events import DurableEvent, Event, RunFailedEvent, RunStopped, parse_event

TAIL_BYTES = 1 << 16
RESERVE_BYTES = 1 << 14
BATCH_BYTES = 1 << 14
"""So much of a journal is read at a time: some dozens of events, taken in within two milliseconds."""


@dataclass(frozen=True)
class Reading:
    """What a reader got.

    Attributes:
        events: The events of all complete, undamaged lines after the given offset.
        offset: Where the next reading begins.
        skipped: Complete lines that hold no event this version knows.
    """

    events: list[Event]
    offset: int
    skipped: int


def read_events(file: Path, offset: int = 0) -> Reading:
    """Read the events after `offset`, which is 0 or the offset of an earlier reading.

    A torn last line is left for the next reading; a torn line inside the file, left by a crash, is skipped.

    Raises:
        HostError: The journal is gone or unreadable.
    """
    events: list[Event] = []
    skipped = 0
    for batch in read_batches(file, offset):
        events += batch.events
        offset, skipped = batch.offset, skipped + batch.skipped
    return Reading(events, offset, skipped)


def read_batches(file: Path, offset: int = 0, batch_bytes: int = BATCH_BYTES) -> Iterator[Reading]:
    """The same in small parts, each with the offset behind it: a long journal never has to be in memory at once.

    Raises:
        HostError: The journal is gone or unreadable.
    """
    try:
        with file.open("rb") as stream:
            stream.seek(offset)
            rest = b""
            while data := stream.read(batch_bytes):
                data = rest + data
                end = data.rfind(b"\n") + 1
                rest = data[end:]
                offset += end
                if end:
                    yield _parsed(data[:end], offset)
    except (FileNotFoundError, NotADirectoryError):
        raise gone(file) from None
    except OSError as error:
        raise HostError(
            f"The journal {str(file)!r} cannot be read: {error.strerror}.", "Check its owner and the disk it is on."
        ) from error


def _parsed(data: bytes, offset: int) -> Reading:
    lines = [line for line in data.split(b"\n") if line.strip()]
    events = [event for event in map(parse_event, lines) if event is not None]
    return Reading(events, offset, len(lines) - len(events))


def gone(journal: Path) -> HostError:
    """The error for a run directory that vanished."""
    return HostError(
        f"The run directory {str(journal.parent)!r} is gone, or its journal is.",
        "Look at `duotune runs`; a run that was removed cannot be brought back.",
    )


class Journal:
    """The one writer of a journal: whoever opens it holds the run's worker lock, or has just made the run.

    Nobody else may write then: a worker takes the lock first, and a fresh run has no worker before its launch.

    Each event is one `write` of a whole line on an append-only descriptor. Events that later attempts rely on are on
    disk when `append` returns. After a torn line the next event begins on a fresh one. A small reserve file is given up
    when the disk is full, so that the run can still say why it ended.

    Args:
        file: The journal; created when missing.
        clock: Seconds since 1970.

    Raises:
        HostError: The file cannot be opened for writing.
    """

    def __init__(self, file: Path, clock: Callable[[], float] = time.time) -> None:
        self.file = file
        self._clock = clock
        self._lock = threading.Lock()
        self._reserve = file.with_name(f".{file.name}.reserve")
        try:
            self._fd = os.open(file, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o660)
        except OSError as error:
            raise self._refusal(error) from error
        self._torn = self._ends_torn()
        self._seq = self._last_seq()
        self._set_reserve_aside()

    def append(self, event: Event) -> Event:
        """Write one event, durably where its kind asks for it, and return it with its number and time.

        Raises:
            HostError: The disk is full or broken; the journal then still ends with a whole line.
        """
        with self._lock:
            written = event.model_copy(update={"seq": self._seq + 1, "ts": round(self._clock(), 3)})
            try:
                self._write(written)
            except OSError as error:
                if not is_full(error) or not isinstance(event, RunFailedEvent | RunStopped):
                    raise self._refusal(error) from error
                self._write_with_reserve(written)
            self._seq += 1
            return written

    def close(self) -> None:
        """Give the descriptor and the reserve back."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
            self._reserve.unlink(missing_ok=True)

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _write(self, event: Event) -> None:
        line = event.model_dump_json().encode() + b"\n"
        whole = b"\n" + line if self._torn else line
        status = os.fstat(self._fd)
        if status.st_nlink == 0:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        try:
            count = os.write(self._fd, whole)
            if count != len(whole):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            if isinstance(event, DurableEvent):
                os.fsync(self._fd)
        except OSError:
            self._take_back(status.st_size)
            raise
        self._torn = False

    def _take_back(self, size: int) -> None:
        try:
            os.ftruncate(self._fd, size)
        except OSError:
            self._torn = True

    def _write_with_reserve(self, event: Event) -> None:
        self._reserve.unlink(missing_ok=True)
        try:
            self._write(event)
        except OSError as error:
            raise self._refusal(error) from error

    def _set_reserve_aside(self) -> None:
        try:
            fd = os.open(self._reserve, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o660)
            try:
                os.posix_fallocate(fd, 0, RESERVE_BYTES)
            finally:
                os.close(fd)
        except OSError:
            self._reserve.unlink(missing_ok=True)  # a full disk is reported by the first event that does not fit

    def _ends_torn(self) -> bool:
        size = os.fstat(self._fd).st_size
        return size > 0 and os.pread(self._fd, 1, size - 1) != b"\n"

    def _last_seq(self) -> int:
        size = os.fstat(self._fd).st_size
        start = max(0, size - TAIL_BYTES)
        events = [e for line in os.pread(self._fd, TAIL_BYTES, start).split(b"\n") if (e := parse_event(line))]
        if not events and start > 0:
            events = list(read_events(self.file).events)
        return max((event.seq for event in events), default=0)

    def _refusal(self, error: OSError) -> HostError:
        if is_full(error):
            return no_space(self.file)
        if error.errno == errno.ENOENT:
            return gone(self.file)
        return HostError(
            f"The journal {str(self.file)!r} cannot be written: {error.strerror}.",
            "Check the disk and the owner of the run directory, then continue with `duotune resume`.",
        )
