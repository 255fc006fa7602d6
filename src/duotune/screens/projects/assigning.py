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
from duotune.screens.projects.wish import Assigned, Wish, command, sentences, some
from duotune.widgets.bars import CommandLine
from duotune.widgets.rows import Rows

if TYPE_CHECKING:
    from duotune.screens.projects.reading import Choice

COLUMNS = ("order", "adapter", "verdict", "base model", "version")
HOW = (
    "Space chooses in order of preference: completions ask for the first. None chosen is the base model. "
    "What is assigned is served from the next apply on (4 Serving)."
)
SOME = "What only some of them have stays with them; space chooses it for all, and once more takes it from all."


class Assigning(ModalScreen[Assigned | None]):
    """Adapters to choose from; the answer is what each project gets, or None when it is taken back.

    Args:
        before: Who shall get them, with what is assigned now.
        choices: What there is.
        offered: What is proposed as the first; empty for nothing.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Back", id="assigning.back"),
        Binding("space", "choose", "Choose", id="assigning.toggle", priority=True),
        Binding("b", "base", "Base model", id="assigning.base"),
        Binding("enter,f8", "keep", "Assign", id="assigning.keep", priority=True),
        Binding("f1", "app.help", "Help", id="assigning.help"),
    ]

    help_text = f"{HOW} {SOME}"

    def __init__(self, before: Assigned, choices: Sequence[Choice], offered: str = "") -> None:
        super().__init__()
        self._choices = choices
        self._offered = offered if offered in (choice.name for choice in choices) else ""
        self._wish = Wish(before, self._offered)

    def compose(self) -> ComposeResult:
        """Who, what, and in which order."""
        with Vertical(classes="dialog -tall"):
            yield Static(f"Adapters for {printable(some(list(self._wish.before)))}", classes="title", markup=False)
            yield Static("", id="order", markup=False)
            yield Rows(*COLUMNS, yielding=COLUMNS[1:], empty="no adapter is published yet")
            yield Static(f"{SOME} {HOW}" if self._wish.kept else HOW, classes="muted", markup=False)
            yield CommandLine(command(self._wish.after))
        yield Footer(compact=True)

    def on_mount(self) -> None:
        """Show what is assigned."""
        self.query_one(Rows).focus()
        self._draw()
        self.query_one(Rows).choose(self._offered)

    def action_choose(self) -> None:
        """Choose the adapter under the cursor as the next, or take it back."""
        if name := self.query_one(Rows).chosen:
            self._wish.turn(name)
            self._draw()

    def action_base(self) -> None:
        """Choose none."""
        self._wish.clear()
        self._draw()

    def action_keep(self) -> None:
        """Answer."""
        self.dismiss(self._wish.after)

    def _draw(self) -> None:
        self.query_one(CommandLine).command = command(self._wish.after)
        self.query_one("#order", Static).update("\n".join(map(printable, sentences(self._wish.after))))
        self.query_one(Rows).show(
            {
                choice.name: (
                    self._place(choice.name),
                    choice.name,
                    verdict_sign(choice.verdict),
                    choice.base,
                    choice.version,
                )
                for choice in self._choices
            }
        )

    def _place(self, name: str) -> str:
        """Its place in the order; of what only some have, how many those are."""
        if name in self._wish.chosen:
            return str(self._wish.chosen.index(name) + 1)
        return f"in {self._wish.having(name)} of {len(self._wish.before)}" if name in self._wish.kept else ""
