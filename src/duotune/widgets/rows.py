"""A table of rows with keys: what is shown again changes only where it differs, and the cursor stays on its row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.widgets import DataTable

from duotune.errors import printable
from duotune.widgets.cutting import ending

Cell = str | Text
LEAST, LEAST_PATH = 6, 16
"""So many cells of a column are kept, however little room there is."""


class Rows(DataTable[Text]):
    """The table.

    Foreign text in a cell is shown literally: markup and escape sequences in it do nothing.

    Args:
        *headings: Names of the columns.
        figures: Of these, the columns that hold figures, which stand to the right.
        yielding: The columns that give way where there is no room for all; their texts then end in a mark.
        paths: Of these, the columns of paths, whose beginning gives way: how they end tells files apart.
        empty: What is said in place of rows when there are none.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select_cursor", "Open", id="rows.open"),
        Binding("j", "cursor_down", id="rows.down", show=False),
        Binding("k", "cursor_up", id="rows.up", show=False),
        Binding("home", "scroll_top", id="rows.first", show=False),
        Binding("end", "scroll_bottom", id="rows.last", show=False),
    ]

    def __init__(
        self,
        *headings: str,
        figures: Sequence[str] = (),
        yielding: Sequence[str] = (),
        paths: Sequence[str] = (),
        empty: str = "",
        id: str | None = None,
    ) -> None:
        super().__init__(cursor_type="row", id=id)
        self._headings = headings
        self._figures = {headings.index(name) for name in figures}
        self._paths = {headings.index(name) for name in paths}
        self._yielding = {headings.index(name): LEAST_PATH if name in paths else LEAST for name in yielding}
        self._empty = empty
        self._whole: dict[str, tuple[Text, ...]] = {}
        self._shown: dict[str, tuple[Text, ...]] = {}

    def on_mount(self) -> None:
        """Make the columns."""
        self._head()

    def _head(self) -> None:
        for number, heading in enumerate(self._headings):
            label = self._cell(number, heading)
            self.add_column(label, key=str(number), width=label.cell_len)

    def on_resize(self) -> None:
        """Show as much of each text as there is room for now."""
        self._draw()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Nothing can be opened where there is nothing."""
        return action != "select_cursor" or bool(self.chosen)

    @property
    def room(self) -> int:
        """Cells across, beside the scrollbar that comes when there are many rows."""
        return max(0, self.outer_size.width - self.styles.scrollbar_size_vertical)

    def show(self, rows: Mapping[str, Sequence[Cell]], empty: str = "", headings: Sequence[str] = ()) -> None:
        """Show these rows, in this order.

        Args:
            rows: Cells by the row's key.
            empty: What is said now in place of none, where it is not the usual.
            headings: Of the columns, where they are to be others than before; for tables whose columns are all alike.
        """
        before = self.chosen
        if headings and tuple(headings) != self._headings:
            self._headings, self._shown = tuple(headings), {}
            self.clear(columns=True)
            self._head()
        wanted = {
            key: tuple(self._cell(number, cell) for number, cell in enumerate(cells)) for key, cells in rows.items()
        }
        if not wanted and (words := empty or self._empty):
            # A first column without a heading is for signs, and narrow.
            place = next((number for number, heading in enumerate(self._headings) if heading), 0)
            alone = Text(words, style="italic")
            wanted = {"": tuple(alone if number == place else Text() for number in range(len(self._headings)))}
        self._whole = wanted
        self._draw(before)

    def _draw(self, before: str | None = None) -> None:
        """Show what there is, in columns of the width that it takes: Textual 8.2 measures them late, and never less.

        Args:
            before: Key of the row that the cursor was on, where the table has been emptied since.
        """
        before = before or self.chosen
        widths = self._widths()
        wanted = {
            key: tuple(self._fitted(number, cell, widths[number]) for number, cell in enumerate(cells))
            for key, cells in self._whole.items()
        }
        if widths != [column.width for column in self.ordered_columns]:
            for column, width in zip(self.ordered_columns, widths, strict=True):
                column.width = width
            self._require_update_dimensions = True
            self.notify_style_update()
        if list(wanted) != list(self._shown):
            self._fill(wanted, before)
        else:
            for key, cells in wanted.items():
                for number, (new, old) in enumerate(zip(cells, self._shown[key], strict=True)):
                    if new != old or new.style != old.style:  # of texts, only their pieces' styles are compared
                        self.update_cell(key, str(number), new)
        if [*wanted] != [*self._shown]:
            self.refresh_bindings()
        self._shown = wanted

    def _widths(self) -> list[int]:
        """Cells of each column: what its longest text takes, less where there is no room and it yields."""
        widths = [
            max([len(heading), *(cells[number].cell_len for cells in self._whole.values())])
            for number, heading in enumerate(self._headings)
        ]
        bar = self.styles.scrollbar_size_vertical if len(self._whole) + self.header_height > self.size.height else 0
        room = self.size.width - bar - 2 * self.cell_padding * len(widths)
        excess = sum(widths) - room if self.size.width else 0
        while excess > 0:
            spare = [number for number, least in self._yielding.items() if widths[number] > least]
            if not spare:
                break
            widest, *others = sorted(spare, key=lambda number: widths[number], reverse=True)
            end = max([self._yielding[widest], *(widths[number] for number in others[:1])])
            cut = min(excess, max(widths[widest] - end, 1))  # to the width of the next one, then by turns
            widths[widest] -= cut
            excess -= cut
        return widths

    def _fitted(self, number: int, cell: Text, width: int) -> Text:
        """The cell, of a path its end where there is no room for all of it."""
        if number not in self._paths or cell.cell_len <= width:
            return cell
        return Text(ending(cell.plain, width), cell.style, no_wrap=True)

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

    def _fill(self, wanted: Mapping[str, tuple[Text, ...]], before: str | None) -> None:
        row = self.cursor_row
        self.clear()
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
