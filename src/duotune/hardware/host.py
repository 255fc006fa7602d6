"""Readings of the host: cores, memory and free disk space."""

from __future__ import annotations

import getpass
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import psutil


@dataclass(frozen=True)
class Host:
    """Cores that this process may use, and memory in bytes."""

    cores: int
    memory_total_bytes: int
    memory_available_bytes: int


def read_host() -> Host:
    """The host now."""
    memory = psutil.virtual_memory()
    return Host(len(os.sched_getaffinity(0)), memory.total, memory.available)


def disk_free_bytes(path: Path) -> int:
    """Free bytes for this user on the file system that holds `path`, which need not exist yet."""
    existing = next(parent for parent in (path, *path.parents) if parent.exists())
    return shutil.disk_usage(existing).free


def user_name() -> str:
    """Who runs this process: the person behind sudo, if there is one."""
    try:
        return os.environ.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):
        return str(os.geteuid())
