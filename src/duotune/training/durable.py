"""Directories that appear whole on disk, or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from duotune.errors import is_full, no_space


@contextmanager
def appearing_whole(target: Path) -> Iterator[Path]:
    """Yield an empty directory that becomes `target` when the block ends without an error.

    Files, directory and parent are synced, and the rename is atomic, so that a power loss leaves either the old
    state or the new one. An older `target` is replaced.

    Raises:
        HostError: If the disk is full.
    """
    partial = target.with_name(f".{target.name}.part")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        partial.mkdir(parents=True)
        yield partial
        for file in partial.iterdir():
            _sync(file)
        _sync(partial)
    except OSError as error:
        shutil.rmtree(partial, ignore_errors=True)
        if is_full(error):
            raise no_space(target) from error
        raise
    if target.exists():
        shutil.rmtree(target)
    partial.rename(target)
    _sync(target.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
