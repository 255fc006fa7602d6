"""What a newcomer sees: what duotune is, whether this host is ready, and one thing to do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Button, Static

from duotune.screens.page import Page

if TYPE_CHECKING:
    from duotune.adapters.verify import Check

WHAT = (
    "duotune teaches a code model your projects: it trains a small adapter on this host, from your repositories.\n"
    "Then it compares the adapter with the base model on code that it never saw, and says which is better.\n"
    "A good adapter is served by vLLM to the projects that you choose. Nothing leaves this host."
)


class Welcome(VerticalScroll):
    """The welcome."""

    def compose(self) -> ComposeResult:
        """Three sentences, one button, and the doctor's findings."""
        yield Static("Welcome to duotune", classes="title")
        yield Static(WHAT, markup=False)
        yield Button("Train your first adapter  (n)", id="first", variant="primary", compact=True)
        yield Static("This host", classes="title")
        yield Static("looking …", id="checks", markup=False)

    def on_mount(self) -> None:
        """Look around, and take the focus."""
        self.query_one("#first").focus()
        page = self.screen
        if isinstance(page, Page):
            page.in_background(_look, self._show, "doctor")

    def on_button_pressed(self) -> None:
        """Go."""
        self.app.call_later(self.app.run_action, "new_run")

    def _show(self, checks: Sequence[Check]) -> None:
        from duotune.screens.cells import check_line

        # What needs a hand comes first: a small terminal shows half of them.
        by_need = sorted(checks, key=lambda check: (check.ok, not check.warning))
        self.query_one("#checks", Static).update(Content("\n").join(check_line(check) for check in by_need))


def _look() -> Sequence[Check]:
    from duotune.config.load import load_host_config
    from duotune.plan.doctor import look_around

    return look_around(load_host_config())
