"""Single steps: projects that cannot be read, files by language and glob, places that cannot be written, figures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from textual import events
from textual.widgets import DataTable

from duotune.screens.wizard.files import LanguageList
from duotune.screens.wizard.keeping import draft_file
from duotune.widgets.field_row import FieldRow
from duotune.widgets.lines import Lines
from duotune.widgets.slider import Slider
from support.app import Session, drive
from support.projects import standard_library
from support.repositories import git, make_repository, serve_repositories
from support.wizard import add_project, next_step, open_wizard, until, wizard

if TYPE_CHECKING:
    from support.s3 import S3Server

EVIL = "[red]evil[/red]\x1b[31m.py"


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """A repository of several languages, with a name that wants to be more than a name."""
    files = standard_library("json") | {
        "README.md": b"# Title\n" + b"Some words that explain it.\n" * 20,
        "run.sh": b"#!/bin/sh\n# Runs it all again.\necho hello world, and some more of it\n" * 3,
        "vendor/x.go": b"package x\n\nfunc X() int { return 1 }\n" * 10,
        EVIL: b"value = 1  # a value\nother = value + 1\n" * 20,
    }
    make_repository(tmp_path / "mixed", files)
    return tmp_path / "mixed"


async def to_files(session: Session, source: Path) -> None:
    await open_wizard(session)
    await add_project(session, source)
    await next_step(session, "Files")
    await until(session, "to train on")


def test_counts_and_verdicts_follow_languages_and_globs(mixed: Path, size: tuple[int, int]) -> None:
    async def play(session: Session) -> None:
        await to_files(session, mixed)
        assert "7 of 9 files" in session.text
        assert "vendored" in session.text
        languages = wizard(session).query_one(LanguageList)
        languages.choose("Markdown")
        await session.press("space")
        await until(session, "8 of 9 files")
        assert set(wizard(session).draft.projects[0]["languages"]) == {"Python", "Shell", "Markdown", "Go"}
        await session.press("space")
        await until(session, "7 of 9 files")
        assert wizard(session).draft.projects[0]["languages"] == []
        languages.choose("Shell")
        await session.press("space")
        await until(session, "6 of 9 files")
        assert wizard(session).draft.projects[0]["languages"] == ["!Shell"]
        wizard(session).query_one("#field-projects-exclude", FieldRow).go_to()
        await session.type("json/, nothing/*.x")
        await until(session, "1 of 9 files")
        assert "no file matches nothing/*.x" in session.text

    drive(play, size)


def test_the_preview_is_filtered_by_words_and_says_why(mixed: Path, size: tuple[int, int]) -> None:
    async def play(session: Session) -> None:
        await to_files(session, mixed)
        assert "[red]evil[/red]" in session.text
        assert "\x1b" not in session.text
        await session.press("slash")
        await session.type("left out")
        await session.press("enter")
        assert "README.md" in session.text
        assert "decoder.py" not in session.text
        await session.press("end")
        assert "It is third-party code copied into the project." in session.text
        await session.press("slash", "escape")
        assert "▶ Files" in session.text
        assert "decoder.py" in session.text

    drive(play, size)


def test_a_project_that_cannot_be_read_says_so_where_it_stands(tmp_path: Path, size: tuple[int, int]) -> None:
    (tmp_path / "empty").mkdir()

    async def play(session: Session) -> None:
        await open_wizard(session)
        await session.press("f4")
        await session.type("https://me:secret-token@example.org/x.git")
        await session.press("enter")
        await until(session, "holds a password or token")
        assert "https://me" in session.text
        await session.press("home", "ctrl+k")
        await session.type(str(tmp_path / "empty"))
        await session.press("f8")
        await until(session, "is empty")
        await session.press("escape")
        (tmp_path / "empty" / "one.py").write_text("value = 1\n" * 20)
        await add_project(session, tmp_path / "empty")
        (tmp_path / "empty" / "one.py").unlink()
        await session.press("f6")
        await until(session, "cannot be read")
        assert "is empty" in session.text
        await session.press("f4")
        await session.type(str(tmp_path / "empty"))
        await session.press("enter")
        await until(session, "There is another project empty")

    drive(play, size)
    assert not draft_file().exists() or "secret-token" not in draft_file().read_text()


def test_a_git_url_is_fetched_at_a_branch(mixed: Path) -> None:
    git(mixed, "branch", "stable")
    commit = git(mixed, "rev-parse", "stable")

    async def play(session: Session, url: str) -> None:
        await open_wizard(session)
        await add_project(session, f"{url}/mixed", "stable")
        await until(session, commit[:9])
        await session.press("f5", "tab")
        await session.press("home", "ctrl+k")
        await session.type("nowhere")
        await session.press("f8")
        await until(session, "cannot be read")
        assert wizard(session).draft.projects[0]["ref"] == "nowhere"

    with serve_repositories(mixed.parent) as url:
        drive(lambda session: play(session, url))


def test_a_folder_is_taken_from_the_tree(mixed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(mixed.parent)

    async def play(session: Session) -> None:
        await open_wizard(session)
        await session.press("f4")
        await until(session, "mixed  Git")
        tree = session.app.screen.query_one("FolderTree")
        tree.focus()
        await session.press("down")
        while "mixed" not in str(tree.cursor_node.label):  # type: ignore[attr-defined]
            await session.press("down")
        await session.press("enter", "f8")
        await until(session, "[x]  mixed")
        assert wizard(session).draft.projects[0]["source"] == str(mixed)

    drive(play)


def test_a_connection_is_tested_and_says_what_failed(
    mixed: Path, server: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def play(session: Session) -> None:
        await to_files(session, mixed)
        await next_step(session, "Data and storage")
        wizard(session).query_one("#field-data-location", FieldRow).go_to()
        await session.type("s3://models/prepared")
        await session.press("tab")
        await session.type("s3://nowhere/adapters")
        await session.press("f5")
        await until(session, "Data: s3://models/prepared can be written.")
        assert "There is no S3 bucket 'nowhere'" in session.text
        assert "AWS_ variables" in session.text
        await session.press("backspace")
        assert "There is no S3 bucket" not in session.text

    drive(play, (200, 50))
    assert "AKIA" not in draft_file().read_text()


def test_keys_of_the_environment_alone_refuse_to_detach(mixed: Path, server: S3Server) -> None:
    from duotune.runs.directory import list_runs

    async def play(session: Session) -> None:
        await to_files(session, mixed)
        wizard(session)._change(
            lambda draft: draft.put("model.path", "tiny").put("adapter.location", "s3://models/adapters")
        )
        wizard(session).action_step("review")
        await until(session, "Ready")
        await session.press("f9")
        await until(session, "The keys of the S3 location are only in this shell")
        assert "▶ Review" in session.text

    drive(play)
    assert not list_runs()


def test_memory_and_time_follow_the_fields(mixed: Path, micro_model: Path, size: tuple[int, int]) -> None:
    async def play(session: Session) -> None:
        await to_files(session, mixed)
        await next_step(session, "Data and storage")
        await next_step(session, "Model")
        wizard(session).query_one("#field-model-path", FieldRow).go_to()
        await session.type(str(micro_model))
        await until(session, "completes in the middle")
        await until(session, "train ")
        before = _line(session, "Memory")
        wizard(session)._change(lambda draft: draft.put("training.per_device_train_batch_size", 32))
        await until(session, lambda: _line(session, "Memory") not in ("", before))
        wizard(session)._change(lambda draft: draft.put("training.per_device_train_batch_size", 100_000))
        await until(session, "✗ Does not fit")
        wizard(session)._change(lambda draft: draft.put("lora.r", 999_999))
        await until(session, "correct the fields first")
        assert "fit:" not in session.text
        wizard(session)._change(lambda draft: draft.put("lora.r", 16))
        await until(session, "✗ Does not fit")
        await session.press("f4")
        await until(session, "tiny")
        table = session.app.screen.query_one(DataTable)
        assert table.row_count >= 2

    drive(play, size)


def test_a_wrong_model_says_why_where_it_was_typed(mixed: Path, tmp_path: Path) -> None:
    async def play(session: Session) -> None:
        await to_files(session, mixed)
        await next_step(session, "Data and storage")
        await next_step(session, "Model")
        wizard(session).query_one("#field-model-path", FieldRow).go_to()
        await session.type(str(tmp_path / "[b]nothing"))
        await until(session, "There is no model at")
        assert "[b]nothing" in session.text
        await session.press("f4")
        await until(session, "of no use")
        await session.press("enter")  # which takes one that can be used
        await until(session, "completes in the middle")
        assert wizard(session).draft.value("model.path") == "tiny"

    drive(play)


def test_help_speaks_of_the_step_and_of_the_field(mixed: Path) -> None:
    async def play(session: Session) -> None:
        await to_files(session, mixed)
        wizard(session).query_one(Lines).focus()
        await session.press("f1")
        assert "Left are the languages" in session.text
        await session.press("escape")
        await next_step(session, "Data and storage")
        await session.press("f1")
        await until(session, "Recipes say what examples")

    drive(play, (80, 50))


def _line(session: Session, word: str) -> str:
    return next((line for line in session.text.splitlines() if line.strip().startswith(word)), "")


def test_what_is_typed_faster_than_it_is_shown_stays_as_it_was_typed(tmp_path: Path) -> None:
    source = tmp_path / "quick"
    make_repository(source, standard_library("json"))

    async def play(session: Session) -> None:
        await open_wizard(session)
        await add_project(session, source)
        for title in ("Files", "Data and storage", "Model"):
            await next_step(session, title)
        wizard(session).query_one("#field-name", FieldRow).go_to()
        await session.settle()
        for start in ("abcdefghijkl", "mnopqrstuvwx"):
            for letter in start:
                session.app.post_message(events.Key(letter, letter))
            await session.settle()
        assert wizard(session).draft.value("name") == "quickabcdefghijklmnopqrstuvwx"
        assert "quickabcdefghijklmnopqrstuvwx"[-11:] in session.text

    drive(play)


def test_focus_is_seen_without_colours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    source = tmp_path / "plain"
    make_repository(source, standard_library("json"))

    def reversed_text(session: Session) -> str:
        strips = session.app.screen._compositor.render_strips()
        return "|".join(part.text for strip in strips for part in strip if part.style and part.style.reverse)

    async def play(session: Session) -> None:
        await open_wizard(session)
        await add_project(session, source)
        for title in ("Files", "Data and storage"):
            await next_step(session, title)
        row = wizard(session).query_one("#field-data-sequence_length", FieldRow)
        session.app.screen.set_focus(row.query_one(Slider))
        await session.settle()
        assert "━" in reversed_text(session)
        await session.press("tab")
        assert "━" not in reversed_text(session)
        assert "048" in reversed_text(session)  # the cursor stands on the first digit

    drive(play)
