"""The reports that the monitor opens, and a run that is gone."""

from __future__ import annotations

import shutil

from duotune.runs.events import RunFailedEvent
from support.app import Session, drive
from support.monitor import footer, open_tab, until, watch
from support.watched import finished_run, training_run, write

HOSTILE = "[red]x[/red]\x1b[2J\u202e"
LINK = "[x](http://evil) <b>y</b>"
LITERAL = "[red]x[/red]\\x1b[2J\\u202e"


def test_the_reports_of_evaluation_and_data_are_opened_with_a_key(size: tuple[int, int]) -> None:
    run = finished_run()
    (run.path / "evaluation" / "report.md").write_text(f"# The evaluation\n{HOSTILE} {LINK}\n")
    (run.path / "data.md").write_text("# The files\n")

    async def play(session: Session) -> None:
        await watch(session, run)
        assert "o Report" in footer(session)
        await session.press("o")
        assert "The evaluation" in session.text
        assert "# The evaluation" not in session.text
        assert f"{LITERAL} {LINK}" in session.text
        assert "in a shell: less" in session.text
        await session.press("escape")
        await open_tab(session, "data")
        await session.press("o")
        assert "The files" in session.text

    drive(play, size)


def test_without_a_report_there_is_no_key_for_it() -> None:
    run = training_run()

    async def play(session: Session) -> None:
        await watch(session, run)
        assert "Report" not in footer(session)

    drive(play)


def test_of_a_run_whose_directory_is_gone_nothing_can_be_done() -> None:
    run = training_run()
    write(run, RunFailedEvent(message="The GPU's memory is full.", hint="Lower the batch size."))

    async def play(session: Session) -> None:
        await watch(session, run)
        assert "r Resume" in footer(session)
        shutil.rmtree(run.path)
        await until(session, "is gone")
        await session.settle()
        assert "Resume" not in footer(session)

    drive(play)
