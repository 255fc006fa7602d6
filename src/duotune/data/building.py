"""Directories that appear complete or not at all, whatever kills the process that makes them."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from duotune.errors import HostError, printable


@contextmanager
def building(target: Path) -> Iterator[Path]:
    """A directory to fill, which becomes `target` when the block ends well and vanishes when it does not.

    Every file and directory is synced before the rename, and the parent after it. When another process was first, its
    result stays: both made the same content.

    Raises:
        HostError: The file system refuses: no space, no permission.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{target.name[:16]}-", dir=target.parent))
    except OSError as error:
        raise _refused(target, error) from error
    try:
        os.chmod(temporary, 0o777 & ~_umask())
        yield temporary
        for directory, _, names in os.walk(temporary):
            for name in names:
                _sync(Path(directory) / name)
            _sync(Path(directory))
        if not target.exists():
            temporary.rename(target)
            _sync(target.parent)
    except OSError as error:
        if not target.is_dir():
            raise _refused(target, error) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _refused(target: Path, error: OSError) -> HostError:
    return HostError(
        f"{printable(target)} cannot be written: {error.strerror or error}.",
        "Check the free space and the permissions there, or set `data.location` or DUOTUNE_HOME to another place.",
    )


def _umask() -> int:
    """The process's umask; mkdtemp ignores it, and a group must be able to read what others prepared."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
