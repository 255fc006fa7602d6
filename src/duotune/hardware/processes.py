"""Families of processes: a program's memory is also that of what it has started."""

from __future__ import annotations

from collections.abc import Collection

import psutil


def is_of(pid: int, roots: Collection[int]) -> bool:
    """Whether a process is one of `roots` or descends from one; only its ancestors are looked at, not every process."""
    if not roots:
        return False
    try:
        return pid in roots or any(parent.pid in roots for parent in psutil.Process(pid).parents())
    except psutil.Error:  # it is gone, or the host hides it
        return False


def family(pid: int) -> list[psutil.Process]:
    """A process and all that descend from it; empty when it is gone."""
    try:
        root = psutil.Process(pid)
        return [root, *root.children(recursive=True)]
    except psutil.Error:
        return []


def resident_bytes(processes: Collection[psutil.Process]) -> int:
    """Memory of the host that they hold; what two of them share counts twice."""
    total = 0
    for process in processes:
        try:
            total += process.memory_info().rss
        except psutil.Error:
            continue
    return total
