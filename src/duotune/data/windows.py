"""How much of a file one example shows: context around a hole, and documents cut at line ends."""

from __future__ import annotations

from duotune.data.spans import Span


def context(text: str, hole: Span, budget: int, prefix_share: float) -> tuple[str, str]:
    """The source before and after a hole, cut to a number of characters at line ends.

    Args:
        text: The file.
        hole: The hole.
        budget: Most characters of prefix and suffix together.
        prefix_share: Share of the budget that belongs to the prefix.

    Returns:
        Prefix and suffix.
    """
    shown = around(text, hole, budget, prefix_share)
    return text[shown.start : hole.start], text[hole.end : shown.end]


def around(text: str, hole: Span, budget: int, prefix_share: float) -> Span:
    """The hole with the source around it, cut to a number of characters at line ends.

    What one side leaves unused goes to the other.

    Args:
        text: The file.
        hole: The hole.
        budget: Most characters before and after it together.
        prefix_share: Share of the budget that belongs to the source before it.
    """
    before, after = hole.start, len(text) - hole.end
    prefix_length = min(before, max(int(budget * prefix_share), budget - after))
    suffix_length = min(after, budget - prefix_length)
    return Span(_start(text, hole.start, prefix_length), _end(text, hole.end, suffix_length))


def windows(text: str, span: Span, budget: int) -> list[Span]:
    """A part of a text cut into pieces of at most `budget` characters, at line ends where lines are shorter."""
    cuts: list[Span] = []
    start = span.start
    while span.end - start > budget:
        end = text.rfind("\n", start, start + budget) + 1
        end = end if end > start else start + budget
        cuts.append(Span(start, end))
        start = end
    cuts.append(Span(start, span.end))
    return cuts


def _start(text: str, end: int, length: int) -> int:
    start = end - length
    if start > 0 and text[start - 1] != "\n":
        line_end = text.find("\n", start, end)
        start = line_end + 1 if line_end >= 0 else start
    return start


def _end(text: str, start: int, length: int) -> int:
    end = start + length
    if end < len(text):
        line_end = text.rfind("\n", start, end)
        end = line_end + 1 if line_end >= 0 else end
    return end
