"""A slider over allowed values: it counts places, so that log scales and powers of two are the same widget."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from duotune.widgets.glyphs import glyphs

Number = int | float


class Slider(Widget, can_focus=True):
    """The slider. A value between two allowed ones is shown between them, and left alone until a key moves it.

    Args:
        values: Allowed values, ascending, at least one.
        value: The value at the start.
        default: Its place is marked; None marks none.
        about: What F1 says of it.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "step(-1)", "Less", id="slider.less", show=False),
        Binding("right", "step(1)", "More", id="slider.more", show=False),
        Binding("home", "end(0)", "Least", id="slider.least", show=False),
        Binding("end", "end(-1)", "Most", id="slider.most", show=False),
        Binding("pagedown", "step(-3)", "Much less", id="slider.much_less", show=False),
        Binding("pageup", "step(3)", "Much more", id="slider.much_more", show=False),
    ]
    DEFAULT_CSS = """
    Slider { height: 1; width: 1fr; color: $text-muted; }
    Slider:focus { color: $text; background: $primary 40%; }
    """

    value: reactive[Number | None] = reactive(None)

    class Changed(Message):
        """A person has moved the slider."""

        def __init__(self, slider: Slider, value: Number) -> None:
            super().__init__()
            self.slider, self.value = slider, value

        @property
        def control(self) -> Slider:
            """The slider."""
            return self.slider

    def __init__(
        self,
        values: Sequence[Number],
        value: Number | None = None,
        default: Number | None = None,
        about: str = "",
        id: str | None = None,
    ) -> None:
        super().__init__(id=id)
        self.values = tuple(values)
        self.default = default
        self.help_text = about
        self.set_reactive(Slider.value, value)

    def place_of(self, value: Number | None) -> float:
        """Where a value lies: the index of an allowed one, between two indices otherwise, an end beyond the ends."""
        if value is None:
            return 0.0
        after = bisect_left(self.values, value)
        if after == len(self.values):
            return float(after - 1)
        if after == 0 or self.values[after] == value:
            return float(after)
        low, high = self.values[after - 1], self.values[after]
        return after - 1 + (value - low) / (high - low)

    def render(self) -> Content:
        """A line with a handle, and a mark at the default's place."""
        signs = glyphs()
        line, done, mark, handle, between = ("─", "━", "┼", "●", "◌") if signs.braille else ("-", "=", "+", "O", "o")
        width = max(2, self.size.width)
        at = self._column(self.place_of(self.value), width)
        cells = [done] * at + [line] * (width - at)
        if self.default is not None:
            cells[self._column(self.place_of(self.default), width)] = mark
        if self.value is not None:
            cells[at] = handle if self.value in self.values else between
        text = "".join(cells)
        if self.value is None:
            return Content(text)
        return Content.assemble(text[:at], (text[at], "bold $accent"), text[at + 1 :])

    def action_step(self, places: int) -> None:
        """Go so many places; from between two, to the next on that side first."""
        place = self.place_of(self.value)
        whole = int(place) if place == int(place) or places > 0 else int(place) + 1
        self._go(whole + places)

    def action_end(self, index: int) -> None:
        """Go to the first or the last."""
        self._go(index % len(self.values))

    def on_click(self, event: events.Click) -> None:
        """Go to the place nearest to the click."""
        event.stop()
        last = len(self.values) - 1
        self._go(round(event.x * last / max(1, self.size.width - 1)))

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Turn it when it has the focus; else the form scrolls."""
        if self.has_focus:
            event.stop()
            self.action_step(-1)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Turn it when it has the focus; else the form scrolls."""
        if self.has_focus:
            event.stop()
            self.action_step(1)

    def _go(self, index: int) -> None:
        chosen = self.values[min(max(index, 0), len(self.values) - 1)]
        if chosen != self.value:
            self.value = chosen
            self.post_message(self.Changed(self, chosen))

    def _column(self, place: float, width: int) -> int:
        last = len(self.values) - 1
        return round(place * (width - 1) / last) if last else 0
