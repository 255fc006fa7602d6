"""How sizes are written; a floor below everything that refuses something for want of room."""

from __future__ import annotations


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


def _three_digits(figure: float) -> str:
    """`0.85`, `23.4`, `1,010`: three significant digits, or all before the point, or three after it."""
    if abs(figure) >= 99.95:
        return f"{figure:,.0f}"
    return f"{figure:.3g}" if abs(figure) >= 0.1 else f"{figure:.3f}".rstrip("0").rstrip(".")
