"""The app under test: driven by keys, and read as a person reads it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from textual import events
from textual.pilot import Pilot

from duotune.app import DuotuneApp

SIZES = [(80, 24), (200, 50)]
"""The smallest terminal that must be fully usable, and a large one."""


class Session:
    """A running app.

    Args:
        pilot: Textual's own driver.
    """

    def __init__(self, pilot: Pilot[Any]) -> None:
        self.pilot, self.app = pilot, pilot.app

    async def settle(self) -> None:
        """Wait until every thread has read, and what it found is shown."""
        for _ in range(3):
            await self.app.workers.wait_for_complete()
            await self.pilot.pause()
        before, now = "", self.text
        while before != now:  # screens are painted when nothing else is to do
            await self.pilot.pause(0.02)
            before, now = now, self.text

    async def press(self, *keys: str) -> None:
        """Press keys one after the other, each when the one before has done its work."""
        for key in keys:
            await self.pilot.press(key)
            await self.settle()

    async def type(self, text: str) -> None:
        """Put text into the field that has the focus, as a terminal pastes it."""
        assert self.app.focused is not None
        self.app.focused.post_message(events.Paste(text))
        await self.settle()

    @property
    def text(self) -> str:
        """What stands on the screen now, a line for each row."""
        strips = self.app.screen._compositor.render_strips()
        return "\n".join(strip.text.rstrip() for strip in strips)

    @property
    def notes(self) -> str:
        """The notes that are shown in the corner."""
        return "\n".join(note.message for note in self.app._notifications)


def drive(
    play: Callable[[Session], Awaitable[None]], size: tuple[int, int] = SIZES[0], land_on_run: bool = False
) -> None:
    """Run the app without a terminal, and play with it.

    Args:
        play: What is done and looked at.
        size: Columns and rows.
        land_on_run: Open a run that is alive, as a person who comes back sees it.
    """

    async def run() -> None:
        app = DuotuneApp(land_on_run)
        async with app.run_test(size=size, notifications=True) as pilot:
            session = Session(pilot)
            await session.settle()
            await play(session)

    asyncio.run(run())
