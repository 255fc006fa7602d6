"""Through the wizard and back: nothing is lost, bad values are gone to, and a run comes of it."""

from __future__ import annotations

import shlex
import tomllib
from contextlib import suppress
from pathlib import Path

import pytest
from textual.widgets import Button

from duotune.catalog.catalog import open_catalog
from duotune.catalog.projects import Project
from duotune.errors import UsageError
from duotune.plan.configuration import load
from duotune.runs.directory import create_run, list_runs
from duotune.runs.launcher import request_stop
from duotune.screens import ways
from duotune.screens.wizard.draft import Draft
from duotune.screens.wizard.files import FilesPane
from duotune.screens.wizard.keeping import draft_file, keep, read_kept
from duotune.widgets.bars import CommandLine
from duotune.widgets.field_row import FieldRow
from duotune.widgets.rows import Rows
from support.app import Session, drive
from support.projects import make_project, small_run
from support.runs import run_config
from support.wizard import add_project, next_step, open_wizard, until, wizard


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A repository to train on."""
    return make_project(tmp_path / "billing", "json", "logging")


async def to_review(session: Session, source: Path) -> None:
    """A whole draft on the bundled model, as a newcomer makes it."""
    await open_wizard(session)
    await add_project(session, source)
    await next_step(session, "Files")
    await next_step(session, "Data and storage")
    await next_step(session, "Model")
    await session.press("f4")
    await until(session, "Qwen2ForCausalLM")
    await session.press("enter")
    await until(session, "Memory")
    await next_step(session, "Review")


def test_a_newcomer_comes_to_a_run_by_keys_alone(source: Path, size: tuple[int, int]) -> None:
    older = create_run(run_config("older"))

    async def play(session: Session) -> None:
        runs = session.app.screen.query_one("#runs", Rows)
        await to_review(session, source)
        await until(session, "Ready")
        for words in ("base model", "will be published as billing.v1", "Time about", "disk"):
            assert words in session.text
        await session.press("f9")
        await until(session, lambda: len(list_runs()) == 2)
        await until(session, lambda: len(session.app.screen_stack) == 1)
        await until(session, lambda: runs.chosen == list_runs()[0].id)

    drive(play, size)
    (run,) = (one for one in list_runs() if one.id != older.id)
    config = run.read_config()
    assert (config.name, config.adapter.name, config.projects[0].source) == ("billing", "billing", str(source))
    assert len(config.projects[0].ref) == 40
    assert not draft_file().exists()
    with suppress(UsageError):  # it may have ended
        request_stop(run)


def test_a_rehearsal_is_watched_and_leaves_the_draft_as_it_is(source: Path) -> None:
    async def play(session: Session) -> None:
        await to_review(session, source)
        await until(session, "Ready")
        await session.press("f4")
        await until(session, "billing-rehearsal")

    drive(play)
    (run,) = list_runs()
    assert run.read_config().training.max_steps == 4
    assert [stage.name for stage in run.state().stages] == ["prepare", "train", "evaluate"]
    assert read_kept().draft.config().training.max_steps == 0
    with suppress(UsageError):
        request_stop(run)


def test_back_loses_nothing_and_a_draft_survives(source: Path, size: tuple[int, int]) -> None:
    async def first(session: Session) -> None:
        await open_wizard(session)
        await add_project(session, source)
        await next_step(session, "Files")
        await next_step(session, "Data and storage")
        row = wizard(session).query_one("#field-data-sequence_length", FieldRow)
        row.go_to()
        await session.press("home")
        await session.pilot.press("shift+end")
        await session.type("512")
        await next_step(session, "Model")
        await session.press("f7", "f7", "f7")
        await until(session, "▶ Projects")
        assert "[x]  billing" in session.text
        await session.press("f8", "f8")
        assert wizard(session).query_one("#field-data-sequence_length", FieldRow).value == 512
        await session.press("escape")
        await until(session, lambda: len(session.app.screen_stack) == 1)
        assert "Your draft is kept" in session.notes

    async def second(session: Session) -> None:
        await open_wizard(session)
        await until(session, "goes on with your draft")
        assert "▶ Data and storage" in session.text
        assert wizard(session).draft.value("data.sequence_length") == 512
        await session.press("f10", "y")
        await until(session, "▶ Projects")
        await until(session, lambda: not draft_file().exists())

    drive(first, size)
    assert draft_file().stat().st_mode & 0o777 == 0o600
    assert read_kept().draft.value("data.sequence_length") == 512
    drive(second, size)


def test_next_goes_to_the_first_bad_field_and_keeps_what_was_typed(source: Path, size: tuple[int, int]) -> None:
    async def play(session: Session) -> None:
        await open_wizard(session)
        await session.press("f8")
        assert "▶ Projects" in session.text
        assert "Choose a project, or add one" in session.text
        await add_project(session, source)
        await next_step(session, "Files")
        await next_step(session, "Data and storage")
        row = wizard(session).query_one("#field-data-sequence_length", FieldRow)
        row.go_to()
        await session.press("end")
        await session.type("k")
        assert "✗ The sequence length must be a whole number." in session.text
        await session.press("shift+tab", "shift+tab", "f8")
        await until(session, lambda: row.has_focus_within)
        assert "▶ Data and storage" in session.text
        assert "2048k" in session.text
        await session.press("end", "backspace")
        assert "must be a whole number" not in session.text
        await next_step(session, "Model")
        await session.press("f8")
        await until(session, "✗ The base model is required.")
        assert wizard(session).query_one("#field-model-path", FieldRow).has_focus_within

    drive(play, size)


def test_a_toml_file_is_opened_changed_and_saved_again(source: Path, tmp_path: Path, size: tuple[int, int]) -> None:
    file = tmp_path / "old.toml"
    file.write_text(
        f'name = "night"\n[[projects]]\nsource = "{source}"\n[model]\npath = "tiny"\n[adapter]\nname = "night"\n'
        "[lora]\nr = 8\n[data.recipes]\nfim = 0.3\n"
    )
    saved = tmp_path / "my new; run.toml"

    async def play(session: Session) -> None:
        await open_wizard(session)
        await session.press("f3")
        await session.type(str(tmp_path / "missing.toml"))
        await session.press("enter")
        await until(session, "There is no configuration file")
        await session.press("home", "ctrl+k")
        await session.type(str(file))
        await session.press("enter")
        await until(session, "This begins with the file")
        assert wizard(session).draft.value("lora.r") == 8
        wizard(session).action_step("review")
        await until(session, "Ready")
        assert wizard(session).query_one("#toml").render().plain.count("r = 8") == 1  # type: ignore[union-attr]
        await session.press("f2")
        await session.press("home", "ctrl+k")
        await session.type(str(file))
        await session.press("enter")
        await until(session, "There is a file")
        await session.press("home", "ctrl+k")
        await session.type(str(saved))
        await session.press("enter")
        command = wizard(session).query_one(CommandLine)
        await until(session, lambda: shlex.split(command.command) == ["duotune", "run", str(saved)])

    drive(play, size)
    assert load(saved) == load(file)
    assert tomllib.loads(file.read_text())["lora"] == {"r": 8}
    assert "seed" not in saved.read_text()


def test_a_run_can_be_begun_again(source: Path) -> None:
    run = create_run(small_run(source, Path("tiny"), "earlier"))

    async def play(session: Session) -> None:
        ways.new_run(session.app, run.id)
        await until(session, f"This begins with the run {run.id}")
        assert wizard(session).draft.value("training.learning_rate") == 5e-3
        assert wizard(session).draft.projects[0]["name"] == "code"

    drive(play)


def test_a_refused_plan_leads_to_the_field_that_causes_it(source: Path, size: tuple[int, int]) -> None:
    async def play(session: Session) -> None:
        await open_wizard(session)
        await add_project(session, source)
        wizard(session)._change(lambda draft: draft.put("model.path", "tiny").put("data.sequence_length", 65536))
        wizard(session).action_step("review")
        await until(session, "The run cannot start")
        assert "Start" not in session.text.splitlines()[-1]
        assert wizard(session).query_one("#start", Button).disabled
        assert wizard(session).query_one("#detach", Button).disabled
        await session.press("f8", "f9")
        assert not list_runs()
        await until(session, "Enter: goes to data.sequence_length.")
        await session.press("enter")
        await until(session, "▶ Data and storage")
        row = wizard(session).query_one("#field-data-sequence_length", FieldRow)
        await until(session, lambda: row.has_focus_within)
        await session.press("home")
        await session.pilot.press("shift+end")
        await session.type("512")
        wizard(session).action_step("review")
        await until(session, "Ready")
        assert "F8 Start" in session.text.splitlines()[-1].replace("f8", "F8")
        assert not wizard(session).query_one("#start", Button).disabled

    drive(play, size)


def test_what_the_catalog_knows_is_listed_with_what_was_trained(source: Path, tmp_path: Path) -> None:
    with open_catalog() as catalog:
        catalog.projects.add(Project("billing", str(source)))
        catalog.projects.add(Project("gone", str(tmp_path / "gone")))

    async def play(session: Session) -> None:
        await session.press("n")
        await until(session, "Python 100 %")
        assert "[ ]  billing" in session.text
        await until(session, "cannot be read")
        await session.press("down")
        await until(session, "Correct `source`")
        await session.press("up", "space")
        assert "[x]  billing" in session.text
        assert [project["name"] for project in wizard(session).draft.projects] == ["billing"]
        await session.press("space")
        assert "[ ]  billing" in session.text
        assert not wizard(session).draft.projects

    drive(play)


def test_a_run_that_starts_is_watched(source: Path) -> None:
    file = draft_file()
    file.parent.mkdir(parents=True)
    keep(
        Draft(small_run(source, Path("tiny"), "watched").model_dump(mode="json")).put("training.max_steps", 2), "model"
    )

    async def play(session: Session) -> None:
        await session.press("n")
        await until(session, "goes on with your draft")
        await next_step(session, "Review")
        await until(session, "Ready")
        await session.press("f8")
        await until(session, lambda: type(session.app.screen).__name__ == "Monitor")
        (run,) = list_runs()
        await until(session, run.id)

    drive(play)
    (run,) = list_runs()
    with suppress(UsageError):
        request_stop(run)


def test_filters_that_leave_no_file_are_not_gone_on_with(source: Path) -> None:
    async def play(session: Session) -> None:
        await open_wizard(session)
        await add_project(session, source)
        await next_step(session, "Files")
        wizard(session).query_one(FilesPane).go_to("projects[0].include")
        await session.settle()
        await session.type("*.nothing")
        await until(session, "0 of")
        await session.press("f8")
        await until(session, "No file is left to train on")
        assert "▶ Files" in session.text

    drive(play)
