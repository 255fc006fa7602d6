"""A confidence interval as a bar around zero."""

from __future__ import annotations

from dataclasses import dataclass

from textual.content import Content

from duotune.widgets.glyphs import glyphs


@dataclass(frozen=True)
class _Signs:
    left: str
    line: str
    right: str
    point: str
    zero: str
    ground: str


_UNICODE = _Signs("├", "─", "┤", "●", "│", "·")
_ASCII = _Signs("[", "-", "]", "o", "|", ".")


def interval_bar(value: float, low: float, high: float, reach: float, width: int, style: str) -> Content:
    """The bar; zero is in its middle.

    Args:
        value: The figure itself.
        low: Lower end of its interval.
        high: Upper end.
        reach: What the right edge stands for; what lies beyond is cut.
        width: In cells; an even one is taken one narrower, so that zero has a cell of its own.
        style: Of the interval.
    """
    signs = _UNICODE if glyphs().braille else _ASCII
    half = (width - 1) // 2
    if half < 2 or reach <= 0:
        return Content(" " * max(0, width))

    def place(figure: float) -> int:
        return min(2 * half, max(0, half + round(figure / reach * half)))

    cells = [signs.ground] * (2 * half + 1)
    cells[half] = signs.zero
    first, last = place(low), place(high)
    for cell in range(first, last + 1):
        cells[cell] = signs.line
    if last > first:
        cells[first], cells[last] = signs.left, signs.right
        if first < half < last:
            cells[half] = "┼" if glyphs().braille else "+"
    cells[place(value)] = signs.point
    text = "".join(cells)
    return Content.assemble(
        (text[:first], "$text-disabled"), (text[first : last + 1], style), (text[last + 1 :], "$text-disabled")
    )
