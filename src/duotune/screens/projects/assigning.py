"""The choice of adapters for projects, in order of preference."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Footer, Static

from duotune.errors import printable
from duotune.screens.cells import verdict_sign
from duotune.widgets.rows import Rows

if TYPE_CHECKING:
    from duotune.screens.projects.reading import Choice


class Assigning(ModalScreen[tuple[str, ...] | None]):
    """Adapters to choose from; the answer is their names in order, or None when it is taken back.

    Args:
        projects: Who shall get them.
        choices: What there is.
        before: What is assigned now.
        offered: What is proposed as the first; empty for nothing.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Back", id="assigning.back"),
        Binding("space", "choose", "Choose", id="assigning.toggle", priority=True),
        Binding("b", "base", "Base model", id="assigning.base"),
        Binding("enter,f8", "keep", "Assign", id="assigning.keep", priority=True),
    ]

    def __init__(
        self, projects: Sequence[str], choices: Sequence[Choice], before: Sequence[str], offered: str = ""
    ) -> None:
        super().__init__()
        self._projects, self._choices, self._chosen = projects, choices, list(before)
        self._offered = offered
        if offered in (choice.name for choice in choices):
            self._chosen = [offered, *(name for name in before if name != offered)]

    def compose(self) -> ComposeResult:
        """Who, what, and in which order."""
        with Vertical(classes="dialog -tall"):
            yield Static(f"Adapters for {printable(_some(self._projects))}", classes="title", markup=False)
            yield Static("", id="order", markup=False)
            yield Rows("order", "adapter", "verdict", "base model", "version", empty="no adapter is published yet")
            yield Static(
                "Space chooses in order of preference: completions ask for the first. None chosen is the base model. "
                "What is assigned is served from the next apply on (4 Serving).",
                classes="muted",
                markup=False,
            )
        yield Footer(compact=True)

    def on_mount(self) -> None:
        """Show what is assigned."""
        self.query_one(Rows).focus()
        self._draw()
        self.query_one(Rows).choose(self._offered)

    def action_choose(self) -> None:
        """Choose the adapter under the cursor as the next, or take it back."""
        name = self.query_one(Rows).chosen
        if name in self._chosen:
            self._chosen.remove(name)
        elif name:
            self._chosen.append(name)
        self._draw()

    def action_base(self) -> None:
        """Choose none."""
        self._chosen.clear()
        self._draw()

    def action_keep(self) -> None:
        """Answer."""
        self.dismiss(tuple(self._chosen))

    def _draw(self) -> None:
        order = ", then ".join(self._chosen) or "the base model"
        self.query_one("#order", Static).update(f"They get: {printable(order)}")
        self.query_one(Rows).show(
            {
                choice.name: (
                    str(self._chosen.index(choice.name) + 1) if choice.name in self._chosen else "",
                    choice.name,
                    verdict_sign(choice.verdict),
                    choice.base,
                    choice.version,
                )
                for choice in self._choices
            }
        )


def _some(names: Sequence[str]) -> str:
    return ", ".join(names) if len(names) <= 3 else f"{', '.join(names[:3])} and {len(names) - 3} more"
