"""Rows of fields below each other, in groups; the one line of help of the field that has the focus."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Static

from duotune.widgets.field_row import FieldRow


class Form(VerticalScroll, can_focus=False):
    """The rows; up and down go from row to row."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "row(-1)", "The field above", id="form.above", show=False),
        Binding("down", "row(1)", "The field below", id="form.below", show=False),
    ]

    def row(self, key: str) -> FieldRow | None:
        """The row of a key, if this form has it."""
        return next((row for row in self.query(FieldRow) if row.face.key == key), None)

    def action_row(self, places: int) -> None:
        """Go to the next widget that takes the focus in another row."""
        focused = self.screen.focused
        chain = [widget for widget in self.screen.focus_chain if self in widget.ancestors]
        if focused not in chain:
            return
        line = focused.region.y
        rest = chain[chain.index(focused) :: places] if places > 0 else chain[chain.index(focused) :: -1]
        for widget in rest:
            if widget.region.y != line:
                first = next(other for other in chain if other.region.y == widget.region.y)
                same = [other for other in chain if other.region.y == widget.region.y and type(other) is type(focused)]
                self.screen.set_focus(same[0] if same else first)  # at once: `focus` waits, and keys may come in bursts
                return


class HelpLine(Static):
    """What the focused field does, in its own declaration's words."""

    DEFAULT_CSS = "HelpLine { height: 2; padding: 0 1; color: $text-muted; }"

    def __init__(self) -> None:
        super().__init__("", markup=False)

    def on_mount(self) -> None:
        """Listen for the focus."""
        self.watch(self.screen, "focused", self._say)

    def _say(self, focused: object) -> None:
        row = next((one for one in getattr(focused, "ancestors", ()) if isinstance(one, FieldRow)), None)
        if row is None:
            self.update("")
            return
        unit = f" ({row.face.unit})" if row.face.unit else ""
        self.update(f"{row.face.key}{unit}: {row.face.help}")
