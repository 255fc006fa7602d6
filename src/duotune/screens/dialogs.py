"""What stands in front of a screen for a moment: a question, and help."""

from __future__ import annotations

from typing import ClassVar, Protocol, runtime_checkable

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.events import Key
from textual.screen import ModalScreen, Screen
from textual.timer import Timer
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
STILL_SECONDS = 0.7
"""So long no key may have come before a question that nobody asked for hears one: typing has shorter pauses."""


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
        Binding("escape", "answer(False)", "No", id="question.no"),
        Binding("n", "letter(False)", "No", id="question.no_letter", show=False),
        Binding("y", "letter(True)", "Yes", id="question.yes"),
        Binding("left", "app.focus_previous", id="question.previous", show=False),
        Binding("right", "app.focus_next", id="question.next", show=False),
    ]
    AUTO_FOCUS = "#no"

    def __init__(self, question: str, consequences: str, yes: str, no: str = "No, go back") -> None:
        super().__init__()
        self._question, self._consequences, self._yes, self._no = question, consequences, yes, no

    def compose(self) -> ComposeResult:
        """The sentences, and two buttons."""
        no, yes = self.labels
        with Vertical(classes="dialog"):
            yield Static(printable(self._question), classes="title", markup=False)
            yield Static("\n".join(map(printable, self._consequences.splitlines())), markup=False)
            with Horizontal(classes="buttons"):
                yield Button(no, id="no", compact=True)
                yield Button(yes, id="yes", variant="warning", compact=True)

    @property
    def labels(self) -> tuple[str, str]:
        """What stands on the buttons, with the key that does the same."""
        return f"{self._no} (n)", f"{self._yes} (y)"

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Answer."""
        self.dismiss(event.button.id == "yes")

    def action_answer(self, agreed: bool) -> None:
        """Answer."""
        self.dismiss(agreed)

    def action_letter(self, agreed: bool) -> None:
        """Answer by a letter."""
        self.dismiss(agreed)


class Interruption(Question):
    """A question that comes by itself, maybe in the middle of a word: nothing that is typed on answers it.

    No button has the focus and no letter answers: one goes to a button and presses enter, or escape for the safe
    answer. A key is only heard once the keyboard was still for a moment.

    Attributes:
        hears: Whether it was.
    """

    AUTO_FOCUS = ""
    hears = False
    _timer: Timer | None = None

    def on_mount(self) -> None:
        """Wait for the keyboard to be still."""
        self.query_one(".dialog").border_subtitle = "tab goes to an answer, enter gives it"
        self._timer = self.set_timer(STILL_SECONDS, self._hear)

    @property
    def labels(self) -> tuple[str, str]:
        """No letter answers it."""
        return f"{self._no} (esc)", self._yes

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Letters do nothing."""
        return action != "letter"

    def on_key(self, event: Key) -> None:
        """What is typed on is meant for the field behind it. Textual looks for bindings only after this."""
        if not self.hears:
            event.stop()
            if self._timer is not None:
                self._timer.reset()

    def _hear(self) -> None:
        self.hears = True


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
