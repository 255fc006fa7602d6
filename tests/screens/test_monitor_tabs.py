"""The run monitor tab by tab: charts, what became of the files, and the log."""

from __future__ import annotations

import pytest

from duotune.runs.events import (
    MetricsMeasured,
)
from duotune.runs.funnel import TOKENS
from duotune.screens.monitor.panels import RunChart
from duotune.screens.monitor.reading import MemoryInUse
from duotune.screens.monitor.screen import Monitor
from duotune.widgets.log_view import LogView
from duotune.widgets.tab_line import TabLine
from support.app import Session, drive
from support.monitor import footer, open_tab, until, watch
from support.watched import training_run, worked_on, write


def test_charts_without_figures_are_not_offered_and_those_that_come_are() -> None:
    run = training_run()

    async def play(session: Session) -> None:
        await watch(session, run)
        tabs = session.app.screen.query_one(TabLine)
        assert tabs.keys == ["overview", "loss", "rate", "speed", "memory", "data", "log"]
        write(run, MetricsMeasured(step=20, values={"edit_similarity": 0.5, "bad_responses": 0.25}))
        await until(session, "Answers")
        await open_tab(session, "answers")
        assert "── similarity of answers 0.5" in session.text
        assert "● share of bad ones 0.25" in session.text
        assert "minutes" in session.text

    with worked_on(run):
        drive(play)


@pytest.mark.parametrize(
    ("tab", "words"),
    [
        ("rate", "learning rate 0.0001"),
        ("speed", "tokens trained on per second 2,000"),
        ("memory", "highest so far 0.838 GiB"),
    ],
)
def test_each_chart_names_its_newest_value(size: tuple[int, int], tab: str, words: str) -> None:
    run = training_run()

    async def play(session: Session) -> None:
        await watch(session, run)
        await open_tab(session, tab)
        assert words in session.text

    with worked_on(run):
        drive(play, size)


def test_a_gpus_memory_is_drawn_as_it_is_read_while_the_run_is_watched() -> None:
    run = training_run()

    async def play(session: Session) -> None:
        await watch(session, run)
        chart = session.app.screen.query_one(RunChart)
        for minute in range(1, 4):
            chart.sample(float(minute), MemoryInUse(gpu=1, by_runs=minute * 2**30, in_use=20 * 2**30))
        await open_tab(session, "memory")
        assert "── GPU 1: held by runs 3 GiB   ● in use by all 20 GiB" in session.text
        assert "minutes watched" in session.text

    with worked_on(run):
        drive(play)


def test_l_and_m_change_how_the_loss_is_drawn_and_are_offered_there_alone() -> None:
    run = training_run()

    async def play(session: Session) -> None:
        await watch(session, run)
        await session.press("l")
        assert "(log scale)" in session.text
        await session.press("m")
        assert "(log scale, smoothed)" in session.text
        await open_tab(session, "rate")
        assert "Log scale" not in footer(session)
        assert "log scale" not in session.text
        await open_tab(session, "log")
        assert "Smooth" not in footer(session)

    with worked_on(run):
        drive(play)


def test_data_tab_tells_what_became_of_the_files(size: tuple[int, int]) -> None:
    run = training_run()

    async def play(session: Session) -> None:
        await watch(session, run)
        await open_tab(session, "data")
        text = " ".join(session.text.split())
        for words in ("in the projects", "not a duplicate", "400,000", TOKENS, "To train on: 1 row of 2,000 tokens"):
            assert words in text
        assert "The adapter learns to write 1 of them" in text
        await session.press("end")
        for words in ("too long", "kept by language", "Python"):
            assert words in session.text

    with worked_on(run):
        drive(play, size)


def test_log_tab_shows_the_newest_lines_and_searches_them(size: tuple[int, int]) -> None:
    run = training_run()

    async def play(session: Session) -> None:
        await watch(session, run)
        await open_tab(session, "log")
        assert "step 20: loss 3.000" in session.text
        assert f"in a shell: duotune logs -f {run.id}" in session.text
        await session.press("slash")
        await session.type("loss 3.9")
        assert "2 of the last 20 lines" in session.text
        assert "step 1: loss 3.950" in session.text
        assert "step 20" not in session.text
        await session.press("enter")
        assert isinstance(session.app.focused, LogView)
        await session.press("escape")
        assert "step 20" in session.text, "the first escape ends the search"
        assert isinstance(session.app.screen, Monitor)
        await session.press("escape")
        assert not isinstance(session.app.screen, Monitor)

    with worked_on(run):
        drive(play, size)


def test_log_follows_what_is_printed() -> None:
    run = training_run()

    async def play(session: Session) -> None:
        await watch(session, run)
        await open_tab(session, "log")
        with run.log_file.open("a") as log:
            log.writelines(f"more {number}\n" for number in range(100))
        await until(session, "more 99")

    with worked_on(run):
        drive(play)
