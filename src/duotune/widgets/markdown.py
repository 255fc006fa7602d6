"""Reports as blocks: the Markdown that duotune writes itself; anything else in it is text, and does nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from duotune.widgets.differences import shown_lines

_FENCE = re.compile(r"`{3,}")
_HEADING = re.compile(r"(#{1,6}) +(.+)")
_RULE = re.compile(r"\|( *:?-+:? *\|)+ *")
_BAR = re.compile(r"(?<!\\)\|")


@dataclass(frozen=True)
class Heading:
    """A line above others; level 1 is the title."""

    level: int
    text: str


@dataclass(frozen=True)
class Paragraph:
    """Sentences; with a bullet before them, an item of a list."""

    text: str
    bullet: bool = False


@dataclass(frozen=True)
class Code:
    """Lines that are shown as they are."""

    lines: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """A table.

    Attributes:
        heads: Names of its columns.
        right: Whether each column stands to the right.
        rows: Cells; as many as there are names.
    """

    heads: tuple[str, ...]
    right: tuple[bool, ...]
    rows: tuple[tuple[str, ...], ...]


Block = Heading | Paragraph | Code | Table


def parsed(text: str) -> list[Block]:
    """The blocks of a report, free of control characters."""
    return list(_blocks(shown_lines(text)))


def _blocks(lines: Sequence[str]) -> Iterator[Block]:
    at = 0
    while at < len(lines):
        line = lines[at]
        if fence := _FENCE.match(line):
            end = next((i for i in range(at + 1, len(lines)) if lines[i] == fence[0]), len(lines))
            yield Code(tuple(lines[at + 1 : end]))
            at = end + 1
        elif heading := _HEADING.fullmatch(line):
            yield Heading(len(heading[1]), heading[2])
            at += 1
        elif _is_table(lines, at):
            end = next((i for i in range(at, len(lines)) if not lines[i].startswith("|")), len(lines))
            yield _table(lines[at:end])
            at = end
        elif line.startswith("- "):
            yield Paragraph(line[2:], bullet=True)
            at += 1
        elif line.strip():
            yield Paragraph(line.strip())
            at += 1
        else:
            at += 1


def _is_table(lines: Sequence[str], at: int) -> bool:
    return lines[at].startswith("|") and at + 1 < len(lines) and _RULE.fullmatch(lines[at + 1]) is not None


def _table(lines: Sequence[str]) -> Table:
    heads, rules, *rows = map(_cells, lines)
    filled = (tuple([*row, *[""] * (len(heads) - len(row))][: len(heads)]) for row in rows)
    right = (rule.endswith(":") and not rule.startswith(":") for rule in rules)
    return Table(heads, tuple(right), tuple(filled))


def _cells(line: str) -> tuple[str, ...]:
    inner = line.strip().removeprefix("|")
    return tuple(cell.strip().replace("\\|", "|") for cell in _BAR.split(inner)[:-1])
