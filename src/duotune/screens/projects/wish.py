"""What a person wants of adapters for one project or several: what only some of them have stays until it is decided."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence

MOST_NAMED = 3
MOST_SENTENCES = 4
Assigned = Mapping[str, tuple[str, ...]]
"""Adapters in order of preference, by project."""


class Wish:
    """It begins with what all of them have.

    Args:
        before: What is assigned now.
        offered: What is proposed as the first of all; empty for nothing.

    Attributes:
        chosen: What all get, in order of preference.
        kept: What those go on having that have it now.
    """

    def __init__(self, before: Assigned, offered: str = "") -> None:
        self.before = before
        first, *others = before.values()
        common = [name for name in first if all(name in one for one in others)]
        self._partly = {name for one in before.values() for name in one} - {*common, offered}
        self._begun = common
        self.chosen = [offered, *(name for name in common if name != offered)] if offered else list(common)
        self.kept = set(self._partly)

    def turn(self, name: str) -> None:
        """Choose an adapter as the next, or take it back from all; of what some have, leave it to them after that."""
        if name in self.chosen:
            self.chosen.remove(name)
        elif name in self.kept or name not in self._partly:
            self.kept.discard(name)
            self.chosen.append(name)
        else:
            self.kept.add(name)

    def clear(self) -> None:
        """The base model for all."""
        self.chosen.clear()
        self.kept.clear()

    def having(self, name: str) -> int:
        """How many of the projects have an adapter now."""
        return sum(name in one for one in self.before.values())

    @property
    def after(self) -> Assigned:
        """What each project would get."""
        if self.chosen == self._begun and self.kept == self._partly:
            return self.before
        return {project: self._of(own) for project, own in self.before.items()}

    def _of(self, own: Sequence[str]) -> tuple[str, ...]:
        """Its own order where that is the chosen one too, else the chosen ones first."""
        left = [name for name in own if name in self.kept or name in self.chosen]
        merged = [*left, *(name for name in self.chosen if name not in own)]
        if [name for name in merged if name in self.chosen] == self.chosen:
            return tuple(merged)
        return (*self.chosen, *(name for name in left if name not in self.chosen))


def sentences(assigned: Assigned) -> list[str]:
    """Who gets what, those together who get the same; of very different ones, the first."""
    alike: dict[tuple[str, ...], list[str]] = {}
    for project, adapters in assigned.items():
        alike.setdefault(adapters, []).append(project)
    told = [
        f"{some(projects)} {'gets' if len(projects) == 1 else 'get'} {', then '.join(adapters) or 'the base model'}"
        for adapters, projects in alike.items()
    ]
    if len(told) <= MOST_SENTENCES:
        return told
    rest = list(alike.values())[MOST_SENTENCES - 1 :]
    return [*told[: MOST_SENTENCES - 1], f"and {sum(map(len, rest))} more projects something else each"]


def command(assigned: Assigned) -> str:
    """What does the same in a shell."""
    return " && ".join(
        shlex.join(["duotune", "assign", project, *(adapters or ["--base"])]) for project, adapters in assigned.items()
    )


def some(names: Sequence[str]) -> str:
    """Names in a row; of many, the first."""
    shown = ", ".join(names[:MOST_NAMED])
    return shown if len(names) <= MOST_NAMED else f"{shown} and {len(names) - MOST_NAMED} more"
