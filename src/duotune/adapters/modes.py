"""Who may read published adapters, and what was made of them: a server's own user must be able to."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from duotune import paths

SYSTEM_FILE, SYSTEM_DIRECTORY = 0o440, 0o2550
USER_FILE, USER_DIRECTORY = 0o444, 0o555
PERSONS_UMASK = "DUOTUNE_UMASK"
"""Environment variable with the umask of who called duotune, in octal; duotune's own and its worker's is 007."""
UNKNOWN_UMASK = 0o027


def seal(directory: Path) -> None:
    """Take every write permission off a directory and its files.

    safetensors writes files that only their owner can read, whatever the umask; another service's user would then be
    told that they do not exist. In a system install only the group `duotune` reads, which the directory passes on.
    """
    system = paths.home() == paths.SYSTEM_HOME
    _set(directory, SYSTEM_FILE if system else USER_FILE, SYSTEM_DIRECTORY if system else USER_DIRECTORY)


def hand_over(directory: Path) -> None:
    """Give a directory and its files the modes of what its owner makes: those that their umask leaves.

    In a system install, whose worker is another user, only the group `duotune` reads it, as a published adapter.
    """
    if paths.home() == paths.SYSTEM_HOME:
        _set(directory, SYSTEM_FILE | stat.S_IWUSR, SYSTEM_DIRECTORY | stat.S_IWUSR)
        return
    asked, group = ~_umask(), directory.parent.stat().st_mode & stat.S_ISGID  # which a shared folder passes on
    _set(directory, 0o666 & asked | 0o600, 0o777 & asked | 0o700 | group)


def _umask() -> int:
    try:
        return int(os.environ.get(PERSONS_UMASK, ""), 8)
    except ValueError:
        return UNKNOWN_UMASK


def _set(directory: Path, file: int, folder: int) -> None:
    for root, _, files in os.walk(directory, topdown=False):
        for name in files:
            (Path(root) / name).chmod(file)
        Path(root).chmod(folder)
