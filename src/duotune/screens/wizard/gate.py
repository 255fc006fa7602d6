"""What stands in the way from one step to the next: fields in the making, things that are bad, things found out yet."""

from __future__ import annotations

from collections.abc import Callable

from duotune.screens.page import Page
from duotune.screens.wizard.draft import Draft
from duotune.screens.wizard.pane import Obstacle, Pane
from duotune.widgets.field_row import FieldRow

SECONDS_TO_TAKE = 0.02
"""A text that was typed reaches the draft in about this time."""


class Gate:
    """The way on.

    Args:
        page: The wizard.
        leave_for: Called with the step that was wished for, once what it waited for is known.
    """

    def __init__(self, page: Page, leave_for: Callable[[str], None]) -> None:
        self._page, self._leave_for = page, leave_for
        self._wish = ""

    def taken(self, pane: Pane, again: Callable[[], None]) -> bool:
        """Whether the draft has all that was typed; if not, `again` is called in a moment."""
        if any(row.ahead for row in pane.query(FieldRow)):
            self._page.set_timer(SECONDS_TO_TAKE, again)
            return False
        return True

    def obstacle(self, step: str, draft: Draft, wish: str) -> Obstacle | None:
        """What is in the way; where it is only being found out, the wish is kept until that is done."""
        found = self._pane(step).obstacle(draft)
        self._wish = wish if found is not None and found.waits else ""
        return found

    def is_bad(self, step: str, draft: Draft) -> bool:
        """Whether a step has something to correct."""
        found = self._pane(step).obstacle(draft)
        return bool(draft.problems_in(step)) or (found is not None and not found.waits)

    def give_up(self) -> bool:
        """Wait for nothing more; whether something was waited for."""
        wish, self._wish = self._wish, ""
        return bool(wish)

    def again(self) -> None:
        """Something was found out: go on, if that was wished."""
        wish, self._wish = self._wish, ""
        if wish:
            self._leave_for(wish)

    def _pane(self, step: str) -> Pane:
        return self._page.query_one(f"#{step}", Pane)
