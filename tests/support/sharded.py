"""What the tests let helper processes do."""

from __future__ import annotations

import os
import select
import signal
import sys
from collections.abc import Sequence

from duotune.errors import UsageError

_LONGEST_SECONDS = 60


def with_process(shared: str, item: int) -> tuple[tuple[str, int], int]:
    """The arguments, and the process that was asked."""
    return (shared, item), os.getpid()


def loaded_modules(shared: None, names: Sequence[str]) -> list[str]:
    """Which of some modules are loaded."""
    return [name for name in names if name in sys.modules]


def refusing(wrong: int, item: int) -> int:
    """The item, unless it is the wrong one."""
    if item == wrong:
        raise UsageError(f"item {item} is wrong", "Leave it out.")
    return item


def dividing(shared: int, item: int) -> float:
    """One over the other."""
    return shared / item


def killed(shared: None, item: int) -> int:
    """Ends the process from outside."""
    os.kill(os.getpid(), signal.SIGKILL)
    return item


def endless_after_first(shared: None, item: int) -> int:
    """Answers the first item, and then computes for ever."""
    while item:
        pass
    return item


def ends(process_descriptor: int) -> bool:
    """Whether a process, by its file descriptor, ends within a minute."""
    return bool(select.select([process_descriptor], [], [], _LONGEST_SECONDS)[0])
