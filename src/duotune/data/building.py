"""Directories that appear complete or not at all, whatever kills the process that makes them."""

from __future__ import annotations

import os
import platform
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from duotune.disk import rename, sync_tree
from duotune.errors import HostError, is_full, no_space, printable


@contextmanager
def building(target: Path, final_name: Callable[[], str] | None = None) -> Iterator[Path]:
    """A directory to fill, which becomes `target` when the block ends well and vanishes when it does not.

    Every file and directory is synced before the rename, and the parent after it. When another process was first, its
    result stays: both made the same content. What killed processes left behind is removed.

    Args:
        target: What it becomes.
        final_name: Asked at the end for another name beside `target`, where the content decides it.

    Raises:
        HostError: The file system refuses: no space, no permission.
    """
    temporary = target.parent / f".{target.name[:16]}-{platform.node()}-{os.getpid()}"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(target.parent)
        temporary.mkdir()
        yield temporary
        sync_tree(temporary)
        target = target.with_name(final_name()) if final_name else target
        if not target.exists():
            rename(temporary, target)
    except OSError as error:
        if not target.is_dir():
            if is_full(error):
                raise no_space(target) from error
            raise HostError(
                f"{printable(target)} cannot be written: {error.strerror or error}.",
                "Check the permissions there, or set `data.location` or DUOTUNE_HOME to another place.",
            ) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _remove_abandoned(parent: Path) -> None:
    """Remove what dead processes of this machine left; another machine's may live, the directory may be shared."""
    ours = re.compile(rf"\.[0-9a-f]{{16}}-{re.escape(platform.node())}-(\d+)")
    for left in parent.iterdir():
        match = ours.fullmatch(left.name)
        if match and (int(match[1]) == os.getpid() or not Path(f"/proc/{match[1]}").exists()):
            shutil.rmtree(left, ignore_errors=True)
