"""The line of keys: a way back from every screen that was opened from another one, and never more than fits."""

from __future__ import annotations

import ast
from pathlib import Path

from textual.widgets._footer import FooterKey

import duotune
from duotune.screens import ways
from support.app import Session, drive
from support.shelf import Shelf
from support.watched import example, finished_run, training_run, worked_on

MOST = 6


def keys(session: Session) -> list[str]:
    """What the line shows, the palette aside; all of it is in sight."""
    found = [key for key in session.app.screen.query(FooterKey) if not key.has_class("-command-palette")]
    line = session.text.splitlines()[-1]
    assert all(key.description in line for key in found), line
    return [key.description for key in found]


async def see(session: Session, *tabs: str) -> None:
    """Every tab's keys."""
    await session.settle()
    for tab in ("", *tabs):
        await session.press(*([tab] if tab else []))
        assert keys(session)[0] == "Back"
        assert len(keys(session)) <= MOST
    await session.press("escape")
    assert len(session.app.screen_stack) == 1


def test_the_monitor_has_a_way_back_and_room_for_its_keys() -> None:
    finished, trained = finished_run(items=[example(1, 0.2, 0.9)]), training_run("other")

    async def play(session: Session) -> None:
        for run in (finished, trained):
            ways.open_run(session.app, run.id)
            await see(session, *["right"] * 6)

    with worked_on(trained):
        drive(play)


def test_the_evaluation_has_a_way_back_and_room_for_its_keys() -> None:
    run = finished_run(items=[example(1, 0.2, 0.9)], state="withheld")

    async def play(session: Session) -> None:
        ways.open_evaluation(session.app, run.id)
        await see(session, "right")

    drive(play)


def test_an_adapter_and_a_project_have_a_way_back_and_room_for_their_keys(shelf: Shelf) -> None:
    shelf.publish("shop", "web")
    shelf.publish("wrong", "web", verdict="harmful", fill=2)

    async def play(session: Session) -> None:
        for adapter in ("shop.v1", "wrong.v1"):
            ways.open_adapter(session.app, adapter)
            await see(session)
        await session.press("3", "enter")
        await see(session)

    drive(play)


def test_every_key_has_a_name_by_which_it_can_be_changed() -> None:
    nameless = []
    for file in (Path(duotune.__file__).parent).rglob("*.py"):
        for call in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "Binding":
                nameless += [] if any(one.arg == "id" for one in call.keywords) else [f"{file.name}:{call.lineno}"]
    assert not nameless
