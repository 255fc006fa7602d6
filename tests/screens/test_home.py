"""Home: what a newcomer sees, and what an admin sees who has runs and adapters."""

from __future__ import annotations

import re
from datetime import datetime

import pytest

from duotune.catalog.catalog import open_catalog
from duotune.catalog.projects import Project
from duotune.runs.directory import create_run
from duotune.runs.events import ProgressMade, RunFailedEvent, RunQueued, RunStarted, StageStarted
from duotune.runs.journal import Journal
from duotune.screens.cells import when
from support.app import Session, drive
from support.runs import run_config
from support.shelf import Shelf
from support.watched import finished_run, training_run, worked_on, write


def test_a_newcomer_reads_what_duotune_is_how_the_host_stands_and_what_to_do(size: tuple[int, int]) -> None:
    async def play(session: Session) -> None:
        assert "Nothing" in session.text
        assert "Train your first adapter" in session.text
        assert "none found" in session.text  # no GPU, and everything works
        seen = session.text
        await session.press("pagedown")
        assert "vLLM: its command vllm is not on this host" in f"{seen} {session.text}".replace("\n", " ")
        assert any(line.startswith(" ✓") for line in session.text.splitlines())  # what is well comes last

    drive(play, size)


def test_runs_and_adapters_are_listed_with_signs_that_need_no_colour(size: tuple[int, int], shelf: Shelf) -> None:
    run = create_run(run_config("shop"))
    with Journal(run.journal_file) as journal:
        journal.append(RunStarted(pid=1, process_start=1, attempt=1))
        journal.append(StageStarted(stage="train"))
        journal.append(RunFailedEvent(message="The GPU caught fire.", hint="Put it out."))
    shelf.publish("shop", "billing")

    async def play(session: Session) -> None:
        assert (run.id if session.app.size.width > 100 else "shop") in session.text
        assert "✗ failed" in session.text
        assert "in stage train" in session.text
        assert "shop.v1" in session.text
        assert "✓ better" in session.text
        assert "in a shell: duotune runs" in session.text

    drive(play, size)


LONG = "payments-backend-and-all-of-its-many-little-libraries"


@pytest.mark.parametrize("columns", [80, 100, 130, 168, 200])
def test_no_column_of_runs_and_adapters_is_cut(columns: int, shelf: Shelf) -> None:
    finished_run(LONG, verdict="no evidence")
    shelf.publish(LONG, "billing", verdict="no evidence")
    training = write(training_run("night", 10, 40), ProgressMade(phase="train", done=12, total=40, unit="steps"))
    device = "GPU-0a1b2c3d-0a1b-0a1b-0a1b-0a1b2c3d4e5f"
    waiting = create_run(run_config("waiting"))
    write(waiting, RunStarted(pid=1, process_start=1, attempt=1), RunQueued(device=device, holder="night"))
    for number in range(30):  # so many that there is a scrollbar
        create_run(run_config(f"zz-{number}"))

    async def play(session: Session) -> None:
        lines = {
            sign: next((line for line in session.text.splitlines() if sign in line), "")
            for sign in ("run so far", "✓ finished", "▶ running", "waits for", "✓ published")
        }
        assert re.search(r"\bstarted\b", lines["run so far"])
        for sign in ("✓ finished", "▶ running", "waits for"):
            assert re.search(r"\d\d:\d\d\b", lines[sign]), "when it started"
        for sign in ("✓ finished", "✓ published"):
            assert re.search(r"(\S…\S+|libraries.v1) +.*! no evidence", lines[sign]), "a long name loses its middle"
        assert "night" in lines["▶ running"]
        assert "░ " in lines["▶ running"]
        assert "waits for GPU-0a1b2…" in lines["waits for"]

    with worked_on(training), worked_on(waiting):
        drive(play, (columns, 70))


def test_the_start_of_a_run_is_said_in_twelve_cells_where_there_is_no_room_for_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    then = datetime(2026, 11, 2, 9, 5).timestamp()
    for now, said in ((2, "09:05"), (28, "2 Nov 09:05")):
        monkeypatch.setattr("time.time", datetime(2026, 11, now, 12, 0).timestamp)
        assert when(then, short=True) == said
    monkeypatch.setattr("time.time", datetime(2027, 1, 1).timestamp)
    assert when(then, short=True) == "2 Nov 2026"
    assert when(then) == "2026-11-02 09:05"


def test_the_table_of_runs_follows_a_terminal_that_is_resized() -> None:
    run = finished_run("shop")

    async def play(session: Session) -> None:
        await session.pilot.resize_terminal(200, 50)
        await session.settle()
        assert run.id in session.text
        await session.pilot.resize_terminal(80, 24)
        await session.settle()
        assert run.id not in session.text
        assert "✓ better" in session.text

    drive(play)


def test_ascii_signs_stand_in_where_the_terminal_knows_no_others(monkeypatch: pytest.MonkeyPatch, shelf: Shelf) -> None:
    monkeypatch.setenv("DUOTUNE_ASCII", "1")
    shelf.publish("shop", "billing")

    async def play(session: Session) -> None:
        assert "+ better" in session.text
        assert "✓" not in session.text

    drive(play)


def test_names_with_markup_and_escape_sequences_do_nothing(shelf: Shelf) -> None:
    hostile = "[red]x[/red]\x1b[2J"
    with open_catalog() as catalog:
        catalog.projects.add(Project("evil", hostile))

    async def play(session: Session) -> None:
        await session.press("3")
        assert "[red]x[/red]\\x1b[2J" in session.text

    drive(play, (200, 50))


def test_runs_are_filtered_by_name_state_and_verdict(size: tuple[int, int]) -> None:
    for name in ("shop", "web"):
        with Journal(create_run(run_config(name)).journal_file) as journal:
            journal.append(RunStarted(pid=1, process_start=1, attempt=1))
            journal.append(StageStarted(stage="train"))
            journal.append(RunFailedEvent(message="It broke.", hint=""))

    async def play(session: Session) -> None:
        assert session.text.count("✗ failed") == 2
        await session.press("slash")
        await session.type("web")
        assert session.text.count("✗ failed") == 1
        await session.press("enter", "enter")
        assert "It broke." in session.text
        await session.press("escape", "escape")
        assert session.text.count("✗ failed") == 2

    drive(play, size)
