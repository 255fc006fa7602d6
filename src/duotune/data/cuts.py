"""Where a middle begins and ends: the one sampler of training examples and of evaluation items.

Both must look alike. A model trained on middles that begin where evaluation's never do learns another task, and it
shows first where a middle ends: it runs on. Editors ask with the cursor inside a line, after its indentation.
"""

from __future__ import annotations

import re
from typing import Literal

from duotune.data.dice import Dice
from duotune.data.placeholders import overlaps, placeholders
from duotune.data.spans import Span
from duotune.data.syntax import SyntaxTree

MiddleKind = Literal["rest-of-line", "lines", "node", "span"]

MIN_CHARACTERS = 4
MAX_CHARACTERS = 400
"""About the 128 tokens that GitLab's gateway lets a completion have; longer answers are those of function bodies."""
MAX_BODY_CHARACTERS = 1200
"""Longest function body, described code or section: about what evaluation's default of 256 tokens lets an answer have,
and half again, since indentation costs few tokens."""
MIN_VISIBLE = 3
"""Fewest characters of a middle that are not white space."""
_NODE_CHARACTERS = (8, 160)
_LINES = (2, 8)
_INSIDE_A_WORD = 0.3
_TRIES = 8
_BOUNDARY = re.compile(r"(?<=\w)(?=[^\w\s])|(?<=[^\w\s])(?=\w)|(?<=\s)(?=\S)|(?<=\S)(?=\s)")


def cut(kind: MiddleKind, text: str, tree: SyntaxTree | None, dice: Dice, at_most: int = MAX_CHARACTERS) -> Span | None:
    """A middle of a text, or None when none of the kind was found in a few tries.

    Args:
        kind: `rest-of-line`: from a place inside a line to its end; `lines`: whole lines from the first one's
            indentation on; `node`: a syntax node; `span`: characters anywhere.
        text: The file.
        tree: Its tree; without one there are no nodes.
        dice: Where chance comes from.
        at_most: Most characters of the middle, at most 400.

    Returns:
        A middle worth asking for: some of it is visible, and nothing of it was redacted.
    """
    redacted = placeholders(text)
    for _ in range(_TRIES):
        place = dice.below(len(text))
        if kind == "rest-of-line":
            found = _rest_of_line(text, place, dice)
        elif kind == "lines":
            found = _lines(text, place, dice)
        elif kind == "node":
            found = _node(text, place, tree, dice, at_most)
        else:
            found = _span(text, place, dice, at_most)
        if found is not None and _is_worth_asking(text, found, at_most) and not overlaps(redacted, found):
            return found
    return None


def visible(text: str) -> int:
    """How many characters are not white space."""
    return sum(map(len, text.split()))


def _is_worth_asking(text: str, span: Span, at_most: int) -> bool:
    middle = text[span.start : span.end]
    return MIN_CHARACTERS <= len(middle) <= at_most and visible(middle) >= MIN_VISIBLE


def _line_around(text: str, place: int) -> tuple[int, int]:
    """Start of the line's first visible character, and its end without the line feed."""
    start = text.rfind("\n", 0, place) + 1
    end = text.find("\n", place)
    end = len(text) if end < 0 else end
    return start + len(text[start:end]) - len(text[start:end].lstrip()), end


def _rest_of_line(text: str, place: int, dice: Dice) -> Span | None:
    start, end = _line_around(text, place)
    if end - start < MIN_CHARACTERS:
        return None
    if dice.uniform() < _INSIDE_A_WORD:
        return Span(start + dice.below(end - start), end)
    starts = [start, *(match.start() for match in _BOUNDARY.finditer(text, start + 1, end))]
    return Span(dice.choice(starts), end)


def _lines(text: str, place: int, dice: Dice) -> Span | None:
    start, end = _line_around(text, place)
    for _ in range(dice.between(*_LINES) - 1):
        if end >= len(text):
            break
        following = text.find("\n", end + 1)
        end = len(text) if following < 0 else following
    stripped = text[start:end].rstrip()
    return Span(start, start + len(stripped)) if "\n" in stripped else None


def _node(text: str, place: int, tree: SyntaxTree | None, dice: Dice, at_most: int) -> Span | None:
    if tree is None or text[place].isspace():
        return None
    # The wanted length is drawn first: nodes drawn evenly would nearly all be single names.
    return tree.node_around(place, int(dice.log_between(*_NODE_CHARACTERS)), at_most)


def _span(text: str, place: int, dice: Dice, at_most: int) -> Span | None:
    if text[place].isspace():
        return None
    length = int(dice.log_between(MIN_CHARACTERS, at_most))
    return Span(place, min(len(text), place + length))
