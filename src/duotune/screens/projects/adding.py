"""Adding a project: a name, and where its code is."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Label, Static
from textual.worker import Worker, WorkerState

from duotune.errors import DuotuneError


class Adding(ModalScreen[str | None]):
    """Three fields; the answer is the name of the project that is there now, None when it is taken back."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Back", id="adding.back"),
        Binding("f8", "add", "Add", id="adding.add"),
    ]
    AUTO_FOCUS = "#source"

    def compose(self) -> ComposeResult:
        """Source first: the name follows from it."""
        with Vertical(classes="dialog"):
            yield Static("Add a project", classes="title")
            with Horizontal(classes="row"):
                yield Label("Folder or Git URL")
                yield Input(id="source", compact=True, placeholder="/srv/git/billing.git or https://…")
            with Horizontal(classes="row"):
                yield Label("Branch, tag or commit")
                yield Input("HEAD", id="ref", compact=True)
            with Horizontal(classes="row"):
                yield Label("Name")
                yield Input(id="name", compact=True)
            yield Static("", id="problem", classes="bad", markup=False)
            with Horizontal(classes="buttons"):
                yield Button("Back (esc)", id="no", compact=True)
                yield Button("Add (F8)", id="yes", variant="primary", compact=True)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Propose the last part of the source as the name, until somebody writes another."""
        name = self.query_one("#name", Input)
        if event.input.id == "source" and not name.has_class("-own"):
            with name.prevent(Input.Changed):
                name.value = event.value.rstrip("/").rpartition("/")[2].removesuffix(".git")
        elif event.input is name:
            name.add_class("-own")

    def on_input_submitted(self) -> None:
        """Add."""
        self.action_add()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Add, or not."""
        if event.button.id == "yes":
            self.action_add()
        else:
            self.dismiss(None)

    def action_add(self) -> None:
        """Look at the source, and enter it."""
        name, source, ref = (self.query_one(f"#{field}", Input).value.strip() for field in ("name", "source", "ref"))
        self.query_one("#problem", Static).update("looking at the source …")

        def add() -> str:
            from duotune.screens.projects.reading import add

            add(name, source, ref or "HEAD")
            return name

        self.run_worker(add, thread=True, exclusive=True, exit_on_error=False)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Leave with the name, or show what is wrong and keep what was typed."""
        if event.state == WorkerState.SUCCESS:
            self.dismiss(event.worker.result)
        elif event.state == WorkerState.ERROR:
            error = event.worker.error
            words = f"{error.message} {error.hint}" if isinstance(error, DuotuneError) else repr(error)
            self.query_one("#problem", Static).update(words)
