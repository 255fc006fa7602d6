"""The end of a log: follows what comes unless somebody scrolled back, and shows what matches a search alone."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from rich.cells import chop_cells
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

MOST_LINES = 2_000


class LogView(ScrollView, can_focus=True):
    """The log. Lines are shown literally and wrapped.

    Args:
        most: So many lines are kept, the last ones.
        follows: What comes is followed from the beginning on; else when somebody goes to the end.
    """

    DEFAULT_CSS = "LogView { height: 1fr; overflow-x: hidden; overflow-y: scroll; padding: 0 0 0 1; }"
    help_text = "Arrows and page keys scroll back; End follows what comes again. `/` shows matching lines alone."

    def __init__(self, id: str | None = None, most: int = MOST_LINES, follows: bool = True) -> None:
        super().__init__(id=id)
        self._kept: deque[str] = deque(maxlen=most)
        self._rows: list[str] = []
        self._search = ""
        self._follows = follows

    @property
    def search(self) -> str:
        """What the shown lines contain, whatever their case; empty shows all."""
        return self._search

    @property
    def rows(self) -> list[str]:
        """The lines as they are wrapped."""
        return list(self._rows)

    @property
    def found(self) -> tuple[int, int]:
        """How many lines are shown, of how many."""
        return sum(map(self._matches, self._kept)), len(self._kept)

    def add(self, lines: Sequence[str]) -> None:
        """Take new lines; without control characters, as `LogTail` reads them."""
        if lines:
            self._kept.extend(lines)
            self._wrap()

    def look_for(self, text: str) -> None:
        """Show the lines that contain a text alone, the newest in sight."""
        self._search, self._follows = text, True
        self._wrap()

    def on_resize(self) -> None:
        """Wrap for the width there is."""
        self._wrap()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Follow what comes from the end on alone."""
        super().watch_scroll_y(old_value, new_value)
        self._follows = self.is_vertical_scroll_end

    def render_line(self, y: int) -> Strip:
        """One row, with what is looked for in reverse."""
        width, base = self.scrollable_content_region.width, self.rich_style
        place = y + self.scroll_offset.y
        if place >= len(self._rows):
            return Strip.blank(width, base)
        return Strip(self._segments(self._rows[place], base)).extend_cell_length(width, base)

    def _segments(self, row: str, base: Style) -> list[Segment]:
        segments, at, wanted = [], 0, self._search.casefold()
        folded = row.casefold() if wanted else ""
        if len(folded) != len(row):  # a letter that folds to two would put the marks beside what they mark
            folded = ""
        while wanted and (found := folded.find(wanted, at)) >= 0:
            end = found + len(wanted)
            segments += [Segment(row[at:found], base), Segment(row[found:end], base + Style(reverse=True))]
            at = end
        return [*segments, Segment(row[at:], base)]

    def _matches(self, line: str) -> bool:
        return not self._search or self._search.casefold() in line.casefold()

    def _wrap(self) -> None:
        width = self.scrollable_content_region.width
        if width < 1:
            return
        self._rows = [row for line in self._kept if self._matches(line) for row in _wrapped(line, width)]
        follow, before = self._follows, self.scroll_y
        # The scrollbar is always there, so that more lines need no new layout, which would paint the whole screen.
        self.set_reactive(LogView.virtual_size, Size(width, len(self._rows)))
        self.vertical_scrollbar.window_virtual_size = len(self._rows)
        self.vertical_scrollbar.window_size = self.size.height
        if follow or self.scroll_y > self.max_scroll_y:
            self.scroll_to(y=self.max_scroll_y, animate=False, immediate=True)
        if self.scroll_y == before:
            self.refresh()


def _wrapped(line: str, width: int) -> list[str]:
    """The rows of a line: broken at spaces, which stay at the end of a row that has room for them.

    What fits no row is broken where the row ends, and so are words behind an indentation alone.
    """
    if len(line) <= width and line.isascii():
        return [line]
    rows, at, ascii_only = [], 0, line.isascii()
    while at < len(line):
        end = at + (width if ascii_only else _fitting(line[at : at + 2 * width], width))
        if end < len(line):
            end = _break(line, at, end, width)
        rows.append(line[at:end])
        at = end + line.startswith(" ", end)  # the one that the row had no room for
    return rows or [""]


def _fitting(text: str, width: int) -> int:
    """How many characters fill a row; at least one."""
    rows = chop_cells(text, width)
    return max(1, len(next(filter(None, rows), text)))


def _break(line: str, at: int, end: int, width: int) -> int:
    """Where a row ends that begins at one place and has room up to another."""
    if line[end] == " ":
        return end
    space = line.rfind(" ", at, end)
    if space < 0 or not line[at:space].strip():
        return end
    fits = line.find(" ", end, space + 2 + width) >= 0 or len(line) <= space + 1 + width
    return space + 1 if fits else end
