"""The way out of the wizard: what is under way is waited for, and who comes back at once finds what was kept."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Input

from duotune import paths
from duotune.runs.directory import list_runs
from duotune.screens import dialogs
from duotune.screens.dialogs import Interruption
from duotune.screens.wizard import acts, meeting
from duotune.screens.wizard.draft import Draft
from duotune.screens.wizard.keeping import keep, read_kept
from duotune.screens.wizard.screen import Wizard
from duotune.widgets.field_row import FieldRow
from support.app import Session, drive
from support.projects import make_project, small_run
from support.wizard import next_step, until, wizard

HELD = "The run is being started"


@pytest.fixture
def gate() -> threading.Event:
    """What is slow goes on when it is set."""
    return threading.Event()


def slowly(gate: threading.Event, work: Callable[..., Any]) -> Callable[..., Any]:
    """The same work, on a machine that takes its time."""

    def wait(*arguments: Any) -> Any:
        gate.wait(10)  # the app waits for its threads, also when a test fails
        return work(*arguments)

    return wait


async def shown(session: Session, true: Callable[[], bool]) -> None:
    """Wait until something is so while a thread is still at work."""
    for _ in range(200):
        if true():
            return
        await session.pilot.pause(0.02)
    raise AssertionError(f"It never came to be:\n{session.text}\n{session.notes}")


async def begin(session: Session) -> Wizard:
    await session.press("n")
    await until(session, "goes on with your draft")
    return wizard(session)


def test_a_start_under_way_is_waited_for_and_told(
    tmp_path: Path, gate: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = make_project(tmp_path / "billing", "json", "logging")
    draft = Draft(small_run(source, Path("tiny"), "once").model_dump(mode="json"))
    keep(draft, "model")
    monkeypatch.setattr(acts, "start_run", slowly(gate, acts.start_run))

    async def play(session: Session) -> None:
        here = await begin(session)
        await next_step(session, "Review")
        await until(session, "Ready")
        paths.runs().parent.mkdir(parents=True, exist_ok=True)
        paths.runs().write_text("in the way")
        await session.pilot.press("f8")
        for count, key in enumerate(("escape", "1", "f7", "f8"), 1):
            await session.pilot.press(key)
            await shown(session, lambda count=count: session.notes.count(HELD) == count)  # type: ignore[misc]
            assert session.app.screen is here
            assert "▶ Review" in session.text
        await session.pilot.press("2")
        gate.set()
        await until(session, lambda: "No run can be created" in session.notes)
        assert "Your draft is kept" not in session.notes
        await session.press("1")
        await until(session, lambda: "Your draft is kept" in session.notes)

    drive(play, (200, 50))
    assert read_kept().draft == draft
    paths.runs().unlink()
    assert not list_runs()


@pytest.mark.parametrize("keys", [("2", "n"), ("n",), ("2", "1", "n", "n")])
def test_who_comes_back_before_the_draft_is_kept_goes_on_with_it(
    keys: tuple[str, ...], gate: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(Draft({"name": "first"}), "projects")

    async def play(session: Session) -> None:
        before = await begin(session)
        monkeypatch.setattr(meeting, "keep_own", slowly(gate, meeting.keep_own))
        before._change(lambda draft: draft.put("lora.r", 8))
        await session.pilot.press("escape", *keys)
        await shown(session, lambda: session.app.screen is before)
        gate.set()
        await until(session, lambda: session.app.screen is not before and isinstance(session.app.screen, Wizard))
        await until(session, "goes on with your draft")
        assert wizard(session).draft.value("lora.r") == 8
        assert len(session.app.screen_stack) == 2

    drive(play)


def test_who_leaves_while_another_draft_is_found_has_left_after_the_answer(
    gate: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dialogs, "STILL_SECONDS", 0.01)
    keep(Draft({"name": "first"}), "projects")

    async def play(session: Session) -> None:
        here = await begin(session)
        monkeypatch.setattr(meeting, "keep_own", slowly(gate, meeting.keep_own))
        keep(Draft({"name": "theirs"}), "projects")
        here._change(lambda draft: draft.put("lora.r", 8))
        here._go("projects")
        await session.pilot.press("escape")
        gate.set()
        await until(session, lambda: isinstance(session.app.screen, Interruption) and session.app.screen.hears)
        await session.press("escape")
        await until(session, lambda: len(session.app.screen_stack) == 1)

    drive(play)
    assert read_kept().draft.value("lora.r") == 8


def test_n_is_a_letter_until_one_leaves() -> None:
    keep(Draft({"name": "first"}), "model")

    async def play(session: Session) -> None:
        here = await begin(session)
        field = here.query_one("#field-name", FieldRow).query_one(Input)
        field.focus()
        await session.press("end", "n")
        assert field.value == "firstn"

    drive(play)
