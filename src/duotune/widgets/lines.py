"""A list of very many lines with a cursor: only those that are seen are made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, Generic, TypeVar

from rich.segment import Segment
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

T = TypeVar("T")
Piece = tuple[str, str]
"""A text, and the component class of its style; empty for the plain one."""


class Lines(ScrollView, Generic[T], can_focus=True):
    """The list.

    Args:
        draw: Makes the pieces of a line of so many cells; texts are printable.
        about: What F1 says of it.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {"lines--good", "lines--bad", "lines--muted", "lines--cursor"}
    DEFAULT_CSS = """
    Lines {
        overflow-x: hidden;
        overflow-y: auto;
        scrollbar-size-vertical: 1;
        & > .lines--good { color: $text-success; }
        & > .lines--bad { color: $text-error; }
        & > .lines--muted { color: $text-muted; }
        & > .lines--cursor { background: $panel-lighten-1; }
        &:focus > .lines--cursor { background: $primary; color: $text; text-style: bold; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", id="lines.up", show=False),
        Binding("down,j", "move(1)", id="lines.down", show=False),
        Binding("pageup", "page(-1)", id="lines.page_up", show=False),
        Binding("pagedown", "page(1)", id="lines.page_down", show=False),
        Binding("home", "ends(0)", id="lines.first", show=False),
        Binding("end", "ends(-1)", id="lines.last", show=False),
    ]

    class Highlighted(Message):
        """Another line has the cursor."""

    def __init__(self, draw: Callable[[T, int], Sequence[Piece]], about: str = "", id: str | None = None) -> None:
        super().__init__(id=id)
        self.help_text = about
        self._draw = draw
        self._items: Sequence[T] = ()
        self._at = 0

    @property
    def chosen(self) -> T | None:
        """What is under the cursor; None without lines."""
        return self._items[self._at] if self._items else None

    def show_lines(self, items: Sequence[T]) -> None:
        """Show these; the cursor stays on what it was on, if that is among them."""
        before = self.chosen
        self._items = items
        self._at = items.index(before) if before is not None and before in items else 0
        self.virtual_size = Size(self.size.width, len(items))
        self._see()

    def render_line(self, y: int) -> Strip:
        """One line."""
        index, width = y + self.scroll_offset.y, self.scrollable_content_region.width  # beside the scrollbar
        if index >= len(self._items):
            return Strip.blank(width, self.rich_style)
        cursor = index == self._at
        base = self.get_component_rich_style("lines--cursor") if cursor else self.rich_style
        segments = [
            Segment(text, base if cursor or not kind else self.get_component_rich_style(kind, partial=True))
            for text, kind in self._draw(self._items[index], width)
        ]
        return Strip(segments).adjust_cell_length(width, base).crop(0, width).apply_style(self.rich_style)

    def on_resize(self) -> None:
        """Lines are as wide as the list."""
        self.virtual_size = Size(self.size.width, len(self._items))

    def on_click(self, event: events.Click) -> None:
        """The cursor goes where the click was."""
        self._move_to(event.y + self.scroll_offset.y)

    def action_move(self, lines: int) -> None:
        """Some lines up or down."""
        self._move_to(self._at + lines)

    def action_page(self, pages: int) -> None:
        """A page up or down."""
        self._move_to(self._at + pages * max(1, self.size.height - 1))

    def action_ends(self, index: int) -> None:
        """To the first or the last."""
        self._move_to(index % max(1, len(self._items)))

    def _move_to(self, index: int) -> None:
        self._at = min(max(index, 0), max(0, len(self._items) - 1))
        self._see()

    def _see(self) -> None:
        self.scroll_to_region(Region(0, self._at, 1, 1), animate=False, force=True)
        self.refresh()
        self.post_message(self.Highlighted())
