"""The dialog that lists the base models of this host."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import DataTable, Static

from duotune.errors import DuotuneError, printable
from duotune.screens.page import Page
from duotune.widgets.glyphs import glyphs
from duotune.widgets.rows import Cell, Rows

if TYPE_CHECKING:
    from duotune.screens.wizard.models import BaseModel

WHERE = (
    "These lie in duotune, in the Hugging Face cache, and beside models that runs have used. For another one, type its "
    "directory into the field; others beside it are then listed here."
)


class ChooseModel(ModalScreen[str | None]):
    """The list; enter takes what is under the cursor.

    Args:
        page: Whose threads are used.
        path: The model that is chosen now; empty for none.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,f4", "leave", "Close", id="models.close"),
    ]
    AUTO_FOCUS = "Rows"
    help_text = WHERE

    def __init__(self, page: Page, path: str) -> None:
        super().__init__()
        self._page, self._path = page, path
        self._found: dict[str, BaseModel | DuotuneError] = {}

    def compose(self) -> ComposeResult:
        """The list, and what there is to know of the one under the cursor."""
        with Vertical(classes="dialog -tall -broad") as box:
            box.border_title = "Base models of this host"
            box.border_subtitle = "enter takes one, escape closes"
            headings = ("model", "architecture", "size", "family", "in the middle")
            yield Rows(*headings, yielding=("model", "architecture", "family"), paths=("model",), empty="looking …")
            yield Static("", id="about", markup=False)
            yield Static(WHERE, classes="muted", markup=False)

    def on_mount(self) -> None:
        """Look for them in a thread."""
        self._page.in_background(partial(_find, self._path), self._show, trouble=self._page.show_trouble)

    def action_leave(self) -> None:
        """Leave the model as it was."""
        self.dismiss(None)

    def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        """Take it."""
        event.stop()
        key = event.row_key.value
        if key and not isinstance(self._found.get(key), DuotuneError):
            self.dismiss(key)

    def on_data_table_row_highlighted(self, event: DataTable.RowHighlighted) -> None:
        """Say where it is, or why it cannot be used."""
        found = self._found.get(event.row_key.value or "")
        if found is None:
            return
        words = (
            f"{found.message} {found.hint}" if isinstance(found, DuotuneError) else f"{found.directory}\n{found.facts}"
        )
        self.query_one("#about", Static).update("\n".join(map(printable, words.splitlines())))

    def _show(self, found: Sequence[BaseModel | tuple[str, DuotuneError]]) -> None:
        if not self.is_attached:
            return
        self._found = dict(one if isinstance(one, tuple) else (one.path, one) for one in found)
        rows = self.query_one(Rows)
        rows.show({path: _cells(path, one) for path, one in self._found.items()})
        if not isinstance(self._found.get(self._path), DuotuneError):  # enter takes what can be used
            rows.choose(self._path)


def _cells(path: str, model: BaseModel | DuotuneError) -> tuple[Cell, ...]:
    if isinstance(model, DuotuneError):
        return (path, Text(f"{glyphs().bad} of no use", "red"), "", "", "")
    from duotune.screens.wizard.models import in_parameters

    middle = f"{glyphs().good} yes" if model.family else "no"
    return (path, model.shape.architecture, in_parameters(model.shape.parameters), model.family or "plain", middle)


def _find(path: str) -> Sequence[BaseModel | tuple[str, DuotuneError]]:
    from duotune.screens.wizard.models import find_models

    return find_models(path)
