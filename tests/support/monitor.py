"""The run monitor under test: opened, waited for, and turned from tab to tab."""

from __future__ import annotations

import time

from duotune.runs.directory import RunDirectory
from duotune.screens import ways
from duotune.widgets.tab_line import TabLine
from support.app import Session

PATIENCE_SECONDS = 60


async def watch(session: Session, run: RunDirectory) -> None:
    ways.open_run(session.app, run.id)
    await session.settle()


async def until(session: Session, words: str) -> None:
    """Wait until some words stand on the screen."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while words not in session.text:
        assert time.monotonic() < deadline, f"{words!r} never came:\n{session.text}"
        await session.settle()


async def open_tab(session: Session, key: str) -> None:
    tabs = session.app.screen.query_one(TabLine)
    while tabs.chosen != key:
        assert key in tabs.keys
        await session.press("right")


def footer(session: Session) -> str:
    return session.text.splitlines()[-1]
