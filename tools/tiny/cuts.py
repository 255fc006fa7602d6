"""Where a middle is taken out of a source file."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Cut:
    """A middle ``text[start:end]`` taken out of a file."""

    start: int
    end: int


def cut_line(text: str, rng: np.random.Generator, *, kind: str = "rest", snap: bool = False) -> Cut | None:
    """Take a middle out of a random non-blank line.

    Args:
        text: A source file.
        rng: Where the choice comes from.
        kind: ``rest`` (to the line's end), ``span`` (ends inside the line) or ``lines`` (ends one to four lines on).
        snap: Move the start back to the start of a word.

    Returns:
        The cut, or ``None`` where the line drawn holds nothing to cut.
    """
    position = int(rng.integers(len(text)))
    line_start = text.rfind("\n", 0, position) + 1
    line_end = _line_end(text, line_start)
    line = text[line_start:line_end]
    indent = len(line) - len(line.lstrip())
    if indent >= len(line.rstrip()):
        return None
    start = line_start + int(rng.integers(indent, len(line.rstrip())))
    while snap and start > line_start + indent and _inside_word(text, start):
        start -= 1
    if kind == "span":
        return Cut(start, min(line_end, start + 1 + int(rng.geometric(0.1))))
    if kind == "lines":
        if rng.random() < 0.25:
            start = line_start
        for _ in range(int(rng.integers(1, 5))):
            line_end = _line_end(text, min(line_end + 1, len(text)))
    return Cut(start, line_end)


def _line_end(text: str, position: int) -> int:
    end = text.find("\n", position)
    return len(text) if end < 0 else end


def _inside_word(text: str, position: int) -> bool:
    before, after = text[position - 1], text[position]
    return (before.isalnum() or before == "_") and (after.isalnum() or after == "_")
