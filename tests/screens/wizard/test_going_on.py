"""Next stops at what is known to be bad, waits for what is being found out, and counts what was just typed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Event

import pytest
from textual import events
from textual.widgets._footer import FooterKey

from duotune.screens.wizard.files import LanguageList
from duotune.screens.wizard.looking import Look, Looks
from duotune.widgets.field_row import Exact, FieldRow
from support.app import Session, drive
from support.projects import standard_library
from support.repositories import make_repository
from support.wizard import add_project, next_step, open_wizard, until, wizard


@pytest.fixture
def source(tmp_path: Path) -> Path:
    make_repository(tmp_path / "billing", standard_library("json"))
    return tmp_path / "billing"


async def to_model(session: Session, source: Path) -> None:
    await open_wizard(session)
    await add_project(session, source)
    for title in ("Files", "Data and storage", "Model"):
        await next_step(session, title)


def test_a_project_that_cannot_be_read_keeps_one_in_its_step(source: Path) -> None:
    async def play(session: Session) -> None:
        await open_wizard(session)
        await add_project(session, source)
        await add_project(session, "https://127.0.0.1:1/x.git")
        await until(session, "cannot be read")
        await session.press("f8")
        assert "▶ Projects" in session.text
        assert "The project x cannot be read." in session.text
        wizard(session)._change(lambda draft: draft.with_projects(draft.projects[:1]))
        await next_step(session, "Files")
        wizard(session)._change(lambda draft: draft.with_projects([*draft.projects, BAD]))
        await until(session, lambda: not wizard(session).looks.busy)
        await until(session, "✗ Projects")

    drive(play)


BAD = {"name": "x", "source": "https://127.0.0.1:1/x.git"}


def test_a_project_that_is_being_read_is_waited_for(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    release, look = Event(), Looks._look

    def slow(self: Looks, *args: object) -> Look | None:
        release.wait(20)
        return look(self, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(Looks, "_look", slow)

    async def so(session: Session, true: Callable[[], bool]) -> None:
        for _ in range(200):
            if true():
                return
            await session.pilot.pause(0.02)
        raise AssertionError(session.text)

    async def play(session: Session) -> None:
        try:
            await open_wizard(session)
            config = {"name": "billing", "source": str(source)}
            wizard(session)._change(lambda draft: draft.with_projects([config]))
            await session.pilot.press("f8")
            await so(session, lambda: "billing is being read" in session.text)
            assert "▶ Projects" in session.text
        finally:
            release.set()
        await so(session, lambda: "▶ Files" in session.text)

    drive(play)


def test_a_location_whose_check_failed_keeps_one_in_its_step(source: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    async def play(session: Session) -> None:
        await open_wizard(session)
        await add_project(session, source)
        for title in ("Files", "Data and storage"):
            await next_step(session, title)
        row = wizard(session).query_one("#field-adapter-location", FieldRow)
        row.go_to()
        await session.settle()
        await session.type(str(tmp_path / "file" / "adapters"))
        await session.press("f5")
        await until(session, "✗ Adapters:")
        await session.press("f8")
        assert "▶ Data and storage" in session.text
        assert "F5 tests it again." in session.text
        assert row.has_focus_within
        row.query_one(Exact).clear()
        await next_step(session, "Model")

    drive(play)


def test_a_folder_that_is_no_model_is_seen_before_one_goes_on(source: Path, tmp_path: Path) -> None:
    async def play(session: Session) -> None:
        await to_model(session, source)
        row = wizard(session).query_one("#field-model-path", FieldRow)
        row.go_to()
        await session.settle()
        for key in (*"/nothing", "f8"):
            session.app.post_message(events.Key(key, key if len(key) == 1 else None))
        await until(session, "There is no model at")
        assert "▶ Model" in session.text
        assert row.has_focus_within
        await session.press("f8")
        assert "▶ Model" in session.text
        row.query_one(Exact).value = "tiny"
        await next_step(session, "Review")

    drive(play)


def test_a_bad_number_typed_just_before_keeps_one_in_its_step(source: Path) -> None:
    async def play(session: Session) -> None:
        await to_model(session, source)
        wizard(session)._change(lambda draft: draft.put("model.path", "tiny"))
        wizard(session).query_one("#field-lora-r", FieldRow).query_one(Exact).focus()
        await session.settle()
        for key in ("end", *"99999", "f8"):
            session.app.post_message(events.Key(key, key if len(key) == 1 else None))
        await session.settle()
        assert "▶ Model" in session.text
        assert "✗ The r must be" in session.text

    drive(play)


def test_what_differs_below_the_fold_is_told(source: Path) -> None:
    async def play(session: Session) -> None:
        await to_model(session, source)
        assert "More settings\n" in session.text
        wizard(session)._change(lambda draft: draft.put("training.max_steps", 80))
        await until(session, "More settings: 1 changed (max_steps)")
        wizard(session)._change(lambda draft: draft.put("lora.use_rslora", True).put("training.warmup_ratio", 0.2))
        await until(session, "More settings: 3 changed (use_rslora, ")
        wizard(session)._change(lambda draft: draft.put("training.max_steps", 0))
        await until(session, "More settings: 2 changed (use_rslora, warmup_ratio)")

    drive(play)


def test_the_list_of_languages_leaves_room_for_its_keys(source: Path) -> None:
    async def play(session: Session) -> None:
        await open_wizard(session)
        await add_project(session, source)
        await next_step(session, "Files")
        wizard(session).query_one(LanguageList).focus()
        await session.settle()
        keys = [key for key in session.app.screen.query(FooterKey) if not key.has_class("-command-palette")]
        assert len(keys) <= 6, session.text

    drive(play)
