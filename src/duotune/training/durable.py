"""Directories that appear whole on disk, or not at all."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from duotune.disk import rename, sync_tree
from duotune.errors import is_full, no_space

LEFTOVERS = (".part", ".old")


@contextmanager
def appearing_whole(target: Path) -> Iterator[Path]:
    """Yield an empty directory that becomes `target` when the block ends without an error.

    Files, directory and parent are synced, and the rename is atomic, so that after a power loss `target` is whole or
    missing, never half. An older `target` is first renamed, then removed; a power loss between the two renames leaves
    `target` missing, with the old and the new one whole under hidden names, which `sweep` removes: who writes over
    something must be able to write it again.

    Raises:
        HostError: If the disk is full.
    """
    partial, old = (target.with_name(f".{target.name}{ending}") for ending in LEFTOVERS)
    for leftover in (partial, old):
        shutil.rmtree(leftover, ignore_errors=True)
    try:
        partial.mkdir(parents=True)
        yield partial
        sync_tree(partial)
    except OSError as error:
        shutil.rmtree(partial, ignore_errors=True)
        if is_full(error):
            raise no_space(target) from error
        raise
    if target.exists():
        target.rename(old)
    rename(partial, target)
    shutil.rmtree(old, ignore_errors=True)


def sweep(root: Path) -> None:
    """Remove from `root` what writers that were killed left there; no writer may be at work in it."""
    for ending in LEFTOVERS:
        for leftover in root.glob(f".*{ending}"):
            shutil.rmtree(leftover, ignore_errors=True)
