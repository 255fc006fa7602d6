"""A table's columns: as wide as their texts, and where there is no room those give way that may."""

from __future__ import annotations

import asyncio

from rich.text import Text
from textual.app import App, ComposeResult

from duotune.widgets.rows import Rows

DEEP = "src/main/java/org/example/" + "deep/" * 10 + "One.java"


class Alone(App[None]):
    """A table and nothing else."""

    def compose(self) -> ComposeResult:
        yield Rows("name", "words", "file", yielding=("words", "file"), paths=("file",))


def shown_at(*widths: int) -> list[list[str]]:
    """The first row's texts as they are painted at each width, one after the other."""
    found: list[list[str]] = []

    async def run() -> None:
        app = Alone()
        async with app.run_test(size=(widths[0], 10)) as pilot:
            table = app.query_one(Rows)
            table.show({"one": ("a-long-name", "some words that are many and take room", DEEP)})
            for width in widths:
                await pilot.resize_terminal(width, 10)
                await pilot.pause()
                strips = app.screen._compositor.render_strips()
                found.append([strips[1].text.rstrip(), strips[0].text.rstrip()])

    asyncio.run(run())
    return found


def test_texts_end_in_a_mark_and_paths_begin_with_one_where_there_is_no_room() -> None:
    (narrow, _), (wide, _), (again, _) = shown_at(60, 200, 60)
    assert "a-long-name" in narrow
    assert narrow.endswith("One.java")
    assert narrow.count("…") == 2
    assert len(narrow) <= 60
    assert wide.endswith(DEEP)
    assert "…" not in wide
    assert again == narrow


def test_a_text_that_only_changes_its_looks_is_shown_anew() -> None:
    async def run() -> None:
        app = Alone()
        async with app.run_test(size=(60, 10)):
            table = app.query_one(Rows)
            table.show({"one": (Text("name", "dim"), "", "")})
            table.show({"one": (Text("name", "bold"), "", "")})
            assert table.get_cell("one", "0").style == "bold"

    asyncio.run(run())


def test_columns_give_way_by_turns_however_long_their_texts_are() -> None:
    async def run() -> None:
        app = Alone()
        async with app.run_test(size=(60, 10)) as pilot:
            table = app.query_one(Rows)
            table.show({"one": ("name", "w" * 50_000, "f" * 100_000)})
            await pilot.pause()
            name, words, file = (column.width for column in table.ordered_columns)
            assert name + words + file == 60 - 6
            assert abs(words - file) <= 1

    asyncio.run(run())
