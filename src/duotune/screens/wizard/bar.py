"""The line of steps: where one is, what is done, and, where there is room, what was chosen."""

from __future__ import annotations

from collections.abc import Mapping

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Static

from duotune.errors import printable
from duotune.screens.wizard.draft import STEPS
from duotune.widgets.glyphs import glyphs


class StepsBar(Horizontal):
    """The five steps; a click goes to one."""

    def compose(self) -> ComposeResult:
        """A cell for each."""
        for step in STEPS:
            with Vertical(id=f"step-{step.name}", classes="step"):
                yield Static("", classes="name", markup=False)
                yield Static("", classes="detail", markup=False)

    def show(self, here: str, seen: set[str], bad: set[str], details: Mapping[str, str]) -> None:
        """Mark where one is.

        Args:
            here: Name of the step that is shown.
            seen: Steps that have been gone to.
            bad: Steps with something to correct.
            details: What was chosen in a step, in a few words.
        """
        signs = glyphs()
        for number, step in enumerate(STEPS, 1):
            sign, style = f"{number}", "$text-muted"
            if step.name == here:
                sign, style = signs.running, "bold $accent"
            elif step.name in seen:
                sign, style = (signs.bad, "$text-error") if step.name in bad else (signs.good, "$text-success")
            title = Content.assemble((f"{sign} ", style), (step.title, style if step.name == here else ""))
            title = title.stylize(f"@click=screen.step('{step.name}')")
            self.query_one(f"#step-{step.name} .name", Static).update(title)
            self.query_one(f"#step-{step.name} .detail", Static).update(printable(details.get(step.name, "")))
