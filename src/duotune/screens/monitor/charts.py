"""Which charts there are, and what each draws from what a run has measured."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from duotune.runs.history import Bucket
from duotune.widgets.plot import Axes, Dot, Line

Curves = Mapping[str, Sequence[Bucket]]


@dataclass(frozen=True)
class Chart:
    """One chart.

    Attributes:
        tab: Its name on the tab.
        curves: Metric, name and whether it is drawn as markers, of each.
        x: What its horizontal axis counts.
        show: A value in words.
        logarithmic: Whether a logarithmic axis makes sense.
        from_zero: Its vertical axis begins at zero.
        unit: What one on the vertical axis stands for.
    """

    tab: str
    curves: tuple[tuple[str, str, bool], ...]
    x: Literal["step", "minutes"] = "step"
    show: Callable[[float], str] = "{:.4g}".format
    logarithmic: bool = False
    from_zero: bool = False
    unit: float = 1.0


GIB = 2.0**30
MEMORY = "memory"
CHARTS: Mapping[str, Chart] = {
    "loss": Chart("Loss", (("loss", "loss", False), ("validation_loss", "validation loss", True)), logarithmic=True),
    "answers": Chart(
        "Answers",
        (("edit_similarity", "similarity of answers", False), ("bad_responses", "share of bad ones", True)),
        x="minutes",
        from_zero=True,
    ),
    "rate": Chart("Learning rate", (("learning_rate", "learning rate", False),), show="{:.3g}".format, from_zero=True),
    "speed": Chart(
        "Speed", (("tokens_per_second", "tokens trained on per second", False),), show="{:,.0f}".format, from_zero=True
    ),
    MEMORY: Chart(
        "Memory",
        (("peak_memory_bytes", "highest so far", False),),
        x="minutes",
        show="{:.3g} GiB".format,
        from_zero=True,
        unit=GIB,
    ),
}
"""By key, in the order of the tabs. One whose metrics were never measured is not offered."""


def offered(curves: Curves) -> list[str]:
    """Keys of the charts that there are figures for."""
    return [key for key, chart in CHARTS.items() if any(curves.get(metric) for metric, _, _ in chart.curves)]


def lines(chart: Chart, curves: Curves) -> list[Line]:
    """What a chart draws."""
    return [
        Line(name, [_dot(bucket, chart) for bucket in curves[metric]], markers)
        for metric, name, markers in chart.curves
        if curves.get(metric)
    ]


def axes(chart: Chart, total_steps: int, log: bool, smooth: bool) -> Axes:
    """How it is drawn.

    Args:
        chart: Which.
        total_steps: Optimizer steps of the whole run, so that the curve shows how far it is; 0 when unknown.
        log: A person wants a logarithmic axis.
        smooth: A person wants smooth lines.
    """
    minutes = chart.x == "minutes"
    return Axes(
        x_label=chart.x,
        x_end=0.0 if minutes else float(total_steps),
        show_x="{:,.3g}".format if minutes else "{:,.0f}".format,
        show_y=chart.show,
        show_value=chart.show,
        log=log and chart.logarithmic,
        smooth=smooth,
        from_zero=chart.from_zero,
    )


def _dot(bucket: Bucket, chart: Chart) -> Dot:
    x = bucket.step if chart.x == "step" else bucket.minutes
    return Dot(x, bucket.low / chart.unit, bucket.high / chart.unit, bucket.mean / chart.unit)
