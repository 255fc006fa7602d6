"""Two terminals on one draft: a draft that another one has kept meanwhile is never written over."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from pathlib import Path

from duotune.disk import alone_in
from duotune.errors import HostError
from duotune.screens.wizard.aside import asides, put_aside
from duotune.screens.wizard.draft import Draft
from duotune.screens.wizard.keeping import Kept, draft_file, forget, keep, not_deleted, not_kept, read_kept


class Met(HostError):
    """Another terminal has kept another draft in the meantime.

    Attributes:
        theirs: What it has kept.
        aside: Where the draft of this terminal was put instead; None when it has nothing of its own.
        spare: That file, unless somebody had put the same draft aside before: not needed if it goes on after all.
    """

    def __init__(self, theirs: Kept, aside: Path | None, spare: Path | None = None) -> None:
        super().__init__(
            f"Another terminal changed this draft at {datetime.fromtimestamp(theirs.kept_at):%H:%M}.",
            "Choose which of the two goes on; the other is put aside.",
        )
        self.theirs, self.aside, self.spare = theirs, aside, spare


def as_kept(draft: Draft) -> Draft:
    """A draft as it will be read: what two of them are compared by."""
    found: dict[str, object] = json.loads(json.dumps(draft.data))
    return Draft(found)


def keep_own(draft: Draft, step: str, known: Draft) -> bool:
    """Keep a draft, or forget it when it is empty, unless another terminal has kept one meanwhile.

    Args:
        draft: The draft.
        step: Where its author is.
        known: What was there when this terminal looked last.

    Returns:
        Whether another terminal had taken the draft away, by starting it or by beginning anew.

    Raises:
        Met: There is another terminal's draft; the own one was put aside.
        HostError: It cannot be written.
    """
    draft = as_kept(draft)
    with _turn():
        there = read_kept()
        if there.draft.data and there.draft not in (known, draft):
            before = asides()
            aside = put_aside(draft, step) if draft.data and draft != known else None
            raise Met(there, aside, spare=None if aside in before else aside)
        if draft.data:
            keep(draft, step)
        else:
            forget()
        return bool(known.data and draft.data and not there.draft.data)


def keep_instead(draft: Draft, step: str, spare: Path | None) -> Path | None:
    """Keep a draft in the place of the one that is there, which is put aside.

    Args:
        draft: The draft.
        step: Where its author is.
        spare: Where it was put for as long as it was not known which one goes on: not needed any more.

    Returns:
        Where the other draft is now; None where there was none.

    Raises:
        HostError: It cannot be written.
    """
    with _turn():
        there = read_kept()
        aside = put_aside(there.draft, there.step) if there.draft.data and there.draft != as_kept(draft) else None
        if draft.data:
            keep(draft, step)
        else:
            forget()
    if spare is not None and spare != aside:
        with suppress(OSError):
            spare.unlink()
    return aside


def forget_own(known: Draft) -> None:
    """Delete the draft unless another terminal has changed it: that one is still to be started.

    Raises:
        HostError: It cannot be deleted.
    """
    with _turn(not_deleted):
        if read_kept().draft in (known, Draft()):
            forget()


def set_aside(kept: Kept) -> Path:
    """Put a draft aside in one's turn.

    Raises:
        HostError: It cannot be written.
    """
    with _turn():
        return put_aside(kept.draft, kept.step)


@contextmanager
def _turn(refused: Callable[[Path, OSError], HostError] = not_kept) -> Iterator[None]:
    """One terminal at a time; `refused` is what is said where the disk does not let it in."""
    folder = draft_file().parent
    with ExitStack() as stack:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            stack.enter_context(alone_in(folder))
        except OSError as error:
            raise refused(draft_file(), error) from error
        yield
