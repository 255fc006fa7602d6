"""The run monitor left, resized, behind others, and busy with a long journal."""

from __future__ import annotations

import pytest

from duotune.screens import ways
from duotune.screens.dialogs import Help
from duotune.screens.monitor.screen import Monitor
from duotune.screens.page import Page
from duotune.widgets.line_chart import LineChart
from support.app import Session, drive
from support.monitor import until, watch
from support.watched import training_run, worked_on


def test_the_monitor_can_be_left_and_opened_again_and_resized() -> None:
    run = training_run()

    async def play(session: Session) -> None:
        for _ in range(2):
            await watch(session, run)
            assert "── loss 3" in session.text
            await session.press("escape")
        await watch(session, run)
        for columns, rows in ((200, 50), (30, 8), (1, 1), (80, 24)):
            await session.pilot.resize_terminal(columns, rows)
            await session.settle()
        assert "── loss 3" in session.text
        assert "▶ train" in session.text

    with worked_on(run):
        drive(play)


def test_what_lies_behind_the_monitor_rests_and_what_lies_behind_a_dialog_goes_on() -> None:
    run = training_run()

    async def play(session: Session) -> None:
        home = session.app.screen
        assert isinstance(home, Page)
        await watch(session, run)
        monitor = session.app.screen
        assert isinstance(monitor, Monitor)
        assert (home.is_seen, monitor.is_seen) == (False, True)
        await session.press("s")
        assert (home.is_seen, monitor.is_seen) == (False, True), "a question stands in front"
        await session.press("n", "2")
        assert (home.is_seen, monitor.is_seen) == (False, False), "another place is shown"

    with worked_on(run):
        drive(play)


def test_ascii_terminals_get_the_whole_monitor_in_ascii(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DUOTUNE_ASCII", "1")
    run = training_run()

    async def play(session: Session) -> None:
        await watch(session, run)
        assert all(row.isascii() for row in session.app.screen.query_one(LineChart).rows)
        assert "+ prepare" in session.text
        assert "> train" in session.text

    with worked_on(run):
        drive(play)


def test_keys_are_answered_while_a_long_journal_is_replayed() -> None:
    run = training_run(steps=1, of=90_000)
    line = '{"v":1,"seq":9,"ts":%d.0,"type":"metrics","step":%d,"values":{"loss":2.0,"learning_rate":0.1}}\n'
    with run.journal_file.open("a") as journal:
        journal.writelines(line % (2_000_000_000 + step, step) for step in range(2, 90_001))

    async def play(session: Session) -> None:
        ways.open_run(session.app, run.id)
        await session.pilot.pause()
        monitor = session.app.screen
        assert isinstance(monitor, Monitor)
        while "reading the journal" not in session.text:
            assert monitor.seen is None, "the journal was read without a word"
            await session.pilot.pause()
        await session.pilot.press("f1")
        assert isinstance(session.app.screen, Help)
        await session.press("escape")
        await until(session, "step 45,000")
        assert monitor.seen is not None
        assert sum(bucket.points for bucket in monitor.seen.curves["loss"]) == 90_000

    with worked_on(run):
        drive(play)
