"""Headings of documents and what stands below each, down to the next one.

Markdown is read by markdown-it's block rules, so that a `#` in a code block is no heading. reStructuredText is read by
its rule of adornments: a title line with a line of one punctuation character below it that is at least as long.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING

from duotune.data.spans import Section, Span

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.rules_block import StateBlock

_LINE_END = re.compile(r"\r\n?|\n")
_HASHES = re.compile(r"#{1,6}(?:[ \t]|\Z)")
_ADORNMENT = re.compile(r"([!-/:-@\[-`{-~])\1+[ \t]*$")


def sections(text: str, language: str) -> Iterator[Section]:
    """The sections of a document that have text of their own; none where the language has no headings here.

    Args:
        text: The document.
        language: linguist's name of its language.
    """
    starts = [0, *(match.end() for match in _LINE_END.finditer(text)), len(text)]
    headings = _HEADINGS[language](text, starts) if language in _HEADINGS else []
    ends = [first for first, _ in headings[1:]] + [len(starts) - 1]
    for (first, below), end in zip(headings, ends, strict=False):
        body = text[starts[below] : starts[end]]
        stripped = body.strip()
        if stripped:
            start = starts[below] + body.index(stripped[0])
            yield Section(starts[first], Span(start, start + len(stripped)))


def _markdown(text: str, starts: list[int]) -> list[tuple[int, int]]:
    """First line of each heading, and the line below it."""
    tokens = parser().parse(text)
    maps = [token.map for token in tokens if token.type == "heading_open" and token.level == 0]
    return [(lines[0], lines[1]) for lines in maps if lines is not None]


def _restructured(text: str, starts: list[int]) -> list[tuple[int, int]]:
    lines = [text[start:end].rstrip() for start, end in pairwise(starts)]
    found = []
    for place, (title, rule) in enumerate(pairwise(lines)):
        above = lines[place - 1] if place else ""
        long_enough = _ADORNMENT.match(rule) is not None and len(rule) >= len(title)
        if not title or not long_enough or _ADORNMENT.match(title):
            continue
        if above == rule:  # a title between two rules, which may be indented
            found.append((place - 1, place + 2))
        elif not above and title[0] != " ":
            found.append((place, place + 2))
    return found


@cache
def parser() -> MarkdownIt:
    """markdown-it's block rules of CommonMark, of whose tokens only the headings are of use."""
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"maxNesting": 20}).disable(["inline", "heading"])
    # Nothing else begins as such a heading does, so that it may be asked first; many short lines are read faster so.
    parser.block.ruler.before("code", "hashes", _hashes, {"alt": ["paragraph", "reference", "blockquote"]})
    return parser


def _hashes(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """The block rule of `# Title` (CommonMark 0.31, ATX headings), of which only the place is wanted."""
    place = state.bMarks[start] + state.tShift[start]
    if state.src[place : place + 1] != "#" or state.is_code_block(start):
        return False
    if not _HASHES.match(state.src, place, state.eMarks[start]):
        return False
    if not silent:
        state.line = start + 1
        state.push("heading_open", "", 0).map = [start, start + 1]
    return True


_HEADINGS: Mapping[str, Callable[[str, list[int]], list[tuple[int, int]]]] = {
    "Markdown": _markdown,
    "reStructuredText": _restructured,
}
