"""Charts: drawn right, at every size, and cheap for the terminal."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from itertools import pairwise
from typing import Any

import pytest
from textual.app import App, ComposeResult
from textual.geometry import Region

from duotune.widgets.line_chart import LineChart
from duotune.widgets.plot import BASE, Axes, Dot, Line, nice_step, plot, smoothed


def dots(*values: float) -> list[Dot]:
    return [Dot(x, value, value, value) for x, value in enumerate(values)]


FALLING = Line("loss", dots(*[4 * math.exp(-x / 10) + 0.5 for x in range(41)]))
CHECKS = Line("validation", dots(4, 3, 2), markers=True)


def braille_rows(rows: list[str]) -> list[int]:
    """The row of the highest dot of each column of cells right of the axis, -1 for none."""
    found = []
    gutter = next(row.index("┤") for row in rows if "┤" in row) + 1
    for column in range(gutter, len(rows[0])):
        marked = [number for number, row in enumerate(rows) if BASE < ord(row[column]) <= BASE + 255]
        found.append(marked[0] if marked else -1)
    return found


def test_a_falling_curve_goes_from_the_upper_left_to_the_lower_right() -> None:
    rows = plot([FALLING], 60, 14, Axes(x_end=40), braille=True)
    tops = [row for row in braille_rows(rows) if row >= 0]
    assert tops == sorted(tops)
    assert tops[0] == 1
    assert tops[-1] == 11


def test_every_size_down_to_one_cell_gives_that_many_cells() -> None:
    for width in range(40):
        for height in range(12):
            for axes in (Axes(), Axes(log=True), Axes(smooth=True, from_zero=True)):
                rows = plot([FALLING, CHECKS], width, height, axes, braille=bool(width % 2))
                assert [len(row) for row in rows] == ([width] * height if width else [])


def test_two_curves_are_told_apart_by_line_and_markers_and_named() -> None:
    rows = plot([FALLING, CHECKS], 60, 14, Axes(x_end=40), braille=True)
    assert rows[0].startswith("── loss 0.5733   ● validation 2")
    assert sum(row.count("●") for row in rows[1:]) == 3


def test_ascii_chart_holds_nothing_but_ascii() -> None:
    rows = plot([FALLING, CHECKS], 60, 14, Axes(x_end=40, log=True), braille=False)
    assert all(row.isascii() for row in rows)
    assert "*" in "".join(rows[1:])
    assert "." in "".join(rows[1:-2])


def test_horizontal_axis_reaches_to_the_end_of_the_run_and_vertical_figures_enclose_the_curve() -> None:
    rows = plot([FALLING], 70, 16, Axes(x_end=400), braille=True)
    assert rows[-1].split() == ["0", "step", "200", "400"]
    figures = [float(row.split("┤")[0]) for row in rows if "┤" in row]
    assert figures == sorted(figures, reverse=True)
    assert 4 <= figures[0] <= 5
    assert 0 <= figures[-1] <= 1
    assert braille_rows(rows)[0] == 1, "the highest point is at the top"
    drawn = [column for column, row in enumerate(braille_rows(rows)) if row >= 0]
    assert max(drawn) < 20, "a tenth of the run fills a tenth of the chart"


def test_logarithmic_axis_makes_an_exponential_straight_and_leaves_out_what_is_not_positive() -> None:
    line = Line("loss", dots(*[10 ** (-x / 10) for x in range(41)], 0.0, -1.0))
    rows = plot([line], 60, 20, Axes(log=True), braille=True)
    tops = [row for row in braille_rows(rows) if row >= 0]
    drops = [after - before for before, after in pairwise(tops)]
    assert max(drops) <= 1
    assert any(row.lstrip().startswith("0.01") for row in rows)


def test_smoothing_takes_out_noise_without_a_pull_to_zero_and_spares_markers() -> None:
    noisy = dots(*[3 + (-1) ** x for x in range(200)])
    calm = smoothed(noisy)
    assert calm[0].middle == 4.0
    assert all(abs(dot.middle - 3) < 0.3 for dot in calm[20:])
    rows = plot([Line("a", noisy), CHECKS], 60, 14, Axes(smooth=True), braille=True)
    assert "(smoothed)" in rows[0]
    assert "● validation 2" in rows[0]


def test_a_bucket_of_many_points_shows_its_extremes() -> None:
    line = Line("loss", [Dot(0, 1, 1, 1), Dot(5, 1, 9, 1.1), Dot(10, 1, 1, 1)])
    rows = plot([line], 40, 14, Axes(), braille=True)
    middle = [row for row in braille_rows(rows) if row >= 0]
    assert min(middle) < max(middle) - 6


@pytest.mark.parametrize("value", [0.0, -5.0, 1e-12, 3e15])
def test_a_single_point_and_flat_curves_have_an_axis(value: float) -> None:
    assert len(plot([Line("flat", dots(value, value))], 60, 12, Axes(), braille=True)) == 12


@pytest.mark.parametrize(("span", "most", "step"), [(10, 5, 2), (0.9, 3, 0.5), (1, 1, 1), (73, 9, 10), (3e-4, 3, 1e-4)])
def test_steps_of_axes_are_round(span: float, most: int, step: float) -> None:
    assert nice_step(span, most) == pytest.approx(step)


class Bare(App[None]):
    def compose(self) -> ComposeResult:
        yield LineChart()


def on_a_screen(play: Callable[[LineChart, Any], Awaitable[None]], size: tuple[int, int] = (80, 24)) -> None:
    async def run() -> None:
        app = Bare()
        async with app.run_test(size=size) as pilot:
            await play(app.query_one(LineChart), pilot)

    asyncio.run(run())


def test_one_more_point_repaints_the_cells_that_changed_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    painted: list[Region] = []
    refresh = LineChart.refresh

    def spy(self: LineChart, *regions: Region, **how: bool) -> LineChart:
        painted.extend(regions)
        return refresh(self, *regions, **how)

    async def play(chart: LineChart, pilot: Any) -> None:
        chart.show([FALLING], Axes(x_end=400))
        await pilot.pause()
        painted.clear()
        chart.show([Line("loss", [*FALLING.dots, Dot(41, 0.56, 0.56, 0.56)])], Axes(x_end=400))
        assert painted
        assert sum(region.area for region in painted) < 40
        painted.clear()
        chart.show([Line("loss", [*FALLING.dots, Dot(41, 0.56, 0.56, 0.56)])], Axes(x_end=400))
        assert not painted

    monkeypatch.setattr(LineChart, "refresh", spy)
    on_a_screen(play)


def test_what_stands_on_the_screen_is_what_was_drawn_after_resizing_too() -> None:
    async def play(chart: LineChart, pilot: Any) -> None:
        chart.show([FALLING], Axes(x_end=40))
        for size in ((80, 24), (1, 1), (3, 2), (200, 50), (30, 9)):
            await pilot.resize_terminal(*size)
            await pilot.pause()
            strips = pilot.app.screen._compositor.render_strips()
            assert [strip.text for strip in strips] == [row.ljust(size[0]) for row in chart.rows]
            assert len(chart.rows) == size[1]

    on_a_screen(play)
