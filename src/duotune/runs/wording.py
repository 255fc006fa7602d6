"""How counts and sizes are written, on the terminal and in reports alike."""

from __future__ import annotations


def counted(count: int, word: str) -> str:
    """`1 file`, `2 files`."""
    return f"{count:,} {word}" if count == 1 else f"{count:,} {word}s"


def too_few(count: int, word: str) -> str:
    """`No file`, `Only 1 file`, `Only 2 files`: the beginning of a refusal."""
    return f"Only {counted(count, word)}" if count else f"No {word}"


def in_bytes(count: float) -> str:
    """A size with a decimal unit of three significant digits: `8.07 MB`."""
    for unit in ("B", "kB", "MB", "GB"):
        if abs(count) < 1000:
            return f"{count:.0f} B" if unit == "B" else f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} TB"
