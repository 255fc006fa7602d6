"""The evaluation screen: figures, examples, and publishing."""

from __future__ import annotations

import pytest
from textual.widgets import Static

from duotune.catalog.catalog import open_catalog
from duotune.evaluation.results import ItemResult
from duotune.runs.directory import RunDirectory
from duotune.screens import ways
from duotune.screens.evaluation.screen import EvaluationPage
from duotune.widgets.log_view import LogView
from duotune.widgets.rows import Rows
from duotune.widgets.tab_line import TabLine
from support.app import Session, drive
from support.shelf import Shelf
from support.watched import evaluation, example, finished_run, training_run

HOSTILE = "[red]x[/red]\x1b[2J\u202e"
LITERAL = "[red]x[/red]\\x1b[2J\\u202e"

WON = example(1, 0.2, 0.9, path="won.py", gold="a = 1\nb = 2", base="a = 9", adapter="a = 1\nb = 3", language="Go")
LOST = example(2, 0.8, 0.1, path="lost.py", project="other")
BAD = example(3, 0.5, 0.5, path="bad.py", bad_reasons=(None, "loop"))


async def open_page(session: Session, run: RunDirectory, tab: str = "figures") -> None:
    ways.open_evaluation(session.app, run.id)
    await session.settle()
    tabs = session.app.screen.query_one(TabLine)
    while tab and tabs.chosen != tab:
        assert tab in tabs.keys
        await session.press("right")


def footer(session: Session) -> str:
    return session.text.splitlines()[-1]


def listed(session: Session) -> list[str]:
    return [path for path in ("won.py", "lost.py", "bad.py") if path in _list(session)]


def _list(session: Session) -> str:
    rows = session.app.screen.query_one(Rows)
    return " ".join(str(cell) for number in range(rows.row_count) for cell in rows.get_row_at(number))


def test_verdict_reason_figures_and_report_are_shown(size: tuple[int, int]) -> None:
    run = finished_run(items=[WON])

    async def play(session: Session) -> None:
        await open_page(session, run)
        text = session.text
        assert "✓ better. A gain is shown and no loss." in text
        assert "fim: 20 items from 10 files" in text
        similarity = next(line for line in text.splitlines() if "edit similarity" in line)
        assert "0.400    0.500   +0.100" in similarity
        assert similarity.index("│") < similarity.index("●") < similarity.index("better")
        unclear = next(line for line in text.splitlines() if "bad responses  " in line)
        assert "┼" in unclear
        assert "better" not in unclear
        assert "worse" not in unclear
        loss = next(line for line in text.splitlines() if "gold loss  " in line)
        assert loss.index("●") < loss.index("│") < loss.index("better"), "a lower loss is better"
        assert "Bad responses: loop 2 → 1." in text
        assert "r Report" in footer(session)

    drive(play, size)


def test_the_keys_that_scroll_scroll_the_figures_at_once() -> None:
    run = finished_run(items=[WON])

    async def play(session: Session) -> None:
        await open_page(session, run)
        figures = session.app.screen.query_one("#figures")
        for key in ("end", "home", "down", "pagedown"):
            before = figures.scroll_offset.y
            await session.press(key)
            assert figures.scroll_offset.y != before, key
        await session.press("right")
        assert session.app.screen.query_one(TabLine).chosen == "examples"

    drive(play)


def test_r_opens_the_report(size: tuple[int, int]) -> None:
    run = finished_run(items=[WON])
    (run.path / "evaluation" / "report.md").write_text(
        "# Evaluation of shop\n\n| | base |\n| --- | ---: |\n| x | 1 |\n"
    )

    async def play(session: Session) -> None:
        await open_page(session, run)
        await session.press("r")
        assert "Evaluation of shop" in session.text
        assert "| --- |" not in session.text
        assert "in a shell: less" in session.text
        await session.press("escape")
        assert isinstance(session.app.screen, EvaluationPage)

    drive(play, size)


def test_intervals_are_drawn_in_ascii_where_the_terminal_knows_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DUOTUNE_ASCII", "1")
    run = finished_run()

    async def play(session: Session) -> None:
        await open_page(session, run)
        similarity = next(line for line in session.text.splitlines() if "edit similarity" in line)
        assert similarity.isascii()
        assert "[" in similarity

    drive(play)


def test_languages_and_projects_have_tabs_where_there_are_several(size: tuple[int, int]) -> None:
    run = finished_run(items=[WON, LOST, BAD])

    async def play(session: Session) -> None:
        await open_page(session, run, "languages")
        lines = session.text.splitlines()
        first = next(number for number, line in enumerate(lines) if "edit similarity" in line)
        go, python = (next(line for line in lines[first:] if name in line) for name in ("Go", "Python"))
        assert "0.200    0.900   +0.700  interval unknown" in go  # one file shows no spread
        assert "0.650    0.300   -0.350" in python
        assert "├" in python
        assert "in a shell: less" in session.text
        await open_page(session, run, "projects")
        assert "0.800    0.100   -0.700" in session.text
        assert "other" in session.text

    drive(play, size)


def test_one_language_and_no_examples_make_no_empty_tabs() -> None:
    run = finished_run(items=[])

    async def play(session: Session) -> None:
        await open_page(session, run)
        assert session.app.screen.query_one(TabLine).keys == ["figures"]

    drive(play)


def test_examples_show_prompt_author_base_and_adapter_with_what_differs(size: tuple[int, int]) -> None:
    run = finished_run(items=[WON, LOST, BAD])

    async def play(session: Session) -> None:
        await open_page(session, run, "examples")
        await session.press("f")
        await session.press("enter")
        seen = session.text
        for _ in range(12):
            await session.press("down")
            seen += session.text
        for words in ("before⟦ … ⟧after", "The author wrote", "a = 1", "~ a = 9", "- b = 2", "= a = 1", "~ b = 3"):
            assert words in seen, words
        assert "in a shell: less" in seen

    drive(play, size)


def test_answers_stand_side_by_side_where_there_is_room_and_below_each_other_elsewhere() -> None:
    run = finished_run(items=[WON])
    sides: dict[int, bool] = {}

    async def play(session: Session) -> None:
        await open_page(session, run, "examples")
        page = session.app.screen
        base, adapter = page.query_one("#example-base").region, page.query_one("#example-adapter").region
        sides[session.app.size.width] = base.y == adapter.y and base.x < adapter.x

    for size in ((80, 24), (200, 50)):
        drive(play, size)
    assert sides == {80: False, 200: True}


def test_f_filters_and_o_turns_the_order() -> None:
    run = finished_run(items=[WON, LOST, BAD])

    async def play(session: Session) -> None:
        await open_page(session, run, "examples")
        assert listed(session) == ["won.py", "lost.py", "bad.py"]
        assert _list(session).index("won.py") < _list(session).index("lost.py")
        await session.press("o")
        assert _list(session).index("lost.py") < _list(session).index("won.py")
        await session.press("f")
        assert listed(session) == ["won.py"]
        await session.press("f")
        assert listed(session) == ["lost.py"]
        await session.press("f")
        assert listed(session) == ["bad.py"]
        assert "body, loop" in _list(session) or "lines, loop" in _list(session)

    drive(play)


def test_w_shows_the_whole_prompt() -> None:
    run = finished_run(items=[WON.model_copy(update={"prompt": "<|fim_prefix|>all of it"})])

    async def play(session: Session) -> None:
        await open_page(session, run, "examples")
        assert "all of it" not in session.text
        await session.press("w")
        assert "<|fim_prefix|>all of it" in session.text
        assert "== The prompt: 1 line" in session.text
        await session.press("escape")
        assert isinstance(session.app.screen, EvaluationPage)

    drive(play)


def test_hostile_answers_and_names_are_shown_literally(size: tuple[int, int]) -> None:
    hostile: ItemResult = WON.model_copy(
        update={"path": HOSTILE, "project": HOSTILE, "gold": HOSTILE, "base": HOSTILE, "adapter": f"{HOSTILE}!"}
    )
    run = finished_run(items=[hostile, LOST])

    async def play(session: Session) -> None:
        await open_page(session, run, "projects")
        assert "[red]x[/red]\\x1b" in session.text
        await open_page(session, run, "examples")
        assert session.text.count(LITERAL) >= 2
        assert "\x1b" not in session.text

    drive(play, size)


def test_very_large_answers_are_shown_and_scroll() -> None:
    huge = "x = 1\n" * 5_000
    run = finished_run(items=[WON.model_copy(update={"adapter": huge, "prompt": huge * 10})])

    async def play(session: Session) -> None:
        await open_page(session, run, "examples")
        assert "and 4,921 more lines" in str(session.app.screen.query_one("#example-adapter", Static).content)
        await session.press("w", "end")
        assert session.text.count("x = 1") > 10
        assert session.app.screen.query_one(LogView).found[0] == 20_000

    drive(play)


def test_answers_that_cannot_be_read_are_counted() -> None:
    run = finished_run(items=[WON])
    with (run.path / "evaluation/items.jsonl").open("a") as items:
        items.write('{"id": "torn\n')

    async def play(session: Session) -> None:
        await open_page(session, run)
        assert "! 1 answer cannot be read" in session.text

    drive(play)


def test_a_run_that_is_not_evaluated_says_where_it_is() -> None:
    run = training_run()

    async def play(session: Session) -> None:
        await open_page(session, run, "")
        assert "Not evaluated yet. The run is lost, in stage train." in session.text

    drive(play)


def test_a_run_that_is_removed_is_said_to_be_so() -> None:
    async def play(session: Session) -> None:
        ways.open_evaluation(session.app, "20200101-000000-gone")
        await session.settle()
        assert "There is no run '20200101-000000-gone'" in session.text

    drive(play)


def test_a_published_adapter_is_not_offered_to_be_published(shelf: Shelf) -> None:
    run = finished_run("shop")
    shelf.publish("shop", "billing")

    async def play(session: Session) -> None:
        await open_page(session, run)
        assert "shop.v1, ✓ published" in session.text
        assert "Publish" not in footer(session)
        assert f"in a shell: duotune status {run.id}" in session.text

    drive(play)


def test_a_harmful_adapter_is_published_with_a_reason_alone(shelf: Shelf) -> None:
    run = finished_run("shop", "harmful", state="withheld")
    shelf.publish("shop", "billing", verdict="harmful")

    async def play(session: Session) -> None:
        await open_page(session, run)
        assert "✗ harmful." in session.text
        assert "withheld: it is not served" in session.text
        assert "p Publish" in footer(session)
        await session.press("p")
        assert "Publish shop.v1?" in session.text
        await session.press("enter")
        with open_catalog() as catalog:
            assert catalog.adapters.get("shop.v1").state == "withheld"
        await session.type("it is better at Go")
        await session.press("enter")
        assert isinstance(session.app.screen, EvaluationPage)
        assert "because: it is better at Go" in session.text
        with open_catalog() as catalog:
            version = catalog.adapters.get("shop.v1")
            assert (version.state, version.force_reason) == ("published", "it is better at Go")

    drive(play)


def test_figures_of_a_base_model_alone_have_no_adapter() -> None:
    from duotune.screens.evaluation.figures import figures

    alone = evaluation().model_copy(update={"compared": False})
    text = figures(alone, 78).plain
    assert "edit similarity       0.400\n" in text
    assert "better" not in text.split("cosine similarity is by")[0].replace("lower is better", "")


def test_one_file_shows_no_interval() -> None:
    from duotune.screens.evaluation.figures import figures

    found = evaluation()
    one = found.sets["fim"].model_copy(update={"files": 1})
    assert "interval unknown" in figures(found.model_copy(update={"sets": {"fim": one}}), 78).plain
