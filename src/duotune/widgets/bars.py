"""The bar of places above a screen, and the line below it that says what does the same in a shell."""

from __future__ import annotations

import socket
from bisect import bisect_left
from dataclasses import dataclass

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.reactive import reactive
from textual.selection import Selection
from textual.widgets import Static

from duotune.errors import printable
from duotune.widgets.glyphs import glyphs

COMMAND_ROWS = 3


@dataclass(frozen=True)
class Place:
    """One of the app's places, which are its modes.

    Attributes:
        key: Goes there from anywhere that no field has the focus.
        title: Its name.
        about: What it is for, in the palette.
    """

    key: str
    title: str
    about: str


PLACES = {
    "home": Place("1", "Home", "This host, its runs, and what is served"),
    "adapters": Place("2", "Adapters", "What was trained, and how good it is"),
    "projects": Place("3", "Projects", "Which project gets which adapters"),
    "serving": Place("4", "Serving", "What vLLM serves, and how that changes"),
    "doctor": Place("5", "Doctor", "What this host has and lacks; the theme"),
}


class PlacesBar(Horizontal):
    """All places with their keys; the one that is shown is marked."""

    def __init__(self, here: str) -> None:
        super().__init__()
        self.here = here

    def compose(self) -> ComposeResult:
        """All words in one, which costs the first paint less than a widget for each; and the host's name."""
        words = ["[bold $accent] duotune [/]"]
        for name, place in PLACES.items():
            style = "bold $text on $primary" if name == self.here else "$text-muted"
            words.append(f"[{style}][@click=app.go('{name}')] {place.key} {place.title} [/][/]")
        yield Static("".join(words), classes="places")
        yield Static(printable(socket.gethostname()), classes="host", markup=False)


class CommandLine(Static):
    """What does the same in a shell; drag over it and press ctrl+c to copy it.

    Of one that its rows have no room for the middle is left out, for a mark; what is copied is all of it.
    """

    command = reactive("")

    def __init__(self, command: str) -> None:
        super().__init__(markup=False)
        self.command = command
        self._is_cut = False

    def watch_command(self) -> None:
        """Show it."""
        self._show()

    def on_resize(self) -> None:
        """Show as much as there is room for now."""
        self._show()

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """What was dragged over; the whole command where a part would not be one."""
        return (printable(self.command), "\n") if self._is_cut else super().get_selection(selection)

    def _show(self) -> None:
        command, width = printable(self.command), self.content_size.width
        shown = _labelled(command)
        self._is_cut = bool(width) and shown.get_height({}, width) > COMMAND_ROWS
        if self._is_cut:
            fits = range(len(command))
            kept = bisect_left(fits, True, key=lambda n: _cut(command, n).get_height({}, width) > COMMAND_ROWS)
            shown = _cut(command, max(0, kept - 1))
        self.update(shown)


def _labelled(command: str) -> Content:
    return Content.assemble(("in a shell: ", "$text-muted"), (command, "bold"))


def _cut(command: str, kept: int) -> Content:
    """A command without its middle: how it begins says what it does, how it ends says to what."""
    return _labelled(f"{command[: kept // 2]}{glyphs().waiting}{command[len(command) - (kept + 1) // 2 :]}")
