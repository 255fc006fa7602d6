"""One line of tabs: the chosen one stands in brackets, arrows and the mouse choose another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.events import Click
from textual.message import Message
from textual.widget import Widget

GAP = 1


class TabLine(Widget, can_focus=True):
    """The tabs.

    Attributes:
        chosen: Key of the chosen tab; empty without tabs.
    """

    DEFAULT_CSS = """
    TabLine { height: 1; width: 1fr; padding: 0 1; background: $surface; color: $text-muted; }
    TabLine:focus { color: $text; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "move(-1)", "Tab to the left", id="tabs.left", show=False),
        Binding("right", "move(1)", "Tab to the right", id="tabs.right", show=False),
    ]
    help_text = "Left and right choose what is shown below; a click on a name does too."

    class Chosen(Message):
        """A person chose another tab."""

        def __init__(self, tabs: TabLine, key: str) -> None:
            super().__init__()
            self.tabs, self.key = tabs, key

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self._tabs: dict[str, str] = {}
        self.chosen = ""

    @property
    def keys(self) -> list[str]:
        """Of the tabs that there are."""
        return list(self._tabs)

    def show(self, tabs: Mapping[str, str], chosen: str) -> None:
        """Show these tabs, names by key, and mark one."""
        if dict(tabs) != self._tabs or chosen != self.chosen:
            self._tabs, self.chosen = dict(tabs), chosen
            self.refresh()

    def render(self) -> Content:
        """The names; those that do not fit on the left give way to the chosen one."""
        parts = [
            (f"[{name}]", "bold $accent") if key == self.chosen else (f" {name} ", "")
            for key, name in self._tabs.items()
        ]
        while len(parts) > 1 and self._width(parts) > self.size.width and not parts[0][1]:
            parts = parts[1:]
        return Content(" " * (GAP - 1)).join([Content.assemble(part) for part in parts])

    def action_move(self, by: int) -> None:
        """To the tab beside the chosen one, round the ends."""
        if self._tabs:
            keys = self.keys
            self._choose(keys[(keys.index(self.chosen) + by) % len(keys) if self.chosen in keys else 0])

    def on_click(self, event: Click) -> None:
        """Choose what was clicked on."""
        at = event.x - 1 + self._hidden()
        for key, name in self._tabs.items():
            width = len(name) + 1 + GAP
            if 0 <= at < width:
                self._choose(key)
                return
            at -= width

    def _choose(self, key: str) -> None:
        if key != self.chosen:
            self.chosen = key  # at once: keys may come faster than messages
            self.refresh()
            self.post_message(self.Chosen(self, key))

    def _width(self, parts: list[tuple[str, str]]) -> int:
        return sum(len(text) for text, _ in parts) + (GAP - 1) * (len(parts) - 1)

    def _hidden(self) -> int:
        """Cells of the tabs that gave way."""
        shown = len(self.render().plain)
        return sum(len(name) + 1 + GAP for name in self._tabs.values()) - (GAP - 1) - shown
