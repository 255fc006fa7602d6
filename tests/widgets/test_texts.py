"""Foreign text in widgets: compared, wrapped, searched, and never acted on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import pytest
from textual.app import App, ComposeResult
from textual.widget import Widget

from duotune.widgets.differences import MOST_LINES, code, compared
from duotune.widgets.interval import interval_bar
from duotune.widgets.log_view import LogView
from duotune.widgets.tab_line import TabLine

W = TypeVar("W", bound=Widget)


def shown(widget: W, play: Callable[[W, Any], Awaitable[None]], size: tuple[int, int] = (40, 10)) -> None:
    class Bare(App[None]):
        def compose(self) -> ComposeResult:
            yield widget

    async def run() -> None:
        async with Bare().run_test(size=size) as pilot:
            await play(widget, pilot)

    asyncio.run(run())


def rows(pilot: Any) -> list[str]:
    return [strip.text.rstrip() for strip in pilot.app.screen._compositor.render_strips()]


def test_each_line_of_an_answer_has_a_sign_that_says_how_it_compares() -> None:
    wanted = "def total(items):\n    value = 0\n    return value"
    answer = "def total(items):\n    value = 1\n    return value\n    print(value)"
    assert compared(answer, wanted).plain.split("\n") == [
        "= def total(items):",
        "~     value = 1",
        "=     return value",
        "+     print(value)",
    ]
    assert compared("def total(items):", wanted).plain.split("\n")[1:] == ["-     value = 0", "-     return value"]


def test_what_differs_within_a_line_is_underlined() -> None:
    text = compared("value = 1", "value = 0")
    marked = [text.plain[span.start : span.end] for span in text.spans if "underline" in str(span.style)]
    assert marked == ["1"]


def test_control_characters_and_markup_of_an_answer_are_literal() -> None:
    assert code("[red]a[/red]\x1b[2J\r\n\tb\u202e").plain == "  [red]a[/red]\\x1b[2J\n      b\\u202e"


def test_of_very_long_texts_the_first_lines_are_shown_and_the_others_counted() -> None:
    text = compared("x\n" * 5_000, "x").plain
    assert text.startswith("= x\n+ x\n")
    assert text.count("x") == MOST_LINES
    assert text.endswith(f"and {5_001 - MOST_LINES:,} more lines")
    assert code("y" * 10_000).plain.endswith("and 8,000 more")


def test_interval_bars_stand_left_or_right_of_zero_or_across_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert interval_bar(0.5, 0.2, 1.0, 1.0, 21, "").plain == "··········│·├──●────┤"
    assert interval_bar(-0.5, -1.0, 0.5, 1.0, 21, "").plain == "├────●────┼────┤·····"
    assert interval_bar(0.0, 0.0, 0.0, 1.0, 11, "").plain == "·····●·····"
    assert interval_bar(9.0, 5.0, 99.0, 1.0, 11, "").plain == "·····│····●"
    monkeypatch.setenv("DUOTUNE_ASCII", "1")
    assert interval_bar(-0.5, -1.0, 0.5, 1.0, 21, "").plain.isascii()


def test_log_follows_until_somebody_scrolls_back() -> None:
    async def play(view: LogView, pilot: Any) -> None:
        view.focus()
        view.add([f"line {number}" for number in range(50)])
        await pilot.pause()
        assert "line 49" in rows(pilot)[-1]
        await pilot.press("home")
        await pilot.pause()
        view.add(["newest"])
        await pilot.pause()
        assert "line 0" in rows(pilot)[0]
        await pilot.press("end")
        await pilot.pause()
        view.add(["newer still"])
        await pilot.pause()
        assert "newer still" in rows(pilot)[-1]

    shown(LogView(), play)


def test_log_wraps_long_lines_and_keeps_a_bounded_number() -> None:
    async def play(view: LogView, pilot: Any) -> None:
        view.add(["é" * 100])
        await pilot.pause()
        assert sum(row.count("é") for row in rows(pilot)) == 100
        view.add([str(number) for number in range(5_000)])
        assert view.found == (2_000, 2_000)
        await pilot.resize_terminal(20, 5)
        await pilot.pause()
        assert "4999" in rows(pilot)[-1]

    shown(LogView(), play)


@pytest.mark.parametrize(
    ("line", "wrapped"),
    [
        ("step 250: peak_memory_bytes=1", ["step 250: ", "peak_memory_bytes=1"]),
        ("a word that fills it and is", ["a word that fills it", "and is"]),
        ("sha " + "f" * 30, ["sha " + "f" * 16, "f" * 14]),
        ("        indented_longer", ["        indented_lon", "ger"]),
        ("größe größe größe größe", ["größe größe größe ", "größe"]),
        ("文" * 12, ["文" * 10, "文" * 2]),
        ("文" * 8 + " " + "文" * 4, ["文" * 8 + " ", "文" * 4]),
        ("\u0301" * 30, ["\u0301" * 30]),
    ],
)
def test_log_wraps_at_spaces_where_there_are_any(line: str, wrapped: list[str]) -> None:
    async def play(view: LogView, pilot: Any) -> None:
        await pilot.resize_terminal(23, 5)
        await pilot.pause()
        assert view.scrollable_content_region.width == 20
        view.add([line])
        assert view.rows == wrapped

    shown(LogView(), play)


def test_search_shows_matching_lines_alone_whatever_their_case() -> None:
    async def play(view: LogView, pilot: Any) -> None:
        view.add(["step 1: loss 3", "checkpoint", "Step 2: loss 2"])
        view.look_for("STEP")
        await pilot.pause()
        assert view.rows == ["step 1: loss 3", "Step 2: loss 2"]
        assert view.found == (2, 3)
        view.look_for("")
        assert len(view.rows) == 3

    shown(LogView(), play)


def test_tabs_are_chosen_by_arrows_and_clicks_and_the_chosen_one_stands_in_brackets() -> None:
    chosen: list[str] = []

    class Tabs(TabLine):
        def on_tab_line_chosen(self, event: TabLine.Chosen) -> None:
            chosen.append(event.key)

    async def play(tabs: TabLine, pilot: Any) -> None:
        tabs.focus()
        tabs.show({"a": "One", "b": "Two", "c": "Three"}, "a")
        await pilot.pause()
        assert rows(pilot)[0] == " [One] Two  Three"
        await pilot.press("right", "right", "left", "left", "left")  # a burst counts whole
        assert chosen == ["b", "c", "b", "a", "c"]
        await pilot.click(TabLine, offset=(7, 0))
        await pilot.pause()
        assert chosen[-1] == "b"

    shown(Tabs(), play)


def test_tabs_that_do_not_fit_give_way_to_the_chosen_one() -> None:
    async def play(tabs: TabLine, pilot: Any) -> None:
        tabs.show({str(number): f"number {number}" for number in range(9)}, "8")
        await pilot.pause()
        assert "[number 8]" in rows(pilot)[0]

    shown(TabLine(), play)
