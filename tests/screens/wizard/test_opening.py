"""What a draft can begin with: files, runs, and drafts that were put aside, which are listed and can be removed."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

import pytest
from textual.widgets import Input

from duotune.runs.directory import create_run
from duotune.screens import dialogs
from duotune.screens.dialogs import Interruption
from duotune.screens.wizard import saving
from duotune.screens.wizard.aside import asides, put_aside
from duotune.screens.wizard.draft import Draft
from duotune.screens.wizard.keeping import draft_file, keep, open_start, read_kept
from support.app import Session, drive
from support.projects import small_run
from support.wizard import open_wizard, until, wizard

ASIDE = Draft({"name": "night", "projects": [{"name": "billing", "source": "/srv/billing"}], "lora": {"r": 8}})


def aside_at(draft: Draft, *moment: int) -> Path:
    file = put_aside(draft, "model")
    os.utime(file, (datetime(*moment).timestamp(),) * 2)  # type: ignore[arg-type]
    return file


def test_drafts_that_were_put_aside_and_runs_are_listed_and_opened(tmp_path: Path, size: tuple[int, int]) -> None:
    keep(Draft({"name": "present"}), "projects")
    aside_at(ASIDE, 2024, 5, 17, 9, 30)
    create_run(small_run(tmp_path, Path("tiny"), "earlier"))

    async def play(session: Session) -> None:
        await open_wizard(session)
        await session.press("f3")
        await until(session, "2024-05-17 09:30")
        for words in ("draft", "night", "billing", "run", "earlier", "Put aside in the step Model"):
            assert words in session.text
        assert "Remove the draft (F6)" in session.text
        await session.press("down", "down")
        await until(session, "The run ")
        assert "Remove the draft" not in session.text
        await session.press("up", "enter")
        await until(session, "This begins with the draft of 17 May 09:30")
        assert "▶ Model" in session.text
        assert wizard(session).draft == ASIDE
        await until(session, lambda: read_kept().draft == ASIDE)
        await session.press("f3")
        await until(session, "present")
        await session.press("enter")
        await session.press("down", "down", "enter")
        await until(session, "This begins with the run")
        assert wizard(session).draft.value("name") == "earlier"

    drive(play, size)


def test_a_draft_that_was_put_aside_is_removed_once_that_is_agreed(tmp_path: Path, size: tuple[int, int]) -> None:
    aside_at(ASIDE, 2024, 5, 17, 9, 30)
    damaged = aside_at(ASIDE.put("name", "other"), 2024, 5, 16, 9, 30)
    damaged.write_text("{")
    os.utime(damaged, (1, 1))

    async def play(session: Session) -> None:
        await open_wizard(session)
        await session.press("f3")
        await until(session, "2024-05-17 09:30")
        await session.press("down", "f6")
        assert "Remove the draft of 2024-05-17 09:30?" in session.text
        await session.press("n")
        assert len(asides()) == 2
        await session.press("f6", "y")
        await until(session, lambda: asides() == [damaged])
        await until(session, "It cannot be read")
        await session.press("f6", "y")
        await until(session, "No draft was put aside, and no run has been made yet.")
        assert not asides()

    drive(play, size)


def test_an_edit_of_this_moment_is_put_aside_by_what_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saving, "PAUSE_SECONDS", 3600.0)
    keep(Draft({"name": "present"}), "projects")
    run = create_run(small_run(tmp_path, Path("tiny"), "earlier"))

    async def play(session: Session) -> None:
        (await open_wizard(session))._change(lambda draft: draft.put("name", "just typed"))
        await session.press("f3")
        await session.type(run.id)
        await session.press("enter")
        await until(session, "This begins with the run")

    drive(play, (200, 50))
    assert [open_start(str(file)).draft.value("name") for file in asides()] == ["just typed"]


def test_what_cannot_be_kept_is_not_replaced_without_a_question(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dialogs, "STILL_SECONDS", 0.01)
    draft_file().parent.parent.mkdir(parents=True, exist_ok=True)
    draft_file().parent.write_text("in the way")
    run = create_run(small_run(tmp_path, Path("tiny"), "earlier"))

    async def asked(session: Session) -> None:
        await session.press("f3")
        await until(session, "Open something else all the same?")
        await until(session, lambda: isinstance(session.app.screen, Interruption) and session.app.screen.hears)

    async def play(session: Session) -> None:
        (await open_wizard(session))._change(lambda draft: draft.put("name", "unsaved"))
        await asked(session)
        assert "cannot be kept" in session.notes
        await session.press("escape")
        assert session.app.screen is wizard(session)
        assert wizard(session).draft.value("name") == "unsaved"
        await asked(session)
        await session.press("tab", "tab", "enter")
        await until(session, "earlier")
        await session.type(run.id)
        await session.press("enter")
        await until(session, lambda: wizard(session).draft.value("name") == "earlier")

    drive(play, (120, 40))


def test_a_path_that_is_none_stays_as_it_was_typed(tmp_path: Path) -> None:
    async def play(session: Session) -> None:
        await open_wizard(session)
        await session.press("f3")
        for typed, told in (
            ("~nobody-here/x.toml", "~nobody-here"),
            (str(tmp_path), "cannot be read"),
            ("no", "no run"),
        ):
            await session.press("home", "ctrl+k")
            await session.type(typed)
            await session.press("enter")
            await until(session, told)
            assert "defect" not in session.text
            assert session.app.screen.query_one(Input).value == typed

    drive(play, (200, 50))


def test_every_problem_of_a_file_is_in_sight(tmp_path: Path, size: tuple[int, int]) -> None:
    file = tmp_path / "bad.toml"
    file.write_text('name = "N N"\n[lora]\nr = 0\n[data]\nseed = -1\n[training]\nmax_steps = -1\n')

    async def play(session: Session) -> None:
        await open_wizard(session)
        await session.press("f3")
        await session.type(str(file))
        await session.press("enter")
        await until(session, "7 problems")
        assert "projects: is required" in session.text
        await session.press("tab", "end")
        assert "training.max_steps" in session.text
        assert "Go on (enter)" in session.text

    drive(play, size)
