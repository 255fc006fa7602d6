"""What every screen has: work in the background, of which the newest is never lost."""

from __future__ import annotations

import asyncio
import threading

from duotune.errors import DuotuneError
from duotune.screens.page import Page
from support.app import Session, drive
from support.wizard import until


class Looker(Page):
    """Looks at a value that changes while it looks."""

    def __init__(self) -> None:
        super().__init__()
        self.value = 0
        self.shown: list[int] = []
        self.troubles: list[str] = []
        self.looking, self.let_go = threading.Event(), threading.Event()

    def look(self, waits: bool = True) -> None:
        """Read the value, and show what was read when it may be shown."""

        def read() -> int:
            found = self.value
            self.looking.set()
            assert self.let_go.wait(60)
            if found < 0:
                raise DuotuneError("It is negative.")
            return found

        self.in_background(read, self.shown.append, "look", lambda error: self.troubles.append(error.message), waits)


async def begin(session: Session, value: int) -> Looker:
    """Have the first look under way."""
    page = Looker()
    await session.app.push_screen(page)
    page.value = value
    page.look()
    await asyncio.to_thread(page.looking.wait, 60)
    assert page.looking.is_set()
    return page


def test_the_newest_of_the_looks_that_are_asked_for_meanwhile_is_taken() -> None:
    async def play(session: Session) -> None:
        page = await begin(session, 1)
        page.value = 2
        page.look()
        page.value = 3
        page.look()
        page.let_go.set()
        await until(session, lambda: len(page.shown) == 2)
        await session.settle()
        assert page.shown == [1, 3]
        page.look()
        await until(session, lambda: len(page.shown) == 3)

    drive(play)


def test_a_look_is_taken_after_one_that_failed() -> None:
    async def play(session: Session) -> None:
        page = await begin(session, -1)
        page.value = 2
        page.look()
        page.let_go.set()
        await until(session, lambda: page.shown == [2])
        assert page.troubles == ["It is negative."]

    drive(play)


def test_what_need_not_wait_is_not_done_twice() -> None:
    async def play(session: Session) -> None:
        page = await begin(session, 1)
        page.look(waits=False)
        page.let_go.set()
        await session.settle()
        assert page.shown == [1]
        page.look(waits=False)
        await until(session, lambda: page.shown == [1, 1])

    drive(play)
