"""One example whole: prompt and answers to their last line, however long they are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from duotune.errors import printable
from duotune.evaluation.results import ItemResult
from duotune.widgets.differences import shown_lines
from duotune.widgets.log_view import LogView

MOST_LINES = 20_000


class Whole(ModalScreen[None]):
    """The texts below each other.

    Args:
        item: The example.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,w,q", "app.pop_screen", "Close", id="whole.close"),
    ]
    AUTO_FOCUS = "LogView"

    def __init__(self, item: ItemResult) -> None:
        super().__init__()
        self._item = item

    def compose(self) -> ComposeResult:
        """A view that wraps what is in sight alone: a prompt may have thousands of lines."""
        with Vertical(classes="whole") as box:
            box.border_title = printable(f"{self._item.project}: {self._item.path}").replace("[", r"\[")
            box.border_subtitle = "escape closes it, arrows scroll"
            yield LogView(most=MOST_LINES, follows=False)

    def on_mount(self) -> None:
        """Show it from its beginning."""
        self.query_one(LogView).add(list(self._lines()))

    def _lines(self) -> Iterator[str]:
        item = self._item
        texts = {"The prompt": item.prompt, "The author wrote": item.gold, "Base model": item.base}
        if item.adapter is not None:
            texts["Adapter"] = item.adapter
        for title, text in texts.items():
            lines = shown_lines(text)
            yield f"== {title}: {len(lines):,} line{'' if len(lines) == 1 else 's'}"
            yield from lines
            yield ""
