"""What stands in front of a screen for a moment: a question, and help."""

from __future__ import annotations

from typing import ClassVar, Protocol, runtime_checkable

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.screen import ModalScreen, Screen
from textual.widgets import Button, Input, Static

from duotune.errors import printable

ROWS = "One row up or down; page up and down, home and end go farther"
TEXTUALS = {
    ("up", "cursor_up"): ("up, down", ROWS),
    ("up", "move(-1)"): ("up, down", ROWS),
    ("up", "scroll_up"): ("up, down", "Scroll; page up and down, home and end go farther"),
    ("ctrl+k", "delete_right_all"): ("ctrl+k", "Delete what follows in this field; ctrl+u what stands before"),
    ("tab", "app.focus_next"): ("tab", "To the next field; shift+tab to the one before"),
    ("ctrl+p", "command_palette"): ("^p", "Every action by name"),
}
"""Keys that Textual binds, with what they are bound to: how we call them, and what they do in our words."""


@runtime_checkable
class Helpful(Protocol):
    """A widget that can say what it is for."""

    @property
    def help_text(self) -> str: ...


class Question(ModalScreen[bool]):
    """A question with its consequences; the safe answer has the focus.

    Args:
        question: One sentence.
        consequences: What follows from yes.
        yes: The verb on the button.
        no: What the safe answer says.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,n", "answer(False)", "No", id="question.no"),
        Binding("y", "answer(True)", "Yes", id="question.yes"),
        Binding("left", "app.focus_previous", show=False),
        Binding("right", "app.focus_next", show=False),
    ]
    AUTO_FOCUS = "#no"

    def __init__(self, question: str, consequences: str, yes: str, no: str = "No, go back") -> None:
        super().__init__()
        self._question, self._consequences, self._yes, self._no = question, consequences, yes, no

    def compose(self) -> ComposeResult:
        """The sentences, and two buttons."""
        with Vertical(classes="dialog"):
            yield Static(printable(self._question), classes="title", markup=False)
            yield Static("\n".join(map(printable, self._consequences.splitlines())), markup=False)
            with Horizontal(classes="buttons"):
                yield Button(f"{self._no} (n)", id="no", compact=True)
                yield Button(f"{self._yes} (y)", id="yes", variant="warning", compact=True)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Answer."""
        self.dismiss(event.button.id == "yes")

    def action_answer(self, agreed: bool) -> None:
        """Answer."""
        self.dismiss(agreed)


class Help(ModalScreen[None]):
    """What a screen shows, what the focused widget takes, and every key.

    Args:
        about: The screen that was on top.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,f1,q,question_mark", "app.pop_screen", "Close", id="help.close")
    ]
    AUTO_FOCUS = "VerticalScroll"

    def __init__(self, about: Screen[object]) -> None:
        super().__init__()
        self._about = about

    def compose(self) -> ComposeResult:
        """Sentences and a table."""
        with VerticalScroll(classes="dialog -tall") as box:
            box.border_title = "Help"
            box.border_subtitle = "escape closes it, arrows scroll"
            for title, text in self._texts():
                yield Static(title, classes="title", markup=False)
                yield Static(text, markup=False)
            yield Static("Keys", classes="title")
            yield Static("\n".join(self._keys()), markup=False)

    def _texts(self) -> list[tuple[str, str]]:
        found = []
        if text := getattr(self._about, "help_text", ""):
            found.append(("This screen", text))
        focused = self._about.focused
        if isinstance(focused, Helpful) and focused.help_text:
            found.append(("This field", focused.help_text))
        return found

    def _keys(self) -> list[str]:
        """A line for each thing that a key does now, those of the screen first; Textual's own keys in our words."""
        lines: dict[str, list[str]] = {}
        order = (self._about, self.app)
        found = sorted(self._about.active_bindings.values(), key=lambda active: active.node not in order)
        for active in found:
            binding = active.binding
            if binding.description and binding.id and active.enabled:
                lines.setdefault(binding.description, []).append(self.app.get_key_display(binding))
        bound = {(key, active.binding.action) for key, active in self._about.active_bindings.items()}
        moves = [told for keys, told in TEXTUALS.items() if keys in bound]
        told = [*((", ".join(keys), words) for words, keys in lines.items()), *moves]
        return [f"{keys:>12}  {words}" for keys, words in told]


class Reason(ModalScreen[str | None]):
    """A question that is answered with yes and, where it is needed, a reason; None when it is taken back.

    Args:
        question: One sentence.
        why: Why a reason is asked for; empty for none.
        yes: The verb on the button.
        needed: Without a reason there is no yes.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "No", id="reason.no")]

    def __init__(self, question: str, why: str, yes: str, needed: bool) -> None:
        super().__init__()
        self._question, self._why, self._yes, self._needed = question, why, yes, needed

    def compose(self) -> ComposeResult:
        """The sentences, a field where one is needed, and two buttons."""
        with Vertical(classes="dialog"):
            yield Static(printable(self._question), classes="title", markup=False)
            yield Static(self._why, markup=False)
            if self._needed:
                yield Input(placeholder="the reason, which is recorded", compact=True)
            with Horizontal(classes="buttons"):
                yield Button("No, go back (esc)", id="no", compact=True)
                yield Button(f"{self._yes} (enter)", id="yes", variant="warning", compact=True)

    def on_mount(self) -> None:
        """Start in the field, or at the safe answer."""
        self.query_one("Input" if self._needed else "#no").focus()

    def on_input_submitted(self) -> None:
        """Answer yes."""
        self._agree()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Answer."""
        if event.button.id == "yes":
            self._agree()
        else:
            self.dismiss(None)

    def _agree(self) -> None:
        reason = self.query_one(Input).value.strip() if self._needed else ""
        if self._needed and not reason:
            self.query_one(Input).focus()
            self.notify("Nothing is published without a reason.", severity="warning")
            return
        self.dismiss(reason)
