"""Where the terminal knows ASCII alone, nothing else stands on any screen, of ours or of Textual's."""

from __future__ import annotations

from pathlib import Path

import pytest

from duotune.screens import ways
from duotune.widgets.bars import PLACES
from support.app import Session, drive
from support.projects import make_project
from support.shelf import Shelf
from support.watched import example, finished_run
from support.wizard import add_project, open_wizard, until


@pytest.fixture(autouse=True)
def _ascii(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DUOTUNE_ASCII", "1")


def see(session: Session) -> None:
    """Everything is ASCII."""
    for line in session.text.splitlines():
        assert line.isascii(), line


async def press(session: Session, *keys: str) -> None:
    """Press keys, and look after each."""
    for key in keys:
        await session.press(key)
        see(session)


def test_places_dialogs_and_palette(shelf: Shelf, size: tuple[int, int]) -> None:
    shelf.publish("shop", "web")

    async def play(session: Session) -> None:
        for place in PLACES.values():
            await press(session, place.key)
        await press(session, "2")
        assert "enter Open" in session.text
        await press(session, "f1", "escape", "ctrl+p", "escape", "2", "enter", "v", "d")
        session.app.notify("a note")
        await session.settle()
        see(session)
        await press(session, "escape", "escape", "3", "a", "escape", "plus", "escape", "4", "right", "right", "right")

    drive(play, size)


def test_a_run_and_its_evaluation() -> None:
    run = finished_run(items=[example(number, 0.2, 0.9, path=f"größe/文{number}.py") for number in range(30)])

    async def play(session: Session) -> None:
        ways.open_run(session.app, run.id)
        await session.settle()
        see(session)
        await press(session, *["right"] * 6, "o", "escape", "e", "right", "w")
        assert "gro?e/??" in session.text  # o with dots loses them, other scripts have no likeness

    drive(play)


def test_the_wizard(tmp_path: Path) -> None:
    source = make_project(tmp_path / "billing", "json")

    async def play(session: Session) -> None:
        await open_wizard(session)
        await press(session, "f4", "escape")
        await add_project(session, source)
        see(session)
        for _ in range(4):
            await press(session, "f8")
        await press(session, "f4")
        await until(session, "Qwen2ForCausalLM")
        await press(session, "enter")
        await until(session, "Memory")
        see(session)
        await press(session, "f8", "f2", "escape")

    drive(play)
