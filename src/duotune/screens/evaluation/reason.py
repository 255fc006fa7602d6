"""Asks why an adapter that was found harmful shall be published all the same."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Static

from duotune.errors import printable


class Reason(ModalScreen[str]):
    """The question; an empty answer publishes nothing.

    Args:
        name: The adapter's version.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "No, go back", id="reason.no")]
    AUTO_FOCUS = "Input"
    help_text = "Who publishes it and why is recorded in the catalog, and `duotune adapters show` tells it."

    def __init__(self, name: str) -> None:
        super().__init__()
        self._version = name

    def compose(self) -> ComposeResult:
        """The sentences, a field, two buttons."""
        with Vertical(classes="dialog"):
            yield Static(f"Publish {printable(self._version)}, which was found harmful?", classes="title", markup=False)
            yield Static(
                "It did measurable harm on held-out code. Published, it can be assigned to projects and served. Your "
                "reason is recorded with your name.",
                markup=False,
            )
            yield Input(placeholder="your reason", compact=True)
            yield Static("", id="missing", classes="bad", markup=False)
            with Horizontal(classes="buttons"):
                yield Button("No, go back (esc)", id="no", compact=True)
                yield Button("Publish it (enter)", id="yes", variant="warning", compact=True)

    def on_input_submitted(self) -> None:
        """Publish."""
        self._answer()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Publish, or not."""
        if event.button.id == "yes":
            self._answer()
        else:
            self.action_leave()

    def action_leave(self) -> None:
        """Publish nothing."""
        self.dismiss("")

    def _answer(self) -> None:
        reason = self.query_one(Input).value.strip()
        if reason:
            self.dismiss(reason)
        else:
            self.query_one("#missing", Static).update("A reason is needed.")
            self.query_one(Input).focus()
