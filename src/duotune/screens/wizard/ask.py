"""A dialog that asks for a path, and keeps it when it was no good."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Static

from duotune.errors import DuotuneError
from duotune.screens.page import Page


class AskPath(ModalScreen[str | None]):
    """Ask for a path.

    Args:
        page: Whose threads are used.
        title: What it is for.
        path: What is proposed.
        act: Called in a thread with the path, and whether it was confirmed once more; its result closes the dialog.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "Cancel", id="path.cancel")]
    AUTO_FOCUS = "Input"

    def __init__(self, page: Page, title: str, path: str, act: Callable[[str, bool], str]) -> None:
        super().__init__()
        self._page, self._title, self._path, self._act = page, title, path, act
        self._refused = ""

    def compose(self) -> ComposeResult:
        """One field."""
        with Vertical(classes="dialog") as box:
            box.border_title = self._title
            box.border_subtitle = "enter goes on, escape leaves"
            yield Input(self._path, compact=True)
            yield Static("", id="problem", markup=False)
            with Horizontal(classes="buttons"):
                yield Button("Cancel (escape)", id="cancel", compact=True)
                yield Button("Go on (enter)", id="go", variant="primary", compact=True)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Go on, or leave."""
        event.stop()
        if event.button.id == "go":
            self._try()
        else:
            self.dismiss(None)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Go on."""
        event.stop()
        self._try()

    def action_leave(self) -> None:
        """Leave."""
        self.dismiss(None)

    def _try(self) -> None:
        self._take(self.query_one(Input).value)

    def _take(self, path: str) -> None:
        again = bool(path) and path == self._refused
        self._page.in_background(partial(self._act, path, again), self._done, trouble=partial(self._no, path))

    def _done(self, path: str) -> None:
        if self.is_current:
            self.dismiss(path)

    def _no(self, path: str, error: DuotuneError) -> None:
        if self.is_attached:
            self._refused = path
            self.query_one("#problem", Static).update(f"{error.message}\n{error.hint}".strip())
