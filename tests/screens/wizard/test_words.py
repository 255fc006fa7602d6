"""What the steps say of what was chosen: reasons, shares and commands, whole and live."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from duotune.catalog.catalog import open_catalog
from duotune.catalog.projects import Project
from duotune.screens.wizard.draft import Draft
from duotune.screens.wizard.keeping import keep
from duotune.widgets.bars import CommandLine
from duotune.widgets.field_row import FieldRow
from duotune.widgets.lines import Lines
from duotune.widgets.rows import Rows
from support.app import Session, drive
from support.projects import standard_library
from support.repositories import make_repository
from support.wizard import add_project, next_step, open_wizard, until, wizard


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """A repository of code."""
    make_repository(tmp_path / "mixed", standard_library("json"))
    return tmp_path / "mixed"


async def to_files(session: Session, source: Path) -> None:
    await open_wizard(session)
    await add_project(session, source)
    await next_step(session, "Files")
    await until(session, "to train on")


def test_the_reason_of_a_file_that_is_left_out_stands_whole_beside_the_scrollbar(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    files = {
        f"notes/of a chapter with a long name {n:02}.md": b"# T\n" + b"Words that explain it.\n" * 9 for n in range(60)
    }
    make_repository(tmp_path / "notes", files | standard_library("json"))

    async def play(session: Session) -> None:
        await to_files(session, tmp_path / "notes")
        await session.press("slash")
        await session.type("left out")
        await session.press("enter")
        assert wizard(session).query_one(Lines).show_vertical_scrollbar
        shown = [line for line in session.text.splitlines() if "language not" in line]
        assert len(shown) > 4
        assert all("language not chosen" in line for line in shown)
        assert "Its language is not among those the project trains on." in session.text

    drive(play, size)


def test_what_the_shares_of_recipes_come_to_follows_what_is_typed(mixed: Path, size: tuple[int, int]) -> None:
    async def play(session: Session) -> None:
        await to_files(session, mixed)
        await next_step(session, "Data and storage")
        row = wizard(session).query_one("#field-data-recipes-fim", FieldRow)
        row.go_to()
        await until(session, "Of code fim 55 %, code 25 %, signature 15 %, metadata 5 %")
        assert "Of documents raw 70 %, heading 30 %" in session.text
        await session.press("home")
        await session.pilot.press("shift+end")
        await session.type("1.0")
        await until(session, "Of code fim 69 %, code 17 %, signature 10 %, metadata 3 %")
        await session.type("0")
        await session.type("9")
        await until(session, "less than or equal to 1")
        assert "Of code" not in session.text

    drive(play, size)


def test_the_command_of_the_files_is_one_for_a_project_that_is_not_known_yet(mixed: Path) -> None:
    async def play(session: Session) -> None:
        await to_files(session, mixed)
        command = wizard(session).query_one(CommandLine).command
        added, _, shown = command.partition(" && ")
        assert shlex.split(added) == ["duotune", "projects", "add", "mixed", str(mixed)]
        assert shown == "duotune projects show mixed"
        await session.press("escape")
        with open_catalog() as catalog:
            catalog.projects.add(Project("mixed", str(mixed)))
        await session.press("n")
        await until(session, "goes on with your draft")
        await until(session, lambda: wizard(session).query_one(CommandLine).command == shown)

    drive(play)


def test_a_table_that_has_no_room_for_a_text_marks_where_it_ends(mixed: Path, size: tuple[int, int]) -> None:
    name = "a-project-whose-name-has-all-the-letters-that-a-name-may-have-x"
    keep(Draft({"projects": [{"name": name, "source": str(mixed)}], "model": {"path": "tiny"}}).named(), "model")

    async def play(session: Session) -> None:
        await open_wizard(session)
        wizard(session).action_step("projects")
        await until(session, "Python")
        for title in ("Projects", "Review"):
            wizard(session).action_step(title.lower())
            await until(session, "Ready" if title == "Review" else "[x]")
            rows = wizard(session)._pane.query_one(Rows)
            assert rows.virtual_size.width <= rows.size.width
            if size[0] == 80:
                assert "…" in session.text

    drive(play, size)
