"""A page with one table, whose rows a person filters by typing a part of what stands in them."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input

from duotune.screens.page import Page
from duotune.widgets.rows import Rows


class FilteredPage(Page):
    """The page; a subclass yields its table in `content`, after what this one yields, and shows its rows in `draw`.

    Attributes:
        filter_hint: What a part of can be typed.
    """

    filter_hint: ClassVar[str] = ""
    BINDINGS: ClassVar[list[BindingType]] = [Binding("slash", "filter", "Filter", id="page.filter", show=False)]

    def content(self) -> ComposeResult:
        """The field, which shows when it is asked for."""
        field = Input(placeholder=self.filter_hint, id="filter", compact=True)
        field.display = False
        yield field

    def on_mount(self) -> None:
        """Begin in the table."""
        self.query_one(Rows).focus()

    def draw(self) -> None:
        """Show the rows that hold `wanted`."""

    @property
    def wanted(self) -> str:
        """What was typed, in small letters."""
        return self.query_one("#filter", Input).value.strip().lower()

    @property
    def without_rows(self) -> str:
        """What is said where no row has what was typed; empty while nothing is."""
        return "nothing here has these words" if self.wanted else ""

    def action_filter(self) -> None:
        """Open the field, or go to it."""
        field = self.query_one("#filter", Input)
        field.display = True
        field.focus()

    def action_back(self) -> None:
        """Close the field."""
        field = self.query_one("#filter", Input)
        field.value, field.display = "", False
        self.query_one(Rows).focus()
        self.draw()

    def on_input_changed(self) -> None:
        """Filter as one types."""
        self.draw()

    def on_input_submitted(self) -> None:
        """To the table."""
        self.query_one(Rows).focus()
