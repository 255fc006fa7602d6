"""A table of rows with keys: what is shown again changes only where it differs, and the cursor stays on its row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.widgets import DataTable

from duotune.errors import printable

Cell = str | Text


class Rows(DataTable[Text]):
    """The table.

    Foreign text in a cell is shown literally: markup and escape sequences in it do nothing.

    Args:
        *headings: Names of the columns.
        figures: Of these, the columns that hold figures, which stand to the right.
        empty: What is said in place of rows when there are none.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select_cursor", "Open", id="rows.open"),
        Binding("j", "cursor_down", show=False),
        Binding("k", "cursor_up", show=False),
    ]

    def __init__(self, *headings: str, figures: Sequence[str] = (), empty: str = "", id: str | None = None) -> None:
        super().__init__(cursor_type="row", id=id)
        self._headings = headings
        self._figures = {headings.index(name) for name in figures}
        self._empty = empty
        self._shown: dict[str, tuple[Text, ...]] = {}
        self._changed = False

    def on_mount(self) -> None:
        """Make the columns."""
        for number, heading in enumerate(self._headings):
            self.add_column(Text(heading, justify="right" if number in self._figures else "left"), key=str(number))

    def show(self, rows: Mapping[str, Sequence[Cell]], empty: str = "") -> None:
        """Show these rows, in this order.

        Args:
            rows: Cells by the row's key.
            empty: What is said now in place of none, where it is not the usual.
        """
        wanted = {
            key: tuple(self._cell(number, cell) for number, cell in enumerate(cells)) for key, cells in rows.items()
        }
        if not wanted and (words := empty or self._empty):
            # A first column without a heading is for signs, and narrow.
            place = next((number for number, heading in enumerate(self._headings) if heading), 0)
            alone = Text(words, style="italic")
            wanted = {"": tuple(alone if number == place else Text() for number in range(len(self._headings)))}
        self._changed = self._changed or wanted != self._shown
        if list(wanted) != list(self._shown):
            self._fill(wanted)
        else:
            for key, cells in wanted.items():
                for number, (new, old) in enumerate(zip(cells, self._shown[key], strict=True)):
                    if new != old:
                        self.update_cell(key, str(number), new, update_width=True)
        self._shown = wanted

    def on_idle(self) -> None:
        """Forget rows that were painted before their columns were measured, which Textual 8.2 does idle, and late."""
        if self._changed:
            self._changed = False
            self.notify_style_update()

    @property
    def chosen(self) -> str | None:
        """Key of the row under the cursor; None without rows."""
        if not self.row_count:
            return None
        return self.coordinate_to_cell_key(self.cursor_coordinate).row_key.value or None

    def choose(self, key: str) -> None:
        """Put the cursor on a row, where there is such a one."""
        if key in self._shown:
            self.move_cursor(row=self.get_row_index(key))

    def _fill(self, wanted: Mapping[str, tuple[Text, ...]]) -> None:
        before, row = self.chosen, self.cursor_row
        self.clear()
        for column in self.columns.values():  # which Textual 8.2 only ever widens
            column.content_width = column.label.cell_len
        for key, cells in wanted.items():
            self.add_row(*cells, key=key)
        if before is not None and before in wanted:
            self.move_cursor(row=self.get_row_index(before))
        else:
            self.move_cursor(row=min(row, len(wanted) - 1))

    def _cell(self, number: int, cell: Cell) -> Text:
        text = cell.copy() if isinstance(cell, Text) else Text(printable(cell))
        text.no_wrap, text.overflow = True, "ellipsis"
        if number in self._figures:
            text.justify = "right"
        return text
