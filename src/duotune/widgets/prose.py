"""A page to read and scroll: headings, sentences, tables and code, laid out for the width there is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from duotune.widgets.layout import Row, laid_out
from duotune.widgets.markdown import Block


class Prose(ScrollView, can_focus=True):
    """The page. Nothing in it is a link or markup: only what is in sight is made, from text.

    Args:
        blocks: What it says.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "prose--title", "prose--heading", "prose--strong", "prose--code", "prose--muted",
    }  # fmt: skip
    DEFAULT_CSS = """
    Prose {
        height: 1fr; overflow-x: hidden; overflow-y: scroll; scrollbar-size-vertical: 1; padding: 0 1;
        & > .prose--title { color: $accent; text-style: bold underline; }
        & > .prose--heading { color: $accent; text-style: bold; }
        & > .prose--strong { text-style: bold; }
        & > .prose--code { color: $text-secondary; }
        & > .prose--muted { color: $text-muted; }
    }
    """
    help_text = "Arrows and page keys scroll; Home and End go to the beginning and to the end."

    def __init__(self, blocks: Sequence[Block]) -> None:
        super().__init__()
        self._blocks = blocks
        self._rows: list[Row] = []

    @property
    def rows(self) -> list[str]:
        """The rows as they are shown."""
        return ["".join(text for text, _ in row) for row in self._rows]

    def on_resize(self) -> None:
        """Lay it out for the width there is."""
        width = self.scrollable_content_region.width
        self._rows = laid_out(self._blocks, width)
        self.virtual_size = Size(width, len(self._rows))

    def render_line(self, y: int) -> Strip:
        """One row."""
        width, base, place = self.scrollable_content_region.width, self.rich_style, y + self.scroll_offset.y
        row = self._rows[place] if place < len(self._rows) else ()
        segments = [
            Segment(text, base + self.get_component_rich_style(f"prose--{kind}", partial=True) if kind else base)
            for text, kind in row
        ]
        return Strip(segments).adjust_cell_length(width, base)
