"""A choice between a few words, all of them shown in one line; a filled circle says which."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from duotune.widgets.glyphs import glyphs


class Choice(Widget, can_focus=True):
    """The choice.

    Args:
        options: The words, at least one.
        value: The chosen one; anything else chooses none.
        about: What F1 says of it.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "step(-1)", "The one before", id="choice.before", show=False),
        Binding("right,space", "step(1)", "The next one", id="choice.next", show=False),
        Binding("home", "end(0)", "The first", id="choice.first", show=False),
        Binding("end", "end(-1)", "The last", id="choice.last", show=False),
    ]
    DEFAULT_CSS = """
    Choice { height: 1; width: 1fr; color: $text-muted; }
    Choice:focus { color: $text; background: $primary 40%; }
    """

    value: reactive[str] = reactive("")

    class Changed(Message):
        """A person has chosen."""

        def __init__(self, choice: Choice, value: str) -> None:
            super().__init__()
            self.choice, self.value = choice, value

        @property
        def control(self) -> Choice:
            """The choice."""
            return self.choice

    def __init__(self, options: Sequence[str], value: str = "", about: str = "", id: str | None = None) -> None:
        super().__init__(id=id)
        self.options = tuple(options)
        self.help_text = about
        self.set_reactive(Choice.value, value)

    def render(self) -> Content:
        """Every option; the chosen one is marked."""
        pieces: list[Content] = []
        for option in self.options:
            here = option == self.value
            pieces.append(Content.assemble((f"{_sign(here)} {option}", "bold $accent" if here else "")))
        return Content("  ").join(pieces)

    def action_step(self, places: int) -> None:
        """Go to the next one; after the last comes the first."""
        at = self.options.index(self.value) if self.value in self.options else -1 if places > 0 else 0
        self._choose(self.options[(at + places) % len(self.options)])

    def action_end(self, index: int) -> None:
        """Go to the first or the last."""
        self._choose(self.options[index])

    def on_click(self, event: events.Click) -> None:
        """Choose what was clicked at."""
        event.stop()
        begin = 0
        for option in self.options:
            end = begin + 2 + len(option)
            if begin <= event.x < end:
                self._choose(option)
            begin = end + 2

    def _choose(self, option: str) -> None:
        if option != self.value:
            self.value = option
            self.post_message(self.Changed(self, option))


def _sign(chosen: bool) -> str:
    if glyphs().braille:
        return "●" if chosen else "○"
    return "*" if chosen else "."
