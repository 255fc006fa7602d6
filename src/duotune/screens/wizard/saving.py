"""Keeps the draft while it changes: in threads, the newest one last; asks where another terminal has kept another."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING

from textual.timer import Timer

from duotune.errors import DuotuneError
from duotune.screens.page import Page
from duotune.screens.wizard.draft import Draft

if TYPE_CHECKING:
    from pathlib import Path

    from duotune.screens.wizard.keeping import Kept
    from duotune.screens.wizard.meeting import Met

PAUSE_SECONDS = 0.5
"""So long after the last change a draft is kept."""
TAKEN_AWAY = "Another terminal has started this draft as a run, or emptied it. It is kept again as it stands here."


def _nothing() -> None:
    """No more to do."""


class Saving:
    """Keeps the drafts of one wizard.

    Args:
        page: Whose threads are used.
        take: Called with another terminal's draft, when its author goes on with that one.
    """

    def __init__(self, page: Page, take: Callable[[Kept], None]) -> None:
        self._page, self._take = page, take
        self._turn = Lock()
        self._wish: tuple[Draft, str] = Draft(), ""
        self._known = Draft()
        self._timer: Timer | None = None
        self._ended = self._warned = self._met = False
        self._held_up: list[tuple[Callable[[], None], Callable[[DuotuneError], None]]] = []

    @property
    def has_kept(self) -> bool:
        """Whether there is a draft that was kept, as far as is known."""
        return bool(self._known.data)

    def begin(self, kept: Kept) -> None:
        """From now on the draft goes on from what was read."""
        self._known = kept.before

    def soon(self, draft: Draft, step: str) -> None:
        """Keep it when it has not changed for a moment."""
        self._stop()
        self._wish = draft, step
        self._timer = self._page.set_timer(PAUSE_SECONDS, lambda: self.now(*self._wish))

    def now(self, draft: Draft, step: str) -> None:
        """Keep it; an empty one is forgotten."""
        if not self._ended:
            self.then(draft, step, _nothing, self._trouble)

    def then(self, draft: Draft, step: str, done: Callable[[], None], trouble: Callable[[DuotuneError], None]) -> None:
        """Keep it, and what is changed meanwhile, and go on; while it is started as a run, nothing is gone on with."""
        self._stop()
        self._wish = draft, step
        self._page.in_background(self._write, partial(self._written, done, trouble), trouble=trouble)

    def end(self, ended: bool) -> None:
        """The draft becomes a run, or does not after all: nothing is kept meanwhile."""
        self._stop()
        self._ended = ended
        if not ended:
            self.now(*self._wish)

    def forget(self) -> None:
        """In a thread: the draft has done its work."""
        from duotune.screens.wizard import meeting

        with self._turn:
            meeting.forget_own(self._known)
            self._known = Draft()
            self._wish = Draft(), ""

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None

    def _trouble(self, error: DuotuneError) -> None:
        if not self._warned:  # each change would say it again
            self._warned = True
            self._page.show_trouble(error)

    def _write(self) -> Met | bool:
        from duotune.screens.wizard import meeting

        with self._turn:  # whichever thread comes last, it writes the newest
            if self._met or self._ended:
                return False
            draft, step = self._wish
            try:
                taken_away = meeting.keep_own(draft, step, self._known)
            except meeting.Met as met:
                self._met = True  # nothing is written until it is known which one goes on
                return met
            self._known = meeting.as_kept(draft)
            return taken_away

    def _written(self, done: Callable[[], None], trouble: Callable[[DuotuneError], None], found: Met | bool) -> None:
        if self._met:
            self._held_up.append((done, trouble))
        if not isinstance(found, bool):
            self._ask(found)
            return
        if found:
            self._page.say(TAKEN_AWAY)
        if self._met or self._ended or done is _nothing:
            return
        if self._timer is None:
            done()
        else:
            self.then(*self._wish, done, trouble)

    def _ask(self, met: Met) -> None:
        from duotune.screens.dialogs import Interruption

        question = Interruption(
            met.message,
            "Nothing is lost: the one that you do not go on with is put aside, and F3 lists it.",
            "Take the other's",
            "Keep this one",
        )
        self._page.app.push_screen(question, lambda theirs: self._decided(met, bool(theirs)))

    def _decided(self, met: Met, theirs: bool) -> None:
        work = partial(self._take_theirs if theirs else self._keep_ours, met)
        self._page.in_background(work, partial(self._settled, theirs), trouble=self._unsettled)

    def _keep_ours(self, met: Met) -> tuple[Kept | None, Path | None]:
        from duotune.screens.wizard import meeting

        with self._turn:
            draft, step = self._wish
            aside = meeting.keep_instead(draft, step, met.spare)
            self._known, self._met = meeting.as_kept(draft), False
        return None, aside

    def _take_theirs(self, met: Met) -> tuple[Kept | None, Path | None]:
        from duotune.screens.wizard import keeping

        with self._turn:
            kept = keeping.read_kept()
            self._known, self._met = kept.draft, False
            if not kept.draft.data:  # its author has started it meanwhile
                kept = met.theirs
            self._wish = kept.draft, kept.step
        return kept, met.aside

    def _settled(self, theirs: bool, found: tuple[Kept | None, Path | None]) -> None:
        kept, aside = found
        if kept is not None:
            self._take(kept)
        if aside is not None:
            which = "Your draft of this terminal" if theirs else "The other terminal's draft"
            self._page.say(f"{which} was put aside; F3 lists it.")
        for done, _ in self._no_longer_held_up():
            done()

    def _unsettled(self, error: DuotuneError) -> None:
        self._met = self._warned = False  # the next change asks again
        for _, trouble in self._no_longer_held_up():
            trouble(error)

    def _no_longer_held_up(self) -> list[tuple[Callable[[], None], Callable[[DuotuneError], None]]]:
        waiting, self._held_up = self._held_up, []
        return waiting
