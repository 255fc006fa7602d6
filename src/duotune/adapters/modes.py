"""Who may read published adapters, and what was made of them: a server's own user must be able to."""

from __future__ import annotations

import os
from pathlib import Path

from duotune import paths

SYSTEM_FILE, SYSTEM_DIRECTORY = 0o440, 0o2550
USER_FILE, USER_DIRECTORY = 0o444, 0o555


def seal(directory: Path) -> None:
    """Take every write permission off a directory and its files.

    safetensors writes files that only their owner can read, whatever the umask; another service's user would then be
    told that they do not exist. In a system install only the group `duotune` reads, which the directory passes on.
    """
    _set(directory, 0o000)


def hand_over(directory: Path) -> None:
    """Let the owner of a directory change it, and the same people read it as a published adapter."""
    _set(directory, 0o200)


def _set(directory: Path, writing: int) -> None:
    system = paths.home() == paths.SYSTEM_HOME
    for root, _, files in os.walk(directory, topdown=False):
        for name in files:
            (Path(root) / name).chmod((SYSTEM_FILE if system else USER_FILE) | writing)
        Path(root).chmod((SYSTEM_DIRECTORY if system else USER_DIRECTORY) | writing)
