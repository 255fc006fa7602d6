"""Pictures of what text alone does not tell: colours, bars and charts; `pytest --snapshot-update` takes them anew.

They are of parts that hold no time, path or figure of this host. Look at a picture that changed before you keep it.
"""

from __future__ import annotations

import asyncio
import math
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.image import SVGImageSnapshotExtension
from textual.app import App, ComposeResult
from textual.containers import VerticalScroll
from textual.widget import Widget
from textual.widgets import Input, Static

from duotune import app as duotune_app
from duotune.evaluation.score import summarise_groups
from duotune.screens.evaluation import figures
from duotune.widgets.line_chart import LineChart
from duotune.widgets.plot import Axes, Dot, Line
from support.app import Session, drive
from support.projects import make_project
from support.watched import evaluation, example
from support.wizard import add_project, next_step, open_wizard

WIDTH = 76


@pytest.fixture
def picture(snapshot: SnapshotAssertion, monkeypatch: pytest.MonkeyPatch) -> SnapshotAssertion:
    """What a picture must equal."""
    monkeypatch.setattr("socket.gethostname", lambda: "gpu-host")
    return snapshot.use_extension(SVGImageSnapshotExtension)


class Shown(App[None]):
    """A widget in the app's own colours.

    Args:
        widget: Which.
        theme_name: Of the colours.
    """

    CSS_PATH = Path(duotune_app.__file__).with_name("assets") / "app.tcss"

    def __init__(self, widget: Widget, theme_name: str) -> None:
        super().__init__()
        self._widget, self._theme_name = widget, theme_name

    def compose(self) -> ComposeResult:
        yield self._widget

    def on_mount(self) -> None:
        self.theme = self._theme_name


def drawn(widget: Widget, theme: str = "textual-dark") -> str:
    """The widget on a terminal of 80x50."""

    async def draw() -> str:
        app = Shown(widget, theme)
        async with app.run_test(size=(80, 50)) as pilot:
            await pilot.pause()
            return app.export_screenshot(title="duotune", simplify=True)

    return asyncio.run(draw())


def compared() -> Static:
    """Figures of sets, then by language."""
    items = [
        example(number, 0.3, 0.3 + 0.02 * number, path=f"{number}.py", language="Go" if number > 9 else "Python")
        for number in range(14)
    ]
    groups = summarise_groups(items, seed=0).languages
    sets = figures.figures(evaluation(), WIDTH)
    return Static(sets.append("\n\n").append(figures.groups("language", groups, True, WIDTH)))


@pytest.mark.parametrize("theme", ["textual-dark", "textual-light"])
def test_intervals(picture: SnapshotAssertion, theme: str) -> None:
    assert drawn(VerticalScroll(compared()), theme) == picture


def test_intervals_in_ascii(picture: SnapshotAssertion, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DUOTUNE_ASCII", "1")
    assert drawn(VerticalScroll(compared())) == picture


def test_chart(picture: SnapshotAssertion) -> None:
    falling = [4 * math.exp(-x / 10) + 0.5 + 0.2 * math.sin(x) for x in range(60)]
    chart = LineChart()
    chart.show(
        [
            Line("loss", [Dot(x, value, value, value) for x, value in enumerate(falling)]),
            Line("validation", [Dot(x, y, y, y) for x, y in ((0, 4.4), (20, 1.3), (40, 0.8))], markers=True),
        ],
        Axes(x_end=60),
    )
    assert drawn(chart) == picture


def test_help_over_a_place(picture: SnapshotAssertion) -> None:
    async def play(session: Session) -> None:
        await session.press("2", "f1")
        assert session.app.export_screenshot(title="duotune", simplify=True) == picture

    drive(play)


def test_sliders_of_the_wizard(picture: SnapshotAssertion, tmp_path: Path) -> None:
    source = make_project(tmp_path / "code")

    async def play(session: Session) -> None:
        await open_wizard(session)
        await add_project(session, source)
        await next_step(session, "Files")
        await next_step(session, "Data")
        for field in session.app.screen.query(Input):
            field.cursor_blink = False  # a picture is of one moment
        await session.settle()
        assert session.app.export_screenshot(title="duotune", simplify=True) == picture

    drive(play)
