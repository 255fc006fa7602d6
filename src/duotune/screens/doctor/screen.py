"""Doctor: every check of this host with what to do about it, and the theme."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widgets import Label, Select, Static

from duotune.screens.page import Page

if TYPE_CHECKING:
    from duotune.adapters.verify import Check


class Doctor(Page):
    """The checks."""

    place = "doctor"
    help_text = (
        "What duotune needs of this host. A cross is missing, an exclamation mark is worth knowing; each line says "
        "what to do. `sudo duotune doctor --install` sets a host up for several people. The theme below is yours "
        "alone, and is remembered."
    )
    BINDINGS: ClassVar[list[BindingType]] = [Binding("r", "look", "Look again", id="doctor.look")]

    def content(self) -> ComposeResult:
        """Checks, then the theme."""
        with VerticalScroll():
            yield Static("looking …", id="checks", markup=False)
        with Horizontal(classes="row"):
            yield Label("Theme")
            names = sorted(self.app.available_themes)
            yield Select([(name, name) for name in names], value=self.app.theme, allow_blank=False, compact=True)

    def command_line(self) -> str:
        """The same checks."""
        return "duotune doctor"

    def on_mount(self) -> None:
        """Look."""
        self.query_one(VerticalScroll).focus()
        self.action_look()

    def action_look(self) -> None:
        """Look again."""
        self.query_one("#checks", Static).update("looking …")
        self.in_background(_look, self._show, "doctor")

    def on_select_changed(self, event: Select.Changed) -> None:
        """Take the theme."""
        if isinstance(event.value, str):
            self.app.theme = event.value

    def _show(self, checks: Sequence[Check]) -> None:
        from duotune.runs.wording import counted
        from duotune.screens.cells import check_line

        missing = sum(not check.ok for check in checks)
        words = "Nothing is missing." if not missing else f"{counted(missing, 'thing')} missing."
        title = Content.styled(words, "bold $text-error" if missing else "bold $text-success")
        self.query_one("#checks", Static).update(Content("\n").join([title, Content(""), *map(check_line, checks)]))


def _look() -> Sequence[Check]:
    from duotune.config.load import load_host_config
    from duotune.plan.doctor import look_around

    return look_around(load_host_config())
