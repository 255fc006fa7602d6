"""Looks at projects in threads, two at a time, the newest wish first; a look that is stale is given up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from threading import Event
from typing import TYPE_CHECKING

from duotune.errors import DuotuneError
from duotune.screens.page import Page

if TYPE_CHECKING:
    from duotune.config.run import DataConfig, ProjectConfig
    from duotune.data.sieve import Sieve, Sifted
    from duotune.data.survey import Survey


AT_ONCE = 2
"""So that a repository that is fetched for minutes does not keep the others waiting."""
Key = tuple[str, str]


@dataclass(frozen=True)
class Look:
    """What is known of a project.

    Attributes:
        words: What is being done; empty when nothing is.
        sieve: Its files; None until they are listed.
        sifted: The verdict on each by the rules of the draft.
        survey: Their counts.
        error: Why it cannot be read; None when it can.
    """

    words: str = ""
    sieve: Sieve | None = None
    sifted: tuple[Sifted, ...] = ()
    survey: Survey | None = None
    error: DuotuneError | None = None


class Looks:
    """All looks of one wizard.

    Args:
        page: Whose threads are used.
        changed: Called on the event loop whenever something more is known.
    """

    def __init__(self, page: Page, changed: Callable[[], None]) -> None:
        self._page, self._changed = page, changed
        self._looks: dict[Key, Look] = {}
        self._asked: dict[Key, tuple[ProjectConfig, DataConfig]] = {}
        self._pending: dict[Key, tuple[ProjectConfig, DataConfig]] = {}
        self._running: dict[Key, Event] = {}

    def of(self, source: str, ref: str) -> Look:
        """What is known of a source now."""
        return self._looks.get((source, ref), Look())

    def nothing_is_left(self, projects: Sequence[ProjectConfig]) -> bool:
        """Whether all of these were looked at, and not one file of theirs is kept."""
        surveys = [self.of(project.source, project.ref).survey for project in projects]
        return bool(surveys) and all(found is not None and found.files == 0 for found in surveys)

    def ask(self, project: ProjectConfig, data: DataConfig, again: bool = False) -> None:
        """Look at a project by these rules, unless that is what was last asked.

        Args:
            project: Its source and its rules.
            data: Settings.
            again: Look even so, at its source too: it may have changed.
        """
        key = (project.source, project.ref)
        if self._asked.get(key) == (project, data) and not again:
            return
        self._asked[key] = project, data
        self._pending.pop(key, None)
        self._pending[key] = project, data
        known = Look() if again else self.of(*key)
        self._looks[key] = replace(known, words="looking …", error=None)
        if key in self._running:
            self._running[key].set()
        self._next()

    def found_out(self) -> None:
        """Something else that one may wait for is known too."""
        self._changed()

    def give_up(self) -> None:
        """Nothing is wanted any more."""
        self._pending.clear()
        for stale in self._running.values():
            stale.set()

    @property
    def busy(self) -> bool:
        """Whether something is looked at."""
        return bool(self._running)

    def _next(self) -> None:
        key = next((key for key in reversed(self._pending) if key not in self._running), None)
        if key is None or len(self._running) >= AT_ONCE:
            return
        project, data = self._pending.pop(key)
        self._running[key] = stale = Event()
        work = partial(self._look, project, data, self._looks[key].sieve, stale)
        self._page.in_background(work, partial(self._found, key), trouble=partial(self._failed, key))

    def _look(self, project: ProjectConfig, data: DataConfig, sieve: Sieve | None, stale: Event) -> Look | None:
        """In a thread: list, read and judge."""
        from duotune.data.sieve import Sieve
        from duotune.data.survey import summary
        from duotune.sources.open import open_source

        key = (project.source, project.ref)
        if sieve is None:
            with open_source(project.source, project.ref, partial(self._progress, key)) as source:
                sieve = Sieve(source)
        ref = sieve.commit or project.ref
        verdicts = sieve.sift(project, data, lambda: open_source(project.source, ref), lambda: not stale.is_set())
        sifted = sorted(verdicts, key=lambda file: file.path)
        if stale.is_set():
            return None
        return Look(sieve=sieve, sifted=tuple(sifted), survey=summary(sieve, sifted, project))

    def _progress(self, key: Key, phase: str, done: int, total: int) -> None:
        words = f"{phase} {done * 100 // total} %" if total else phase
        self._page.post_message(Page.Done(partial(self._say, key, words)))

    def _say(self, key: Key, words: str) -> None:
        self._looks[key] = replace(self.of(*key), words=words)
        self._changed()

    def _found(self, key: Key, look: Look | None) -> None:
        del self._running[key]
        if look is not None and key not in self._pending:
            self._looks[key] = look
        self._changed()
        self._next()

    def _failed(self, key: Key, error: DuotuneError) -> None:
        del self._running[key]
        if key not in self._pending:
            self._looks[key] = Look(error=error)
        self._changed()
        self._next()
