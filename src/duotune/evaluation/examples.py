"""The items of an evaluation one by one: read back, chosen and ranked. Needs neither torch nor numpy."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from duotune.errors import HostError, printable
from duotune.evaluation.results import Groups, ItemResult

ITEMS = "items.jsonl"
GROUPS = "groups.json"
RANKED_BY = "edit_similarity"
Choice = Literal["all", "won", "lost", "bad"]


def read_results(file: Path, breathe: Callable[[], None] = lambda: None) -> tuple[list[ItemResult], int]:
    """All items of `items.jsonl`, and how many of its lines are damaged or of another version.

    Args:
        file: The file; items hold whole prompts and answers, so that it may have many megabytes.
        breathe: Called between two items.

    Raises:
        HostError: It cannot be read.
    """
    items, unread = [], 0
    try:
        with file.open("rb") as stream:
            for line in stream:
                try:
                    items.append(ItemResult.model_validate_json(line))
                except ValidationError:
                    unread += 1
                breathe()
    except OSError as error:
        raise HostError(
            f"The answers in {printable(file)} cannot be read: {error.strerror}.",
            "Look whether the run's directory is whole; its report may still be there.",
        ) from error
    return items, unread


def read_groups(file: Path) -> Groups | None:
    """The figures by language and project; None where there are none, or of another version."""
    try:
        return Groups.model_validate_json(file.read_bytes())
    except (OSError, ValidationError):
        return None


def gain(item: ItemResult) -> float:
    """How much more like the author's code the adapter's answer is than the base model's, from -1 to 1."""
    pair = item.metrics[RANKED_BY]
    return (pair.base if pair.adapter is None else pair.adapter) - pair.base


def bad_reason(item: ItemResult) -> str | None:
    """Why the evaluated side's answer is bad; None for one that is not."""
    return item.bad_reasons[0 if item.adapter is None else 1]


def chosen(items: Iterable[ItemResult], choice: Choice, worst_first: bool = False) -> list[ItemResult]:
    """Some of the items, by gain: the best first, or the worst."""
    keep: dict[Choice, Callable[[ItemResult], bool]] = {
        "all": lambda item: True,
        "won": lambda item: gain(item) > 0,
        "lost": lambda item: gain(item) < 0,
        "bad": lambda item: bad_reason(item) is not None,
    }
    sign = 1 if worst_first else -1
    return sorted(filter(keep[choice], items), key=lambda item: (sign * gain(item), item.id))
