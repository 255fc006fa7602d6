"""What neither a power loss nor another process may find half done: files, directories, turns."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def sync(path: Path) -> None:
    """Make a file's content, or a directory's entries, durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_tree(directory: Path) -> None:
    """Make a directory and all that is in it durable, though not yet its name; see `rename`."""
    for path in (*directory.rglob("*"), directory):
        sync(path)


def rename(draft: Path, target: Path) -> None:
    """Give a draft its name, durably; what is at `target` is treated as `Path.rename` does."""
    draft.rename(target)
    sync(target.parent)


def write_whole(file: Path, text: str) -> None:
    """Write a file that appears whole and durable, or not at all; an older one is replaced.

    One process at a time may write it: the draft beside it has one name, so that the next attempt after a death
    overwrites it.
    """
    draft = file.with_name(f".{file.name}.part")
    draft.write_text(text, encoding="utf-8")
    sync(draft)
    rename(draft, file)


@contextmanager
def alone_in(directory: Path) -> Iterator[None]:
    """Wait until no other process is in such a block for the directory; the kernel ends a dead one's turn."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
