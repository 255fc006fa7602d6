"""The bar of places above a screen, and the line below it that says what does the same in a shell."""

from __future__ import annotations

import socket
from dataclasses import dataclass

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.reactive import reactive
from textual.widgets import Static

from duotune.errors import printable


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
    """What does the same in a shell; drag over it and press ctrl+c to copy it."""

    command = reactive("")

    def __init__(self, command: str) -> None:
        super().__init__(markup=False)
        self.command = command

    def watch_command(self, command: str) -> None:
        """Show it."""
        self.update(Content.assemble(("in a shell: ", "$text-muted"), (printable(command), "bold")))
