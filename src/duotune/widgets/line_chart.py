"""A chart of one or a few curves that sends the terminal only the cells that changed."""

from __future__ import annotations

from collections.abc import Sequence

from rich.segment import Segment
from textual.events import Resize
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from duotune.widgets.glyphs import glyphs
from duotune.widgets.plot import Axes, Line, plot


class LineChart(Widget):
    """The chart. Every row has one style, so that it costs the terminal few bytes."""

    DEFAULT_CSS = "LineChart { height: 1fr; color: $accent; }"

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self._lines: Sequence[Line] = ()
        self._axes = Axes()
        self._rows: list[str] = []

    @property
    def rows(self) -> list[str]:
        """What is drawn, row by row."""
        return list(self._rows)

    def show(self, lines: Sequence[Line], axes: Axes) -> None:
        """Show these curves; nothing is repainted where they look as before."""
        self._lines, self._axes = lines, axes
        self._draw()

    def on_resize(self, event: Resize) -> None:
        """Draw for the room there is."""
        self._draw()

    def render_line(self, y: int) -> Strip:
        """One row as it was drawn last."""
        if y >= len(self._rows):
            return Strip.blank(self.size.width, self.rich_style)
        return Strip([Segment(self._rows[y], self.rich_style)], len(self._rows[y]))

    def _draw(self) -> None:
        width, height = self.size
        before, self._rows = self._rows, plot(self._lines, width, height, self._axes, glyphs().braille)
        if len(before) != len(self._rows) or (before and len(before[0]) != width):
            self.refresh()
        else:
            self._repaint(before)

    def _repaint(self, before: Sequence[str]) -> None:
        regions = []
        for y, (old, new) in enumerate(zip(before, self._rows, strict=True)):
            if old != new:
                changed = [x for x, (one, other) in enumerate(zip(old, new, strict=True)) if one != other]
                regions.append(Region(changed[0], y, changed[-1] - changed[0] + 1, 1))
        if regions:
            self.refresh(*regions)
