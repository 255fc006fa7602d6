"""Drafts that were put aside, because another one took their place: each a file of its own beside the draft."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from pathlib import Path

from duotune.screens.wizard.draft import Draft
from duotune.screens.wizard.keeping import draft_file, keep, not_deleted, read_draft

MOST = 20
"""So many are kept: what was put aside longer ago was started since, or is not missed, and a person still reads a list
of so many."""


def asides() -> list[Path]:
    """Their files, the newest first."""
    first = draft_file()
    found = []
    for file in first.parent.glob(f"{first.stem}-*.json"):
        with suppress(OSError):  # another terminal has just removed it
            found.append((file.stat().st_mtime_ns, file))
    return [file for _, file in sorted(found, reverse=True)]


def put_aside(draft: Draft, step: str) -> Path:
    """Keep a draft as a file of its own; the oldest of too many is deleted. One terminal at a time may do it.

    Args:
        draft: The draft.
        step: Where its author was.

    Returns:
        The file; that of the same draft, where it was put aside before.

    Raises:
        HostError: It cannot be written.
    """
    there = asides()
    same = (file for file in there if (kept := read_draft(file)) is not None and kept.draft == draft)
    file = next(same, None) or _free_name()
    keep(draft, step, file)
    for old in [one for one in there if one != file][MOST - 1 :]:
        with suppress(OSError):  # one more than enough does no harm
            old.unlink()
    return file


def remove(file: Path) -> None:
    """Delete one.

    Raises:
        HostError: The disk refuses it.
    """
    try:
        file.unlink(missing_ok=True)
    except OSError as error:
        raise not_deleted(file, error) from error


def _free_name() -> Path:
    first = draft_file()
    name = f"{first.stem}-{datetime.now():%Y%m%d-%H%M%S}"
    names = (first.with_name(f"{name}{f'-{count}' if count else ''}.json") for count in range(1000))
    return next((one for one in names if not one.exists()), first.with_name(f"{name}-more.json"))
