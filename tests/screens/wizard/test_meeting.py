"""Two terminals on one draft: neither writes over what the other has kept, and both can be gone on with."""

from __future__ import annotations

import asyncio
import json
import os
from datetime import datetime
from pathlib import Path

import pytest

from duotune.errors import UsageError
from duotune.runs.directory import create_run
from duotune.screens import dialogs, ways
from duotune.screens.dialogs import Interruption
from duotune.screens.wizard.aside import MOST, asides, put_aside
from duotune.screens.wizard.draft import Draft
from duotune.screens.wizard.keeping import draft_file, forget, keep, open_start, read_kept
from duotune.screens.wizard.meeting import Met, as_kept, forget_own, keep_instead, keep_own
from duotune.screens.wizard.screen import Wizard
from support.app import Session, drive
from support.projects import small_run
from support.wizard import open_wizard, until, wizard

FIRST = Draft({"name": "first"})
OURS = FIRST.put("lora.r", 8)
THEIRS = FIRST.put("lora.r", 64)


@pytest.fixture(autouse=True)
def still(monkeypatch: pytest.MonkeyPatch) -> None:
    """The keyboard counts as still at once."""
    monkeypatch.setattr(dialogs, "STILL_SECONDS", 0.01)


def change(session: Session, key: str, value: object) -> None:
    wizard(session)._change(lambda draft: draft.put(key, value))


async def begin(session: Session) -> Wizard:
    """Go on with the first draft."""
    await session.press("n")
    await until(session, "goes on with your draft")
    return wizard(session)


async def meet(session: Session) -> None:
    """Change the draft here, after the other terminal has changed it at 12:03."""
    await begin(session)
    keep(THEIRS, "model")
    os.utime(draft_file(), (datetime.now().replace(hour=12, minute=3).timestamp(),) * 2)
    change(session, "lora.r", 8)
    await interrupted(session, "Another terminal changed this draft at 12:03.")


async def interrupted(session: Session, question: str) -> None:
    """A question has come by itself, and hears keys."""
    await until(session, question)
    await until(session, lambda: isinstance(session.app.screen, Interruption) and session.app.screen.hears)


def test_what_another_terminal_has_kept_is_not_written_over(tmp_path: Path) -> None:
    keep(THEIRS, "model")
    with pytest.raises(Met) as met:
        keep_own(OURS, "data", FIRST)
    assert read_kept().draft == THEIRS
    assert met.value.theirs.draft == THEIRS
    assert met.value.aside is not None
    opened = open_start(str(met.value.aside))
    assert (opened.draft, opened.step) == (OURS, "data")
    assert met.value.aside.stat().st_mode & 0o077 == 0


def test_the_same_choices_are_no_quarrel_and_what_was_emptied_elsewhere_is_told() -> None:
    keep(OURS, "model")
    assert not keep_own(OURS, "data", FIRST)
    assert read_kept().step == "data"
    forget()
    assert keep_own(OURS, "data", OURS)
    assert read_kept().draft == OURS
    assert not asides()


def test_a_run_that_starts_leaves_the_draft_that_another_terminal_has_made_of_it() -> None:
    keep(THEIRS, "model")
    forget_own(FIRST)
    assert read_kept().draft == THEIRS
    forget_own(THEIRS)
    assert not draft_file().exists()


def test_several_drafts_are_put_aside_in_one_second() -> None:
    for value in (1, 2, 4):
        keep(FIRST.put("lora.r", value), "model")
        keep_instead(OURS, "model", None)
    assert {open_start(str(file)).draft.value("lora.r") for file in asides()} == {1, 2, 4}
    with pytest.raises(UsageError, match="no draft"):
        open_start(str(draft_file().with_name("none.json")))


def test_of_drafts_that_were_put_aside_the_newest_are_kept_and_each_but_once() -> None:
    for value in range(1, MOST + 3):
        file = put_aside(FIRST.put("lora.r", value), "model")
        os.utime(file, (value, value))
    assert len(asides()) == MOST
    assert open_start(str(asides()[-1])).draft.value("lora.r") == 3
    assert put_aside(FIRST.put("lora.r", 3), "data") == asides()[0]
    assert len(asides()) == MOST
    assert open_start(str(asides()[0])).step == "data"


def test_what_was_put_aside_earlier_stays_when_the_same_draft_goes_on() -> None:
    earlier = put_aside(OURS, "model")
    keep(THEIRS, "model")
    with pytest.raises(Met) as met:
        keep_own(OURS, "data", FIRST)
    assert met.value.aside == earlier
    keep_instead(OURS, "data", met.value.spare)
    assert {open_start(str(file)).draft.value("lora.r") for file in asides()} == {8, 64}


def test_what_was_put_aside_meanwhile_stays_when_the_other_draft_has_become_the_same() -> None:
    keep(THEIRS, "model")
    with pytest.raises(Met) as met:
        keep_own(OURS, "data", FIRST)
    keep(OURS, "model")
    aside = keep_instead(FIRST, "data", met.value.spare)
    assert aside is not None
    assert open_start(str(aside)).draft == OURS


def test_a_draft_is_compared_as_it_will_be_read() -> None:
    draft = Draft({"lora": {"target_modules": ("q_proj",)}})
    keep(as_kept(draft), "model")
    assert not keep_own(draft.put("lora.r", 4), "model", as_kept(draft))


def test_one_is_told_and_keeps_this_draft(size: tuple[int, int]) -> None:
    keep(FIRST, "data")

    async def play(session: Session) -> None:
        await meet(session)
        assert read_kept().draft == THEIRS
        await session.press("tab", "enter")
        await until(session, lambda: read_kept().draft == OURS)
        assert "The other terminal's draft was put aside" in session.notes
        change(session, "lora.r", 16)
        await until(session, lambda: read_kept().draft.value("lora.r") == 16)

    drive(play, size)
    (aside,) = asides()
    assert open_start(str(aside)).draft == THEIRS


def test_whoever_types_on_has_answered_nothing(monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]) -> None:
    keep(FIRST, "data")

    async def play(session: Session) -> None:
        await meet(session)
        await session.press(*"yn", "enter", "space", "backspace", "up", "f8")
        assert "Another terminal changed this draft" in session.text
        monkeypatch.setattr(dialogs, "STILL_SECONDS", 3600.0)
        await session.press("escape")  # which keeps this one
        await until(session, lambda: not isinstance(session.app.screen, Interruption))
        keep(THEIRS, "model")
        change(session, "lora.r", 4)
        await until(session, "Another terminal changed this draft")
        await session.press("tab", "enter", "right", "enter", "escape", "y")
        assert "Another terminal changed this draft" in session.text
        assert read_kept().draft == THEIRS

    drive(play, size)


def test_one_is_told_and_takes_the_draft_of_the_other(size: tuple[int, int]) -> None:
    keep(FIRST, "data")

    async def play(session: Session) -> None:
        await meet(session)
        await session.press("right", "right", "enter")
        await until(session, "goes on with the other terminal's draft")
        assert wizard(session).draft.value("lora.r") == 64
        assert "▶ Model" in session.text
        assert "Your draft of this terminal was put aside" in session.notes
        change(session, "lora.r", 32)
        await until(session, lambda: read_kept().draft.value("lora.r") == 32)

    drive(play, size)
    (aside,) = asides()
    assert open_start(str(aside)).draft == OURS


def test_leaving_asks_first_and_leaves_then() -> None:
    keep(FIRST, "data")

    async def play(session: Session) -> None:
        await begin(session)
        keep(THEIRS, "model")
        wizard(session).draft = OURS
        await session.press("escape")
        await interrupted(session, "Another terminal changed this draft")
        await session.press("escape")
        await until(session, lambda: len(session.app.screen_stack) == 1)

    drive(play)
    assert read_kept().draft == OURS
    assert len(asides()) == 1


def test_a_draft_that_cannot_be_kept_says_so_before_it_is_lost() -> None:
    draft_file().parent.parent.mkdir(parents=True, exist_ok=True)
    draft_file().parent.write_text("in the way")

    async def play(session: Session) -> None:
        await open_wizard(session)
        change(session, "lora.r", 8)
        await session.press("escape")
        await interrupted(session, "Leave all the same?")
        assert "cannot be kept" in session.notes
        await session.press("y")
        assert "Leave all the same?" in session.text
        await session.press("tab", "tab", "enter")
        await until(session, lambda: len(session.app.screen_stack) == 1)

    drive(play)


def test_a_draft_that_another_terminal_has_started_is_kept_again_and_that_is_said() -> None:
    keep(FIRST, "data")

    async def play(session: Session) -> None:
        await begin(session)
        forget()
        change(session, "lora.r", 8)
        await until(session, lambda: "Another terminal has started this draft" in session.notes)

    drive(play)
    assert read_kept().draft == OURS


def test_beginning_again_from_a_run_puts_the_draft_aside(tmp_path: Path) -> None:
    keep(OURS, "data")
    run = create_run(small_run(tmp_path, Path("tiny"), "earlier"))

    async def play(session: Session) -> None:
        ways.new_run(session.app, run.id)
        await until(session, f"This begins with the run {run.id}")
        await until(session, lambda: read_kept().draft.value("name") == "earlier")
        assert "was put aside" in session.text

    drive(play, (200, 50))
    (aside,) = asides()
    assert json.loads(aside.read_text())["config"] == OURS.data


def test_while_the_draft_is_read_that_is_said() -> None:
    keep(FIRST, "data")
    content = draft_file().read_bytes()
    draft_file().unlink()
    os.mkfifo(draft_file())  # whoever reads it waits for a writer

    def write() -> None:
        with draft_file().open("wb") as pipe:
            draft_file().unlink()
            draft_file().write_bytes(content)
            pipe.write(content)

    async def play(session: Session) -> None:
        await session.pilot.press("n")
        while "reading the draft" not in session.text:
            await session.pilot.pause()
        await asyncio.to_thread(write)
        await until(session, "goes on with your draft")
        assert "reading the draft" not in session.text

    drive(play)
