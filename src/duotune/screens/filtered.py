"""A page with one table, whose rows a person filters by typing a part of what stands in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.widget import Widget

from duotune.screens.page import Page
from duotune.widgets.rows import Rows

if TYPE_CHECKING:
    from textual.widgets import Input


class FilteredPage(Page):
    """The page; a subclass yields its table in `content`, and shows its rows in `draw`.

    Attributes:
        filter_hint: What a part of can be typed.
    """

    filter_hint: ClassVar[str] = ""
    _field: Input | None = None
    BINDINGS: ClassVar[list[BindingType]] = [Binding("slash", "filter", "Filter", id="page.filter", show=False)]

    def on_mount(self) -> None:
        """Begin in the table."""
        self.query_one(Rows).focus()

    def draw(self) -> None:
        """Show the rows that hold `wanted`."""

    @property
    def wanted(self) -> str:
        """What was typed, in small letters."""
        return self._field.value.strip().lower() if self._field is not None else ""

    @property
    def is_filtering(self) -> bool:
        """Whether the field is open."""
        return self._field is not None and self._field.display

    @property
    def without_rows(self) -> str:
        """What is said where no row has what was typed; empty while nothing is."""
        return "nothing here has these words" if self.wanted else ""

    def action_filter(self) -> None:
        """Open the field, or go to it."""
        if self._field is None:  # made when it is needed: the first paint must not wait for it
            from textual.widgets import Input

            self._field, table = Input(placeholder=self.filter_hint, id="filter", compact=True), self.query_one(Rows)
            assert isinstance(table.parent, Widget)
            table.parent.mount(self._field, before=table)
        self._field.display = True
        self._field.focus()

    def action_back(self) -> None:
        """Close the field."""
        if self._field is not None:
            self._field.value, self._field.display = "", False
        self.query_one(Rows).focus()
        self.draw()

    def on_input_changed(self) -> None:
        """Filter as one types."""
        self.draw()

    def on_input_submitted(self) -> None:
        """To the table."""
        self.query_one(Rows).focus()
