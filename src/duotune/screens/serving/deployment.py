"""One deployment whole: what became of it, why it failed, and what it changed."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from duotune.catalog.deployments import Deployment
from duotune.screens.serving.words import deployment_text


class DeploymentView(ModalScreen[bool]):
    """The answer is whether it shall be served again, which is offered only of one that has served.

    Args:
        one: The deployment.
        before: What served before it; None when that was nothing.
        unit: Name of the unit.
        able: Whether what is served can be changed now.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss(False)", "Back", id="deployment.back"),
        Binding("b", "serve_again", "Serve it again", id="deployment.again"),
    ]
    AUTO_FOCUS = "VerticalScroll"

    def __init__(self, one: Deployment, before: Deployment | None, unit: str, able: bool) -> None:
        super().__init__()
        self._one, self._before, self._unit = one, before, unit
        self._offered = able and one.has_served

    def compose(self) -> ComposeResult:
        """The text."""
        with Vertical(classes="whole") as box:
            box.border_title = f"Deployment {self._one.id}"
            again = "b serves it again, " if self._offered else ""
            box.border_subtitle = f"{again}escape closes it, arrows scroll"
            with VerticalScroll():
                yield Static(deployment_text(self._one, self._before, self._unit), markup=False)

    def action_serve_again(self) -> None:
        """Answer yes, where that can be done."""
        if self._offered:
            self.dismiss(True)
