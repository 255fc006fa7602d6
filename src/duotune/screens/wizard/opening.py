"""The dialog that begins a draft from something: what was put aside, an earlier run, or a file whose path is typed."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widgets import Button, DataTable, Input, Static

from duotune.errors import printable
from duotune.screens.cells import when
from duotune.screens.page import Page
from duotune.screens.wizard import acts
from duotune.screens.wizard.ask import AskPath
from duotune.widgets.rows import Cell, Rows

if TYPE_CHECKING:
    from duotune.errors import DuotuneError
    from duotune.screens.wizard.beginnings import Beginning
    from duotune.screens.wizard.keeping import Kept

EMPTY = "No draft was put aside, and no run has been made yet."


class OpenStart(AskPath):
    """Ask what to begin with.

    Args:
        page: Whose threads are used.

    Attributes:
        begun: The draft that was begun; None until one was.
    """

    begun: Kept | None = None

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "to_list", "To the list", id="opening.list", show=False),
        Binding("f6", "remove", "Remove", id="opening.remove"),
    ]
    CSS_PATH = "../../assets/wizard.tcss"
    help_text = (
        "Type the path of a TOML file, or the id or name of a run; or go down to the list and press enter on what to "
        "begin with. A draft is put aside when another one takes its place; F6 removes it from the list for good."
    )

    def __init__(self, page: Page) -> None:
        super().__init__(page, "Open a TOML file, a draft, or an earlier run", "", self._begin)
        self._found: dict[str, Beginning] = {}
        self._nothing = ""

    def compose(self) -> ComposeResult:
        """A field, the list, and what there is to know of what is under the cursor."""
        with Vertical(classes="dialog -tall") as box:
            box.border_title = self._title
            box.border_subtitle = "enter takes it, escape leaves"
            yield Input(placeholder="a TOML file, or the id or name of a run; or choose below", compact=True)
            with VerticalScroll(id="problem-room"):
                yield Static("", id="problem", markup=False)
            yield Rows("when", "what", "name", "projects", yielding=("name", "projects"), empty="looking …")
            yield Static("", id="about", markup=False)
            with Horizontal(classes="buttons"):
                yield Button("Remove the draft (F6)", id="remove", compact=True)
                yield Button("Cancel (escape)", id="cancel", compact=True)
                yield Button("Go on (enter)", id="go", variant="primary", compact=True)

    def on_mount(self) -> None:
        """Look in a thread."""
        self.query_one("#remove").display = self.query_one("#problem-room").display = False
        self._look()

    def action_to_list(self) -> None:
        """From the field to the list."""
        self.query_one(Rows).focus()

    def _try(self) -> None:
        """Nothing was typed: the list is what one chooses from."""
        if self.query_one(Input).value.strip():
            super()._try()
        else:
            self.action_to_list()

    def action_remove(self) -> None:
        """Delete the draft under the cursor, once it is agreed."""
        chosen = self._chosen
        if chosen is not None and chosen.file is not None:
            remove = partial(self._page.in_background, partial(_remove, chosen), lambda _: self._look())
            question = f"Remove the draft of {when(chosen.at)}?" if chosen.at else "Remove this draft?"
            self._page.ask(question, "What was chosen in it is lost.", "Remove", remove)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Remove, go on, or leave."""
        if event.button.id == "remove":
            event.stop()
            event.prevent_default()
            self.action_remove()

    def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        """Begin with it."""
        event.stop()
        if event.row_key.value in self._found:
            self._take(event.row_key.value)

    def on_data_table_row_highlighted(self, event: DataTable.RowHighlighted) -> None:
        """What else is known of it."""
        event.stop()
        self._describe()

    @property
    def _chosen(self) -> Beginning | None:
        return self._found.get(self.query_one(Rows).chosen or "")

    def _begin(self, start: str, again: bool) -> str:
        self.begun = acts.begin(start)
        return start

    def _no(self, path: str, error: DuotuneError) -> None:
        super()._no(path, error)
        if self.is_attached:
            self.query_one("#problem-room").display = True

    def _look(self) -> None:
        self._page.in_background(_read, self._show, trouble=self._page.show_trouble)

    def _show(self, found: Sequence[Beginning]) -> None:
        if self.is_attached:
            self._found = {one.start: one for one in found}
            self.query_one(Rows).show({one.start: _cells(one) for one in found}, "none yet")
            self._nothing = "" if found else EMPTY
            self._describe()

    def _describe(self) -> None:
        chosen = self._chosen
        self.query_one("#about", Static).update(printable(chosen.facts) if chosen is not None else self._nothing)
        self.query_one("#remove", Button).display = chosen is not None and chosen.file is not None


def _cells(one: Beginning) -> tuple[Cell, ...]:
    what = "run" if one.file is None else "draft"
    return (when(one.at), what, one.name or "no name yet", ", ".join(one.projects) or "none")


def _read() -> Sequence[Beginning]:
    from duotune.screens.wizard.beginnings import beginnings

    return beginnings()


def _remove(one: Beginning) -> None:
    from duotune.screens.wizard.aside import remove

    if one.file is not None:
        remove(one.file)
