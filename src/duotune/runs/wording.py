"""How counts, sizes and durations are written, on the terminal, in the app and in reports alike."""

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
        # What would be rounded up to a thousand is one of the next unit.
        if abs(count) < 999.5:
            return f"{count:.0f} B" if unit == "B" else f"{_three_digits(count)} {unit}"
        count /= 1000
    return f"{_three_digits(count)} TB"


def in_gib(count: float) -> str:
    """Memory in binary units, as drivers and data sheets give it: `23.4 GiB`, `77 MiB`."""
    return f"{_three_digits(count / 2**30)} GiB" if count >= 2**30 else f"{_three_digits(count / 2**20)} MiB"


def in_words(seconds: float | None) -> str:
    """A duration that a person reads at a glance: `45 s`, `12 min`, `3 h 05 min`."""
    if seconds is None:
        return "–"
    if seconds < 90:
        return f"{max(0, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"


def _three_digits(figure: float) -> str:
    """`0.85`, `23.4`, `1,010`: three significant digits, or all before the point, or three after it."""
    if abs(figure) >= 99.95:
        return f"{figure:,.0f}"
    return f"{figure:.3g}" if abs(figure) >= 0.1 else f"{figure:.3f}".rstrip("0").rstrip(".")
