"""Draws curves as rows of text: braille dots where the terminal has them, plain signs elsewhere."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

BASE = 0x2800
BITS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""Bit of each dot of a braille cell, by row and column (Unicode, block Braille Patterns)."""
CELLS_PER_TICK = 3
LEAST_HEIGHT = 4
LEAST_WIDTH = 18
"""With fewer cells than that there is room for the curve alone."""
SMOOTHING = 0.06
"""The weight of smoothing fades to 1/e over this share of the curve's points."""


class Dot(NamedTuple):
    """A point of a curve, or several that lie so close that one stands for all.

    Attributes:
        x: Where it is.
        low: The smallest value there.
        high: The largest.
        middle: Their mean.
    """

    x: float
    low: float
    high: float
    middle: float


@dataclass(frozen=True)
class Line:
    """One curve.

    Attributes:
        name: What it is.
        dots: From left to right.
        markers: Drawn as single signs, not as a line: two curves differ by that and not by colour.
    """

    name: str
    dots: Sequence[Dot]
    markers: bool = False


@dataclass(frozen=True)
class Axes:
    """How a chart is drawn.

    Attributes:
        x_label: What the horizontal axis counts, such as `step`.
        x_end: It reaches at least so far.
        show_x: A figure on it in words.
        show_y: A figure of the vertical axis in words.
        show_value: A curve's newest value in words.
        log: The vertical axis is logarithmic; values of zero and below are left out.
        smooth: Lines are smoothed; markers are not.
        from_zero: The vertical axis begins at zero.
    """

    x_label: str = "step"
    x_end: float = 0.0
    show_x: Callable[[float], str] = "{:,.0f}".format
    show_y: Callable[[float], str] = "{:.3g}".format
    show_value: Callable[[float], str] = "{:.4g}".format
    log: bool = False
    smooth: bool = False
    from_zero: bool = False


def smoothed(dots: Sequence[Dot]) -> list[Dot]:
    """An exponential moving average whose reach is a share of the curve, without the pull to zero at its beginning
    (Kingma & Ba, Adam, 2015, §3)."""
    keep = 1 - 1 / max(1.0, SMOOTHING * len(dots))
    average, weight, found = 0.0, 0.0, []
    for dot in dots:
        average = keep * average + (1 - keep) * dot.middle
        weight = keep * weight + (1 - keep)
        value = average / weight
        found.append(Dot(dot.x, value, value, value))
    return found


def nice_step(span: float, most: int) -> float:
    """A step of 1, 2 or 5 times a power of ten that divides `span` into at most about `most` parts."""
    rough = span / max(1, most)
    power = 10.0 ** math.floor(math.log10(rough))
    return next((power * factor for factor in (1, 2, 5) if power * factor >= rough * (1 - 1e-9)), power * 10)


class _Scale:
    """Maps values to a place between 0 (bottom) and 1 (top), and knows where to write figures.

    Its ends lie on round values, so that a new extreme rarely moves everything that is drawn.
    """

    def __init__(self, low: float, high: float, log: bool, most: int) -> None:
        if high - low < 1e-12 + 1e-9 * abs(high):
            low, high = (low / 2, high * 2) if log else (low - 0.5 * (abs(low) or 1.0), high + 0.5 * (abs(high) or 1.0))
        self._to: Callable[[float], float] = math.log10 if log else float
        self._log = log
        ends, self.ticks = _decades(low, high, most) if log else _even(low, high, most)
        self._low, self._high = self._to(ends[0]), self._to(ends[1])

    def place(self, value: float) -> float | None:
        if self._log and value <= 0:
            return None
        return (self._to(value) - self._low) / (self._high - self._low)


def _even(low: float, high: float, most: int) -> tuple[tuple[float, float], list[float]]:
    """Ends on quarters of a round step around the values, and the multiples of the step between them."""
    step = nice_step(high - low, most)
    quarter = step / 4
    first, last = math.floor(low / quarter + 1e-9), math.ceil(high / quarter - 1e-9)
    ticks = [number * step for number in range(math.ceil(first / 4), math.floor(last / 4) + 1)]
    return (first * quarter, last * quarter), ticks


def _decades(low: float, high: float, most: int) -> tuple[tuple[float, float], list[float]]:
    """The same for a logarithmic axis: even steps within a decade or so, else 1, 2 and 5, or 1 alone."""
    ends, ticks = _even(low, high, most)
    if high < 10 * low and ends[0] > 0:
        return ends, ticks
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for factors in ((1, 2, 5), (1,)):
        found = [factor * 10.0**decade for decade in decades for factor in factors]
        first = max(place for place, value in enumerate(found) if value <= low * (1 + 1e-9))
        last = min((place for place, value in enumerate(found) if value >= high * (1 - 1e-9)), default=len(found) - 1)
        if last - first <= 2 * most:
            break
    return (found[first], found[last]), found[first : last + 1]


class _Grid:
    """Dots on cells: two by four in each in braille, one elsewhere."""

    def __init__(self, width: int, height: int, braille: bool) -> None:
        self.across, self.down = (2, 4) if braille else (1, 1)
        self.dot_width, self.dot_height = width * self.across, height * self.down
        self._braille = braille
        self._bits = [[0] * width for _ in range(height)]
        self._signs: dict[tuple[int, int], str] = {}

    def dot(self, x: int, y: int) -> None:
        if 0 <= x < self.dot_width and 0 <= y < self.dot_height:
            column, row = x // self.across, y // self.down
            self._bits[row][column] |= BITS[y % self.down][x % self.across] if self._braille else 1

    def sign(self, x: int, y: int, sign: str) -> None:
        if 0 <= x < self.dot_width and 0 <= y < self.dot_height:
            self._signs[y // self.down, x // self.across] = sign

    def upright(self, x: int, first: int, last: int) -> None:
        for y in range(min(first, last), max(first, last) + 1):
            self.dot(x, y)

    def stroke(self, x0: int, y0: int, x1: int, y1: int) -> None:
        """A line without gaps from one dot to another on its right."""
        if x1 <= x0:
            self.upright(x1, y0, y1)
            return
        before = y0
        for x in range(x0, x1 + 1):
            y = y0 + round((y1 - y0) * (x - x0) / (x1 - x0))
            self.upright(x, y if abs(y - before) < 2 else before + (1 if y > before else -1), y)
            before = y

    def rows(self) -> list[str]:
        rows = []
        for row, bits in enumerate(self._bits):
            plain = [(chr(BASE + bit) if self._braille else ".") if bit else " " for bit in bits]
            for column in range(len(plain)):
                plain[column] = self._signs.get((row, column), plain[column])
            rows.append("".join(plain))
        return rows


def plot(lines: Sequence[Line], width: int, height: int, axes: Axes, braille: bool) -> list[str]:
    """Rows of a chart: the names of the curves, the curves with the vertical axis, the horizontal axis.

    Args:
        lines: The curves; those of no dot are left out.
        width: Cells across; the rows are that long.
        height: Rows.
        axes: How it is drawn.
        braille: Whether the terminal shows braille.
    """
    drawn = [_prepared(line, axes) for line in lines]
    drawn = [line for line in drawn if line.dots]
    if width < 1 or height < 1:
        return []
    if not drawn:
        return [" " * width] * height
    if height < LEAST_HEIGHT or width < LEAST_WIDTH:
        return _curves(drawn, width, height, axes, braille, _scale(drawn, axes, height))
    scale = _scale(drawn, axes, max(1, (height - 3) // CELLS_PER_TICK + 1))
    labels = {_row(scale, tick, height - 3): axes.show_y(tick) for tick in scale.ticks}
    gutter = min(max(map(len, labels.values())), width - 8)
    rail, knot, corner, floor = "│┤└─" if braille else "|++-"
    inner = width - gutter - 2
    rows = [_legend(drawn, axes, width, braille)]
    for number, curve in enumerate(_curves(drawn, inner, height - 3, axes, braille, scale)):
        label = labels.get(number, "")[:gutter].rjust(gutter)
        rows.append(f"{label} {knot if number in labels else rail}{curve}")
    rows.append(f"{' ' * gutter} {corner}{floor * inner}")
    rows.append(f"{' ' * (gutter + 2)}{_x_figures(axes, _end(drawn, axes), inner)}")
    return [row[:width].ljust(width) for row in rows]


def _prepared(line: Line, axes: Axes) -> Line:
    dots: Iterable[Dot] = smoothed(line.dots) if axes.smooth and not line.markers else line.dots
    return Line(line.name, [dot for dot in dots if not axes.log or dot.low > 0], line.markers)


def _scale(lines: Sequence[Line], axes: Axes, most: int) -> _Scale:
    low = min(dot.low for line in lines for dot in line.dots)
    high = max(dot.high for line in lines for dot in line.dots)
    if axes.from_zero and not axes.log:
        low = min(low, 0.0)
    return _Scale(low, high, axes.log, most)


def _end(lines: Sequence[Line], axes: Axes) -> float:
    last = max(line.dots[-1].x for line in lines)
    if last <= axes.x_end:
        return axes.x_end or 1.0
    step = nice_step(last, 10) if last > 0 else 1.0
    return math.ceil(last / step - 1e-9) * step or 1.0


def _row(scale: _Scale, value: float, height: int) -> int:
    place = scale.place(value)
    return height - 1 if place is None else min(height - 1, round((1 - place) * (height - 1)))


def _curves(lines: Sequence[Line], width: int, height: int, axes: Axes, braille: bool, scale: _Scale) -> list[str]:
    grid = _Grid(width, height, braille)
    end = _end(lines, axes)

    def down(value: float) -> int:
        return round((1 - (scale.place(value) or 0.0)) * (grid.dot_height - 1))

    for line in lines:
        before: tuple[int, int] | None = None
        for dot in line.dots:
            x, y = round(dot.x / end * (grid.dot_width - 1)), down(dot.middle)
            if line.markers:
                grid.sign(x, y, _marker(braille))
                continue
            grid.upright(x, down(dot.high), down(dot.low))
            if before is not None:
                grid.stroke(*before, x, y)
            before = x, y
    return grid.rows()


def _marker(braille: bool) -> str:
    return "●" if braille else "*"


def _legend(lines: Sequence[Line], axes: Axes, width: int, braille: bool) -> str:
    parts = []
    for line in lines:
        sign = _marker(braille) if line.markers else ("──" if braille else "..")
        newest = line.dots[-1]
        # Markers stand for what is measured now and then: their newest value is older than that of a line beside them.
        at = f" ({axes.x_label} {axes.show_x(newest.x)})" if line.markers and axes.x_label == "step" else ""
        parts.append(f"{sign} {line.name} {axes.show_value(newest.middle)}{at}")
    notes = [word for word, on in (("log scale", axes.log), ("smoothed", axes.smooth)) if on]
    return "   ".join(parts + ([f"({', '.join(notes)})"] if notes else []))[:width]


def _x_figures(axes: Axes, end: float, width: int) -> str:
    left, middle, right = axes.show_x(0), f"{axes.x_label} {axes.show_x(end / 2)}", axes.show_x(end)
    if width < len(left) + len(right) + 2:
        return ""
    row = left + " " * (width - len(left) - len(right)) + right
    start = width // 2 - len(middle) // 2
    return row[:start] + middle + row[start + len(middle) :] if width >= len(row) > 3 * len(middle) else row
