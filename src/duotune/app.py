"""The full-screen app: five places to be, one palette, and a way out that leaves every run alone."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import ClassVar

from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.filter import LineFilter
from textual.screen import Screen
from textual.theme import Theme

from duotune.errors import printable
from duotune.screens import ways
from duotune.screens.page import FIRST_PAINT_SECONDS, Page
from duotune.screens.preferences import Preferences
from duotune.widgets.bars import PLACES
from duotune.widgets.glyphs import glyphs
from duotune.widgets.plain import KEYS, Plain

LOST_SECONDS, END_SECONDS = 0.7, 5.0
"""How long leaving may take: without a terminal nothing has to be put back, with one it has."""
HUNG_UP = 129
"""Exit status of a program that SIGHUP ended."""
SECONDS_BETWEEN_LOOKS_AT_THE_TERMINAL = 1.0


def _open(place: str) -> Callable[[], Screen[object]]:
    """A factory that imports a place's screen when it is first gone to."""

    def make() -> Screen[object]:
        return ways.screen(ways.PLACES[place])

    return make


class DuotuneApp(App[None]):
    """The app.

    Args:
        land_on_run: Open the newest run that is alive, as somebody who comes back wants to see it.
    """

    TITLE = "duotune"
    CSS_PATH = "assets/app.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]  # noqa: RUF012 - Textual declares it as an instance's
    COMMAND_PALETTE_DISPLAY = "^p"
    MODES: ClassVar[dict[str, str | Callable[[], Screen[object]]]] = {place: _open(place) for place in PLACES}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+q", "quit", "Quit", id="app.quit", key_display="^q", priority=True),
        Binding("f1", "help", "Help", id="app.help", priority=True),
        Binding("question_mark", "help", "Help", id="app.help_letter", show=False),
        Binding("n", "new_run", "New run", id="app.new_run", show=False),
        *(
            Binding(place.key, f"go('{name}')", place.title, id=f"app.{name}", show=False)
            for name, place in PLACES.items()
        ),
    ]

    def __init__(self, land_on_run: bool = True) -> None:
        # Without colours only the terminal's own two are left; said later, Textual would have turned all into greys.
        super().__init__(ansi_color=True if "NO_COLOR" in os.environ else None)
        self._land_on_run = land_on_run
        self._preferences = Preferences.read()
        self._plain = () if glyphs().braille else (Plain(),)

    def on_mount(self) -> None:
        """Take the theme, listen for a lost terminal, and go home."""
        if self.no_color:
            self.theme = "ansi-dark"  # the others would still send grey in 24 bits
        else:
            self.theme = self._preferences.theme_of(self.available_themes)
            self.theme_changed_signal.subscribe(self, self._keep_theme)
        self.set_class(not glyphs().braille, "-ascii")
        self.set_class(self.no_color, "-plain")
        loop = asyncio.get_running_loop()
        if not self.is_headless:
            for number, patience in ((signal.SIGHUP, LOST_SECONDS), (signal.SIGTERM, END_SECONDS)):
                loop.add_signal_handler(number, self._end, 128 + number, patience)
            self.set_interval(SECONDS_BETWEEN_LOOKS_AT_THE_TERMINAL, self._look_at_the_terminal)
        self.switch_mode("home")
        self.set_timer(FIRST_PAINT_SECONDS, gc.enable)
        if self._land_on_run:
            self.set_timer(FIRST_PAINT_SECONDS, self._land)

    def _keep_theme(self, theme: Theme) -> None:
        self.run_worker(lambda: self._preferences.keep(theme.name), thread=True, exit_on_error=False)

    def _look_at_the_terminal(self) -> None:
        """Leave when the terminal is gone and no SIGHUP told of it, which would spin forever (Textual PR 6690)."""
        if not os.isatty(sys.__stdin__.fileno() if sys.__stdin__ else 0):
            self._end(HUNG_UP, LOST_SECONDS)

    def _end(self, code: int, patience: float) -> None:
        """Leave; when that takes longer than `patience`, end the process.

        Textual's writer dies with its terminal, and what is left then waits for it to take more: without end.
        """
        watchdog = threading.Timer(patience, os._exit, (code,))
        watchdog.daemon = True
        watchdog.start()
        self.exit(return_code=code)

    def _land(self) -> None:
        page = self.screen
        if isinstance(page, Page):
            page.in_background(lambda: next(iter(alive_runs()), None), self._watch_run)

    def _watch_run(self, run: str | None) -> None:
        if run is not None and len(self.screen_stack) == 1:
            ways.open_run(self, run)

    def action_go(self, place: str) -> None:
        """Go to one of the five places: to its first screen, whatever was opened over that."""
        if self.screen.is_modal:
            return
        if self.screen_stack == [self.screen] and place == self.current_mode and isinstance(self.screen, Page):
            self.screen.action_back()
        ways.go(self, place)

    def action_help(self) -> None:
        """What this screen or dialog, the focused widget and the keys do; once more closes it."""
        from textual.command import CommandPalette

        from duotune.screens.dialogs import Help

        if isinstance(self.screen, Help):
            self.pop_screen()
        elif not isinstance(self.screen, CommandPalette):
            self.push_screen(Help(self.screen))

    def action_new_run(self) -> None:
        """Begin the wizard, or go on with its draft."""
        ways.new_run(self)

    async def action_quit(self) -> None:
        """Leave; runs go on."""
        self.exit()

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Textual's own, and plain ASCII last where the terminal knows no more."""
        return (*super().get_line_filters(), *self._plain)

    def get_key_display(self, binding: Binding) -> str:
        """A key's name, or its sign where the terminal knows it."""
        display = super().get_key_display(binding)
        return KEYS.get(display, display) if self._plain else display

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """What the palette offers: the places, what this screen can do, and Textual's own."""
        for name, place in PLACES.items():
            yield SystemCommand(f"Go to {place.title}", place.about, lambda name=name: self.action_go(name))
        yield SystemCommand("New run", "Choose projects, model and settings, and start", self.action_new_run)
        yield SystemCommand("Help", "What this screen is for, and its keys", self.action_help)
        if isinstance(screen, Page) and len(self.screen_stack) > 1:
            yield SystemCommand("Back", "To where this screen was opened from", screen.action_back)
        for active in screen.active_bindings.values():
            binding = active.binding
            ours = binding.id and binding.id.partition(".")[0] not in ("app", "page", "rows")
            if ours and binding.description and active.enabled and binding.action != "app.new_run":
                yield SystemCommand(
                    binding.description,
                    binding.tooltip or f"Key {self.get_key_display(binding)}",
                    lambda binding=binding, node=active.node: self.call_later(self.run_action, binding.action, node),
                )
        for command in super().get_system_commands(screen):
            if command.title not in ("Keys", "Screenshot"):
                yield command


def alive_runs() -> list[str]:
    """Ids of the runs that a worker is at now, the newest first."""
    from duotune.runs.directory import list_runs
    from duotune.runs.lock import owner_of

    return [run.id for run in list_runs() if owner_of(run.lock_file) is not None]


def main() -> int:
    """Run the app in this terminal.

    Returns:
        The exit status. Threads that still read are left behind: the caller must end the process at once.
    """
    app = DuotuneApp()
    app.run(loop=asyncio.new_event_loop())
    code = app.return_code or 0
    if code == 0:
        print("".join(f"{line}\n" for line in farewell()), end="")
    return code


def farewell() -> Iterator[str]:
    """What a person who leaves should know: what goes on without the app, and what ends with it."""
    from duotune.adapters.target import unfinished

    for run in alive_runs():
        yield f"Run {run} goes on. `duotune` comes back to it, `duotune logs -f {run}` follows it."
    for target, draft in unfinished():
        yield (
            f"{printable(target)} was not finished. What was copied is in {printable(draft)}; the next export to the "
            "same place deletes it."
        )
