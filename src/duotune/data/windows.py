"""How much of a file one example shows: context around a middle, and documents cut at line ends."""

from __future__ import annotations

from duotune.data.syntax import Span


def context(text: str, middle: Span, budget: int, prefix_share: float) -> tuple[str, str]:
    """The source before and after a middle, cut to a number of characters at line ends.

    What one side leaves unused goes to the other.

    Args:
        text: The file.
        middle: The hole.
        budget: Most characters of prefix and suffix together.
        prefix_share: Share of the budget that belongs to the prefix.

    Returns:
        Prefix and suffix.
    """
    before, after = middle.start, len(text) - middle.end
    prefix_length = min(before, max(int(budget * prefix_share), budget - after))
    suffix_length = min(after, budget - prefix_length)
    return _tail(text, middle.start, prefix_length), _head(text, middle.end, suffix_length)


def pieces(text: str, budget: int) -> list[str]:
    """A text cut into pieces of at most `budget` characters, at line ends where lines are shorter than that."""
    cuts: list[str] = []
    start = 0
    while len(text) - start > budget:
        end = text.rfind("\n", start, start + budget) + 1
        end = end if end > start else start + budget
        cuts.append(text[start:end])
        start = end
    cuts.append(text[start:])
    return cuts


def _tail(text: str, end: int, length: int) -> str:
    start = end - length
    if start > 0 and text[start - 1] != "\n":
        line_end = text.find("\n", start, end)
        start = line_end + 1 if line_end >= 0 else start
    return text[start:end]


def _head(text: str, start: int, length: int) -> str:
    end = start + length
    if end < len(text):
        line_end = text.rfind("\n", start, end)
        end = line_end + 1 if line_end >= 0 else end
    return text[start:end]
