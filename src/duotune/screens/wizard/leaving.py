"""The way out of the wizard: what was chosen is kept before it closes, and who comes back at once waits for that."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from duotune.errors import DuotuneError
from duotune.screens.page import Page
from duotune.screens.wizard.draft import STEPS, Draft
from duotune.screens.wizard.saving import Saving

if TYPE_CHECKING:
    from duotune.screens.wizard.keeping import Kept


def _nothing() -> None:
    """Nobody has come back."""


class Leaving(Page):
    """A page whose draft is kept on its way out.

    Args:
        take: Called with another terminal's draft, when its author goes on with that one.

    Attributes:
        draft: The draft.
        is_leaving: It is on its way out, unless its draft cannot be kept and its author then stays.
        afterwards: What is done once it is closed.
    """

    def __init__(self, take: Callable[[Kept], None]) -> None:
        super().__init__()
        self.draft = Draft()
        self._here = STEPS[0].name
        self._saving = Saving(self, take)
        self._starting = False
        self.is_leaving = False
        self.afterwards = _nothing

    def keep_then(self, done: Callable[[], None], trouble: Callable[[DuotuneError], None]) -> None:
        """Keep the draft, and go on; an empty one only takes away what was kept before."""
        if self.draft.data or self._saving.has_kept:
            self._saving.then(self.draft, self._here, done, trouble)
        else:
            done()

    def is_held(self) -> bool:
        """What is being started is neither changed nor left: how that ends must be told."""
        if self._starting:
            self.say("The run is being started: the wizard stays open until that is done.")
        return self._starting

    def action_back(self) -> None:
        """Leave, once the draft is kept."""
        if not self.is_leaving and not self.is_held():
            self.is_leaving = True
            self.keep_then(self._kept, self._lost)

    def _kept(self) -> None:
        if self.draft.data:
            self.app.notify("Your draft is kept: n on Home goes on with it.", markup=False)
        self.leave()

    def leave(self, then: Callable[[], None] = _nothing) -> None:
        """Close it as soon as it is on top, and do what was wished for meanwhile."""
        self.is_leaving = True
        super().leave(partial(self._left, then))

    def _left(self, then: Callable[[], None]) -> None:
        then()
        self.afterwards()

    def _lost(self, error: DuotuneError) -> None:
        self.ask_to_lose(error, "Leave all the same?", "What you have chosen is lost.", "Leave", self.leave, self._stay)

    def _stay(self) -> None:
        self.is_leaving, self.afterwards = False, _nothing

    def ask_to_lose(
        self,
        error: DuotuneError,
        question: str,
        consequences: str,
        yes: str,
        then: Callable[[], None],
        otherwise: Callable[[], None] = _nothing,
    ) -> None:
        """Tell why the draft cannot be kept, and ask whether to go on without it, where there is something to lose."""
        from duotune.screens.dialogs import Interruption

        self.show_trouble(error)
        if self.draft.data:
            asked = Interruption(question, consequences, yes)
            self.app.push_screen(asked, lambda agreed: then() if agreed else otherwise())
        else:
            then()
