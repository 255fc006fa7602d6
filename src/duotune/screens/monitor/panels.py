"""The panels under the monitor's tabs that are more than a text: the chart and the log with its search."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input, Static

from duotune.screens.monitor.charts import CHARTS, GIB, MEMORY, Curves, axes, lines
from duotune.screens.monitor.reading import MemoryInUse
from duotune.widgets.line_chart import LineChart
from duotune.widgets.log_view import LogView
from duotune.widgets.plot import Axes, Dot, Line

MOST_SAMPLES = 1_024
_WATCHED = Axes(
    x_label="minutes watched",
    show_x="{:,.3g}".format,
    show_y=CHARTS[MEMORY].show,
    show_value=CHARTS[MEMORY].show,
    from_zero=True,
)


class RunChart(LineChart):
    """The chosen chart of a run, logarithmic and smooth as a person wants it.

    Attributes:
        logarithmic: Whether charts that can be are logarithmic.
        smooth: Whether lines are smoothed.
    """

    logarithmic = False
    smooth = False

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self._drawn: object = None
        self._samples: list[tuple[float, MemoryInUse]] = []

    def sample(self, minutes: float, memory: MemoryInUse) -> None:
        """Keep a reading of the GPU's memory, taken so many minutes after the screen was opened."""
        self._samples.append((minutes, memory))
        if len(self._samples) > MOST_SAMPLES:
            self._samples = self._samples[::2]

    @property
    def has_samples(self) -> bool:
        """Whether there are readings enough for a curve."""
        return len(self._samples) > 1

    def show_chart(self, key: str, curves: Curves, total_steps: int) -> None:
        """Draw a chart; nothing is done where nothing has changed."""
        chart = CHARTS[key]
        figures = {metric: curves[metric] for metric, _, _ in chart.curves if curves.get(metric)}
        wanted = (key, figures, total_steps, self.logarithmic, self.smooth, len(self._samples), self._samples[-1:])
        if wanted == self._drawn:
            return
        self._drawn = wanted
        if key == MEMORY and self.has_samples:
            self.show(self._memory(), _WATCHED)
        else:
            self.show(lines(chart, curves), axes(chart, total_steps, self.logarithmic, self.smooth))

    def _memory(self) -> list[Line]:
        held = [(at, sample.by_runs / GIB, sample.in_use / GIB) for at, sample in self._samples]
        number = self._samples[-1][1].gpu
        return [
            Line(f"GPU {number}: held by runs", [Dot(at, ours, ours, ours) for at, ours, _ in held]),
            Line("in use by all", [Dot(at, every, every, every) for at, _, every in held], markers=True),
        ]


class LogPanel(Vertical):
    """The log, and the field that searches it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "all_lines", "All lines", id="log.all", show=False),
    ]

    def compose(self) -> ComposeResult:
        """The field is there while something is searched."""
        yield Input(placeholder="show lines that contain … (enter keeps them, escape shows all)", compact=True)
        yield Static("", id="found", markup=False)
        yield LogView()

    def on_mount(self) -> None:
        """Nothing is searched yet."""
        self._show_field(False)

    def add(self, fresh: Sequence[str]) -> None:
        """Take new lines."""
        self.query_one(LogView).add(fresh)
        self._count()

    def begin_search(self) -> None:
        """Show the field and type into it."""
        self._show_field(True)
        self.query_one(Input).focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Search as it is typed."""
        self.query_one(LogView).look_for(event.value)
        self._count()

    def on_input_submitted(self) -> None:
        """Keep what matches, and scroll in it."""
        self.query_one(LogView).focus()
        self._show_field(bool(self.query_one(Input).value))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Escape goes back to where the screen came from when nothing is searched."""
        return self.query_one(Input).display if action == "all_lines" and self.is_mounted else True

    def action_all_lines(self) -> None:
        """End the search."""
        self.query_one(Input).value = ""
        self._show_field(False)
        self.query_one(LogView).focus()

    def _show_field(self, shown: bool) -> None:
        self.query_one(Input).display = shown
        self.query_one("#found").display = shown
        self._count()

    def _count(self) -> None:
        view = self.query_one(LogView)
        if view.search:
            shown, of = view.found
            self.query_one("#found", Static).update(f"{shown:,} of the last {of:,} lines")
