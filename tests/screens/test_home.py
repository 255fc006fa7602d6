"""Home: what a newcomer sees, and what an admin sees who has runs and adapters."""

from __future__ import annotations

import pytest

from duotune.catalog.catalog import open_catalog
from duotune.catalog.projects import Project
from duotune.runs.directory import create_run
from duotune.runs.events import RunFailedEvent, RunStarted, StageStarted
from duotune.runs.journal import Journal
from support.app import Session, drive
from support.runs import run_config
from support.shelf import Shelf


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
        assert run.id in session.text
        assert "✗ failed" in session.text
        assert "in stage train" in session.text
        assert "shop.v1" in session.text
        assert "✓ better" in session.text
        assert "in a shell: duotune runs" in session.text

    drive(play, size)


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
