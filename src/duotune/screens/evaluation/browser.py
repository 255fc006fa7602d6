"""The answers one by one: a list by gain, and of the chosen one prompt, author's code, base and adapter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import DataTable, Static

from duotune.errors import printable
from duotune.evaluation.examples import Choice, bad_reason, chosen, gain
from duotune.evaluation.results import ItemResult
from duotune.screens.page import Page
from duotune.widgets.differences import code, compared
from duotune.widgets.glyphs import glyphs
from duotune.widgets.rows import Cell, Rows

MOST_ROWS = 300
LINES_ABOVE, LINES_BELOW = 5, 3
NEW_LINE = "\n"
CHOICES: tuple[Choice, ...] = ("all", "won", "lost", "bad")
WORDS = {"all": "all", "won": "won: more like the author's", "lost": "lost: less like it", "bad": "bad answers"}


class ExampleRows(Rows):
    """The list; Enter goes to the text."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "select_cursor", "Read", id="browser.read", show=False)]
    help_text = "Up and down choose an example; Enter goes to its text, which the arrows scroll."


@dataclass(frozen=True)
class Shown:
    """One example as it is shown."""

    key: str
    head: Content
    asked: Content
    gold: Content
    base: Content
    adapter: Content | None


class Browser(Container):
    """The browser."""

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self._items: Sequence[ItemResult] = ()
        self._listed: dict[str, ItemResult] = {}
        self._choice: Choice = "all"
        self._worst_first = False
        self._wanted = ""

    def compose(self) -> ComposeResult:
        """List and text."""
        with Vertical(id="example-list"):
            yield Static("", id="example-choice", markup=False)
            columns = ("", "gain", "asked for", "file")
            yield ExampleRows(*columns, figures=("gain",), yielding=("file",), paths=("file",), empty="none like that")
        with VerticalScroll(id="example-text"):
            yield Static("", id="example-head", markup=False)
            yield Static("", id="example-asked", markup=False)
            yield Static("", id="example-gold", markup=False)
            with Container(id="example-sides"):
                yield Static("", id="example-base", markup=False)
                yield Static("", id="example-adapter", markup=False)

    def show(self, items: Sequence[ItemResult]) -> None:
        """Show these examples."""
        self._items = items
        self._list()

    def next_choice(self) -> None:
        """Show others: all, won, lost, bad, in turn."""
        self._choice = CHOICES[(CHOICES.index(self._choice) + 1) % len(CHOICES)]
        self._list()

    def turn(self) -> None:
        """Best first, or worst first."""
        self._worst_first = not self._worst_first
        self._list()

    def show_whole(self) -> None:
        """The whole prompt and the whole answers of this example."""
        from duotune.screens.evaluation.whole import Whole

        if item := self._listed.get(self._wanted):
            self.app.push_screen(Whole(item))

    def focus_list(self) -> None:
        """Let the arrows choose an example."""
        self.query_one(ExampleRows).focus()

    def on_data_table_row_highlighted(self, event: DataTable.RowHighlighted) -> None:
        """Show the example under the cursor."""
        event.stop()
        self._open(event.row_key.value or "")

    def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        """Let the arrows scroll the text."""
        event.stop()
        self.query_one("#example-text").focus()

    def _list(self) -> None:
        found = chosen(self._items, self._choice, self._worst_first)
        self._listed = {item.id: item for item in found[:MOST_ROWS]}
        order = "worst first" if self._worst_first else "best first"
        cut = f", the first {MOST_ROWS}" if len(found) > MOST_ROWS else ""
        words = f"{WORDS[self._choice]}: {len(found):,} of {len(self._items):,}, {order}{cut}"
        self.query_one("#example-choice", Static).update(words)
        table = self.query_one(ExampleRows)
        table.show({key: _cells(item) for key, item in self._listed.items()})
        table.move_cursor(row=0)
        self._open(next(iter(self._listed), ""))

    def _open(self, key: str) -> None:
        """Compare in a thread: answers may be long."""
        self._wanted = key
        item, page = self._listed.get(key), self.screen
        if item is None:
            self._show(Shown("", Content(""), Content(""), Content(""), Content(""), None))
        elif isinstance(page, Page):
            page.in_background(partial(_drawn, item), self._show)

    def _show(self, shown: Shown) -> None:
        if shown.key != self._wanted:
            return  # somebody has gone on meanwhile
        parts = {"head": shown.head, "asked": shown.asked, "gold": shown.gold, "base": shown.base}
        for name, text in parts.items():
            self.query_one(f"#example-{name}", Static).update(text)
        adapter = self.query_one("#example-adapter", Static)
        adapter.display = shown.adapter is not None
        adapter.update(shown.adapter or "")
        self.query_one("#example-text").scroll_home(animate=False)


def _cells(item: ItemResult) -> tuple[Cell, ...]:
    signs, difference = glyphs(), gain(item)
    sign, style = (signs.good, "green") if difference > 0 else (signs.bad, "red") if difference < 0 else ("=", "")
    mark = Text(f"{sign}{signs.warning}" if bad_reason(item) else f"{sign} ", style)
    return mark, f"{difference:+.2f}", _asked_for(item), item.path


def _asked_for(item: ItemResult) -> str:
    bad = bad_reason(item)
    return f"{item.kind}{f', {bad}' if bad else ''}"


def _drawn(item: ItemResult) -> Shown:
    pair = item.metrics["edit_similarity"]
    similar = f"{pair.base:.2f}" if pair.adapter is None else f"{pair.base:.2f} {glyphs().arrow} {pair.adapter:.2f}"
    place = f"{printable(item.project)}: {printable(item.path)}"
    facts = f"{printable(item.language)}, {printable(item.kind)}, edit similarity {similar}"
    head = Content.assemble((place, "bold"), f"\n{facts}")
    adapter = None
    if item.adapter is not None:
        adapter = _titled("Adapter", compared(item.adapter, item.gold), item.bad_reasons[1])
    base = _titled("Base model", compared(item.base, item.gold), item.bad_reasons[0])
    return Shown(item.id, head, _asked(item), _titled("The author wrote", code(item.gold)), base, adapter)


def _asked(item: ItemResult) -> Content:
    hole = "⟦ … ⟧" if glyphs().braille else "[[ ... ]]"
    above, below = item.before.split("\n")[-LINES_ABOVE:], item.after.split("\n")[:LINES_BELOW]
    return _titled("Asked for", code(f"{NEW_LINE.join(above)}{hole}{NEW_LINE.join(below)}", "$text-muted"))


def _titled(title: str, text: Content, bad: str | None = None) -> Content:
    reason = f"  {glyphs().warning} bad: {printable(bad)}" if bad else ""
    return Content.assemble((title, "bold $accent"), (reason, "$text-warning"), "\n", text)
