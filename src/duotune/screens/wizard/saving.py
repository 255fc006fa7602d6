"""Keeps the draft while it changes: in threads, the newest one last, and says once when that fails."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from threading import Lock

from textual.timer import Timer

from duotune.errors import DuotuneError
from duotune.screens.page import Page
from duotune.screens.wizard.draft import Draft

PAUSE_SECONDS = 0.5
"""So long after the last change a draft is kept."""


class Saving:
    """Keeps the drafts of one wizard.

    Args:
        page: Whose threads are used.
    """

    def __init__(self, page: Page) -> None:
        self._page = page
        self._turn = Lock()
        self._wish: tuple[Draft, str] = Draft(), ""
        self._timer: Timer | None = None
        self._ended = self._warned = False

    def soon(self, draft: Draft, step: str) -> None:
        """Keep it when it has not changed for a moment."""
        self._stop()
        self._timer = self._page.set_timer(PAUSE_SECONDS, partial(self.now, draft, step))

    def now(self, draft: Draft, step: str) -> None:
        """Keep it; an empty one is forgotten."""
        if not self._ended:
            self.then(draft, step, lambda: None, self._trouble)

    def then(self, draft: Draft, step: str, done: Callable[[], None], trouble: Callable[[DuotuneError], None]) -> None:
        """Keep it, and go on."""
        self._stop()
        self._wish = draft, step
        self._page.in_background(self._write, lambda _: done(), trouble=trouble)

    def end(self, ended: bool) -> None:
        """The draft becomes a run, or does not after all: nothing is kept meanwhile."""
        self._stop()
        self._ended = ended

    def forget(self) -> None:
        """In a thread: the draft has done its work."""
        self._wish = Draft(), ""
        self._write()

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None

    def _trouble(self, error: DuotuneError) -> None:
        if not self._warned:  # each change would say it again
            self._warned = True
            self._page.show_trouble(error)

    def _write(self) -> None:
        from duotune.screens.wizard import keeping

        with self._turn:  # whichever thread comes last, it writes the newest
            draft, step = self._wish
            if draft.data:
                keeping.keep(draft, step)
            else:
                keeping.forget()
