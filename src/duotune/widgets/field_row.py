"""One row of a form: label, slider or choice, exact field, and where the default is."""

from __future__ import annotations

from typing import Any

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widgets import Input, Static

from duotune.errors import printable
from duotune.widgets.choice import Choice
from duotune.widgets.field_face import Face
from duotune.widgets.glyphs import glyphs
from duotune.widgets.slider import Slider


class Exact(Input):
    """The field that takes any value.

    Args:
        value: The text at the start.
        about: What F1 says of it.
        placeholder: What an empty one means.
        figure: Whether it is a number, which is selected as a whole when the focus comes to it: what is typed then
            takes its place. A path or a name is rather mended than typed anew, so that the cursor goes to its end.
    """

    def __init__(
        self, value: str, about: str, placeholder: str = "", id: str | None = None, figure: bool = False
    ) -> None:
        super().__init__(value, placeholder=placeholder, compact=True, select_on_focus=figure, id=id)
        self.help_text = about


class FieldRow(Vertical):
    """The row. A bad value stays as it was typed, and what is wrong with it stands below.

    Args:
        face: The field.
        value: Its value at the start.
        note: In place of the default's mark.
    """

    DEFAULT_CSS = """
    FieldRow {
        height: auto;
        & > Horizontal { height: 1; }
        & .exact-room { width: 12; }
        & .label { width: 20; padding-right: 1; text-wrap: nowrap; text-overflow: ellipsis; }
        & .control { width: 1fr; max-width: 30; padding-right: 1; }
        & .bounds { color: $text-disabled; }
        & Slider, & Choice { width: 1fr; max-width: 29; margin-right: 1; }
        & Exact { width: 12; }
        & .-text Exact { width: 1fr; max-width: 42; }
        & .default { width: 18; padding-left: 1; color: $text-muted; text-wrap: nowrap; text-overflow: ellipsis; }
        & .problem { height: auto; padding-left: 20; color: $text-error; display: none; }
        &.-bad .problem { display: block; }
        &.-bad .label { color: $text-error; }
        &.-bad Exact { background: $error 25%; }
        &:focus-within .label { text-style: bold; }
    }
    .-wide FieldRow {
        & .label { width: 30; }
        & .problem { padding-left: 30; }
        & .control { max-width: 50; }
        & Slider, & Choice { max-width: 49; }
        & Exact, & .exact-room { width: 16; }
        & .-text Exact { max-width: 66; }
        & .default { width: 1fr; }
    }
    """

    problem: reactive[str] = reactive("")

    class Changed(Message):
        """A person has given the field another value; who takes it tells the row so."""

        def __init__(self, row: FieldRow, value: Any) -> None:
            super().__init__()
            self.row, self.key, self.value = row, row.face.key, value

    def __init__(self, face: Face, value: Any = None, note: str = "") -> None:
        super().__init__(id=f"field-{face.key.replace('.', '-')}")
        self.face = face
        self.value = face.default if value is None else value
        self._note = note
        self._untold = 0

    @property
    def ahead(self) -> bool:
        """Whether it was changed again since the draft was told of a change: what the draft says then is of before."""
        return self._untold > 0

    def told(self) -> None:
        """The draft has taken one change."""
        self._untold -= 1

    def compose(self) -> ComposeResult:
        """The row, and room for a problem."""
        face = self.face
        with Horizontal(classes="-text" if face.kind in ("text", "list", "words") else ""):
            yield Static(face.label, classes="label", markup=False)
            yield from self._controls()
            yield Static("", classes="default", markup=False)
        yield Static("", classes="problem", markup=False)

    def on_mount(self) -> None:
        """Mark the default."""
        self._mark_default()

    def show(self, value: Any) -> None:
        """Show another value, as it is in the draft now; nothing is said to have changed."""
        self.value = self.face.default if value is None else value
        self._follow_exact()
        self._follow_slider()
        for choice in self.query(Choice):
            choice.value = self.face.write(self.value)
        self._mark_default()

    def go_to(self) -> None:
        """Put the focus where the value can be corrected."""
        target = self.query("Exact, Choice").first()
        target.focus()
        self.scroll_visible(animate=False)

    def watch_problem(self, problem: str) -> None:
        """Show what is wrong, or that nothing is."""
        self.set_class(bool(problem), "-bad")
        if self.is_mounted:
            sentence = printable(_sentence(self.face.label, problem))
            self.query_one(".problem", Static).update(
                Content.assemble((f"{glyphs().bad} ", "bold"), sentence) if problem else ""
            )

    def on_slider_changed(self, event: Slider.Changed) -> None:
        """The exact field follows."""
        event.stop()
        self._take(event.value)
        self._follow_exact()

    def on_choice_changed(self, event: Choice.Changed) -> None:
        """Take the word."""
        event.stop()
        self._take(self.face.read(event.value))

    def on_input_changed(self, event: Input.Changed) -> None:
        """The slider follows. The text that the row itself has written is no change: 0 stays 0, not 0.0."""
        event.stop()
        text = event.input.value  # more may have been typed since
        if text == self.face.write(self.value):
            return
        value = self.face.read(text)
        if value != self.value or type(value) is not type(self.value):
            self._take(value)
            self._follow_slider()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter goes on to the next field."""
        event.stop()
        self.screen.focus_next()

    def _controls(self) -> ComposeResult:
        face, about = self.face, self.face.full_help
        text = face.write(self.value)
        if face.options and face.kind != "words":
            yield Choice(face.options, text, about)
            yield Static("", classes="exact-room")
            return
        if face.steps:
            yield Slider(face.steps, _number(self.value), _number(face.default), about)
        elif face.kind in ("whole", "number"):
            yield Static(face.bounds, classes="control bounds", markup=False)
        yield Exact(text, about, "" if face.required else "empty", figure=face.kind in ("whole", "number"))

    def _take(self, value: Any) -> None:
        self.value = value
        self._mark_default()
        self._untold += 1
        self.post_message(self.Changed(self, value))

    def _follow_exact(self) -> None:
        for exact in self.query(Exact):
            if self.face.read(exact.value) != self.value:
                with exact.prevent(Input.Changed):
                    exact.value = self.face.write(self.value)
                exact.cursor_position = len(exact.value)

    def _follow_slider(self) -> None:
        for slider in self.query(Slider):
            slider.value = _number(self.value)

    def _mark_default(self) -> None:
        face = self.face
        if self._note or face.required:
            words = self._note or "required"
        elif self.value == face.default:
            words = f"{glyphs().bullet} default"
        else:
            words = f"default {face.write(face.default) or 'empty'}"
        self.query_one(".default", Static).update(words)


def _sentence(label: str, reason: str) -> str:
    """What is wrong with a field: reasons begin with the verb, as they follow a key elsewhere."""
    if reason.partition(" ")[0] not in ("is", "must", "may"):
        return reason
    return f"The {label} {reason}" + ("" if reason.endswith((".", "?")) else ".")


def _number(value: Any) -> int | float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None
