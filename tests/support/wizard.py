"""The wizard under test."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from duotune.screens.wizard.screen import Wizard
from support.app import Session

TRIES = 120


async def until(session: Session, true: Callable[[], bool] | str) -> None:
    """Wait until something is so, or a text stands on the screen; what waits for a pause of the keys is waited for."""

    def so() -> bool:
        return true in session.text if isinstance(true, str) else true()

    for _ in range(TRIES):
        await session.settle()
        if so():
            return
        await session.pilot.pause(0.02)
    raise AssertionError(f"{true} never came to be:\n{session.text}")


def wizard(session: Session) -> Wizard:
    """The wizard; a dialog may stand in front of it."""
    return next(screen for screen in reversed(session.app.screen_stack) if isinstance(screen, Wizard))


async def open_wizard(session: Session) -> Wizard:
    """From Home."""
    await session.press("n")
    await until(session, "F4 adds" if not wizard(session).draft.data else "Review")
    return wizard(session)


async def add_project(session: Session, source: Path | str, ref: str = "") -> None:
    """Add a project by its path, and wait until it was looked at."""
    await session.press("f4")
    await session.type(str(source))
    if ref:
        await session.press("tab")
        await session.type(ref)
    await session.press("f8")
    await until(session, lambda: len(session.app.screen_stack) == 2 and not wizard(session).looks.busy)


async def next_step(session: Session, title: str) -> None:
    """Go on, and see that the step is there."""
    await session.press("f8")
    await until(session, f"▶ {title}")
