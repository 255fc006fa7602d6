"""Paths on the evaluation screen: where there is no room for all of one, what tells it from others stays."""

from __future__ import annotations

import shlex

from duotune.runs.directory import RunDirectory
from duotune.screens import ways
from duotune.widgets.bars import CommandLine
from support.app import Session, drive
from support.watched import example, finished_run


async def open_examples(session: Session, run: RunDirectory) -> None:
    ways.open_evaluation(session.app, run.id)
    await session.settle()
    await session.press("right")


def test_the_end_of_a_long_path_is_what_tells_files_apart(size: tuple[int, int]) -> None:
    deep = "src/main/java/org/example/" + "deep/" * 20
    items = [example(1, 0.2, 0.9, path=f"{deep}One.java"), example(2, 0.2, 0.8, path=f"{deep}Two.java")]
    run = finished_run(items=items)

    async def play(session: Session) -> None:
        await open_examples(session, run)
        rows = [line for line in session.text.splitlines() if "+0." in line]
        assert any("…" in row and "deep/One.java" in row for row in rows)
        assert any("deep/Two.java" in row for row in rows)
        assert all(len(row) >= 78 for row in rows)  # as much of a path as there is room for, the first time too

    drive(play, size)


def test_the_command_of_the_examples_names_the_report_however_long_its_path_is() -> None:
    run = finished_run(items=[example(1, 0.2, 0.9)])
    report = f"{run.path}/evaluation/report.md"

    async def play(session: Session) -> None:
        await open_examples(session, run)
        shown = "".join(session.text.split())
        assert "inashell:less/" in shown
        assert "evaluation/report.md" in shown
        assert session.app.screen.query_one(CommandLine).command == f"less {shlex.quote(report)}"

    drive(play)
