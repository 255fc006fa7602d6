"""What every screen has: the bar of places, a line with the command line's equivalent, the keys; reading in threads."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar, TypeVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Footer

from duotune.errors import DuotuneError, printable
from duotune.widgets.bars import CommandLine, PlacesBar

T = TypeVar("T")

DEFECT = "This is a defect of duotune; please report it."
TROUBLE_SECONDS = 12.0
FIRST_PAINT_SECONDS = 0.3

BACK: tuple[Binding, ...] = (
    Binding("escape", "back", "Back", id="page.back"),
    Binding("ctrl+q", "app.quit", "Quit", id="page.quit", key_display="^q", show=False, priority=True),
)
"""What the footer of a screen that was opened from another one shows in the place of Quit: it has room for six."""


class Page(Screen[None]):
    """A full screen.

    A subclass composes its content in `content`, and says what it shows in `help_text` and `command_line`.

    Attributes:
        help_text: What F1 says of it: plain sentences.
        place: The place it belongs to, marked in the bar.
        painted: The app has stood on the terminal for a moment.
    """

    help_text: str = ""
    place: ClassVar[str] = "home"
    painted: ClassVar[bool] = False
    AUTO_FOCUS = ""
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "back", "Back", id="page.back", show=False)]

    class Done(Message):
        """A background thread has something to show; carries what shall be called on the event loop.

        Args:
            then: What is called.
            group: Whose work has come to its end; empty for none.
        """

        def __init__(self, then: Callable[[], None], group: str = "") -> None:
            super().__init__()
            self.then, self.group = then, group

    def __init__(self) -> None:
        super().__init__()
        self._leaving: Callable[[], None] | None = None
        self._busy: set[str] = set()
        self._looks: list[Callable[[], None]] = []
        self._waiting: dict[str, Callable[[], None]] = {}

    def compose(self) -> ComposeResult:
        """Bar, content, equivalent, keys."""
        yield PlacesBar(self.place)
        with Vertical(id="content"):
            yield from self.content()
        yield CommandLine(self.command_line())
        yield Footer(compact=True)

    def content(self) -> ComposeResult:
        """The screen's own widgets."""
        yield from ()

    def command_line(self) -> str:
        """What does the same in a shell."""
        return "duotune"

    def show_command(self, command: str) -> None:
        """Change the line with the equivalent."""
        self.query_one(CommandLine).command = command

    def in_background(
        self,
        work: Callable[[], T],
        then: Callable[[T], None],
        group: str = "",
        trouble: Callable[[DuotuneError], None] | None = None,
        waits: bool = True,
    ) -> None:
        """Do blocking work in a thread, then show its result on the event loop.

        Args:
            work: Reads or changes something; must not touch a widget.
            then: Called with its result, unless the screen is gone by then.
            group: One work of a group is under way at a time. Of those that are asked for meanwhile, the newest is
                done after it, since what is under way may have looked too early.
            trouble: Called instead when `work` raises; by default the error is shown.
            waits: Whether it is done at all when its group is busy: not a key that was pressed twice, nor a look that
                will be taken again in a moment.
        """
        if group in self._busy:
            if waits:
                self._waiting[group] = partial(self.in_background, work, then, group, trouble)
            return
        if group:
            self._busy.add(group)
        fail = trouble or self.show_trouble

        def run() -> None:
            try:
                result = work()
            except DuotuneError as error:
                self.post_message(self.Done(partial(fail, error), group))
            except Exception as error:  # a defect must be seen, and must not end the app that watches a run
                unexpected = DuotuneError(printable(f"{type(error).__name__}: {error}"), DEFECT)
                self.post_message(self.Done(partial(fail, unexpected), group))
            else:
                self.post_message(self.Done(partial(then, result), group))

        self.run_worker(run, thread=True, group=group or "background", exit_on_error=False)

    def on_page_done(self, message: Page.Done) -> None:
        """Show what a thread has found, and begin what has waited for it."""
        message.stop()
        self._busy.discard(message.group)
        if not self.is_attached:
            return
        try:
            message.then()
        finally:
            if waiting := self._waiting.pop(message.group, None):
                waiting()

    def every(self, seconds: float, read: Callable[[], T], then: Callable[[T], None], group: str) -> None:
        """Read at once, again and again while this screen is on top and looked at, and when one comes back to it."""

        def look(always: bool = False) -> None:
            Page.painted = True
            if always or (self.is_seen and self.app.app_focus):
                self.in_background(read, show, group, fail, waits=always)

        told = ""

        def show(found: T) -> None:
            nonlocal told
            told = ""
            then(found)

        def fail(error: DuotuneError) -> None:
            nonlocal told
            if error.message != told:  # what goes on being wrong is said once
                told = error.message
                self.show_trouble(error)

        # The first paint must not share the interpreter with a thread that imports what it reads with.
        if Page.painted or self.app.is_headless:
            look(True)
        else:
            self.set_timer(FIRST_PAINT_SECONDS, lambda: look(True))
        self._looks.append(look)
        self.set_interval(seconds, look)

    @property
    def is_seen(self) -> bool:
        """Whether it is on top, dialogs aside. Textual's `is_current` holds for a screen right behind it too."""
        stack = self.app.screen_stack
        return self in stack and all(screen.is_modal for screen in stack[stack.index(self) + 1 :])

    def show_trouble(self, error: DuotuneError) -> None:
        """An error, in its own two sentences."""
        self.notify(
            f"{error.message}\n{error.hint}".strip(),
            title="Did not work",
            severity="error",
            markup=False,
            timeout=TROUBLE_SECONDS,
        )

    def say(self, sentence: str) -> None:
        """A short note that goes away by itself; foreign text in it is shown literally."""
        self.notify(printable(sentence), markup=False)

    def action_back(self) -> None:
        """To where this screen was opened from; the first screen of a place stays."""
        if len(self.app.screen_stack) > 1:
            self.leave()

    def leave(self, then: Callable[[], None] = lambda: None) -> None:
        """Close this screen: at once, or when it is on top again, since a person may have gone on meanwhile.

        Args:
            then: Called when it is closed.
        """
        self._leaving = then
        self._leave_when_on_top()

    def on_screen_resume(self) -> None:
        """Close what should have been closed; else look at once, for keys must not act on what was long ago."""
        self._leave_when_on_top()
        if Page.painted and self._leaving is None:
            for look in self._looks:
                look()

    def _leave_when_on_top(self) -> None:
        then = self._leaving
        if then is not None and self.app.screen is self:  # Textual closes whatever is on top
            self._leaving = None
            self.dismiss()
            self.app.call_later(then)

    def ask(self, question: str, consequences: str, yes: str, then: Callable[[], Any]) -> None:
        """Ask before something that is not easily undone."""
        from duotune.screens.dialogs import Question

        self.app.push_screen(Question(question, consequences, yes), lambda agreed: then() if agreed else None)
