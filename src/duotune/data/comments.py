"""Comments and the code that they speak of, by tree-sitter."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from duotune.data.grammars import GRAMMARS, SEQUENCES

if TYPE_CHECKING:
    from tree_sitter import Node

MAX_BYTES = 5000
"""Longer code is never asked for; a bound also for files that are one long run of statements."""
MIN_WORDS = 3
"""A comment of fewer words is a label, a rule of dashes, or an order to a tool."""
_WORD = re.compile(rb"[A-Za-z\x80-\xff]{2,}")
# Orders to tools, banners, and code that was commented out: what follows is not what they describe.
_NO_DESCRIPTION = re.compile(
    rb"^\W*(?:noqa|type:|pylint|pragma|eslint|prettier|@ts-|tslint|jshint|clang-format|NOLINT|nolint|go:|\+build|rubocop"
    rb"|phpcs|fmt:|isort|mypy|region|endregion|copyright|\(c\)|SPDX|licen[sc]ed?\b)|[-=#~_]{5}|\*{5}|[;{]\s*(?:\*/\s*)?$",
    re.IGNORECASE,
)
_AFTER = re.compile(rb"[;,]?[ \t]*(?:\n|\Z)")


@dataclass(frozen=True)
class Described:
    """A comment with its code, in bytes.

    Attributes:
        comment: Where the comment begins.
        start: Where the code begins.
        end: Where it ends.
    """

    comment: int
    start: int
    end: int


def described(content: bytes, root: Node, comments: Sequence[Node], language: str) -> Iterator[Described]:
    """Comments on lines of their own, each with the definition or the statements on the lines directly below.

    Args:
        content: The text.
        root: Its tree.
        comments: Its comments in their order.
        language: Its language.
    """
    for start, end in _runs(content, comments):
        text = content[start:end]
        if len(_WORD.findall(text)) < MIN_WORDS or _NO_DESCRIPTION.search(text):
            continue
        line = content.find(b"\n", end) + 1
        line_end = content.find(b"\n", line) if line else -1
        if not line or line_end < 0:
            continue
        below = content[line:line_end]
        if not below.strip():
            continue
        place = line + len(below) - len(below.lstrip())
        code_end = _code_end(content, root, place, language)
        if code_end is not None:
            yield Described(start, place, code_end)


def _runs(content: bytes, comments: Sequence[Node]) -> Iterator[tuple[int, int]]:
    """Comments that stand alone on their lines; those on neighbouring lines are one."""
    run: tuple[int, int] | None = None
    for node in comments:
        start, end = node.start_byte, node.start_byte + len(content[node.start_byte : node.end_byte].rstrip())
        if content[content.rfind(b"\n", 0, start) + 1 : start].strip():
            continue  # after code
        if run is not None and content[run[1] : start].strip() == b"" and content.count(b"\n", run[1], start) == 1:
            run = run[0], end
            continue
        if run is not None:
            yield run
        run = start, end
    if run is not None:
        yield run


def _code_end(content: bytes, root: Node, place: int, language: str) -> int | None:
    """Where the definition or the paragraph of statements that begins at a place ends; None when it is broken."""
    grammar = GRAMMARS[language]
    node = root.named_descendant_for_byte_range(place, place)
    if node is None or node.start_byte != place or node.type in grammar.comments:
        return None
    while node.parent is not None and node.parent.start_byte == place and node.parent.type not in SEQUENCES:
        node = node.parent
    if node.parent is None:
        return None
    last = node
    while last.end_point.row == last.start_point.row and not last.has_error:
        if last.end_byte - place > MAX_BYTES:
            return None
        following = last.next_named_sibling
        if (
            following is None
            or following.start_point.row != last.end_point.row + 1
            or following.type in grammar.comments
        ):
            break
        last = following
    if node.has_error or last.has_error:
        return None
    end = int(last.end_byte)
    after = _AFTER.match(content, end)
    return end + len(after.group().rstrip()) if after is not None else end
