"""The monitor's tabs: only those that there is something for, and the one that suits a run best."""

from __future__ import annotations

from pathlib import Path

from duotune.screens.monitor.charts import CHARTS, MEMORY, offered
from duotune.screens.monitor.reading import DATA, OVERVIEW, Seen

LOG, LOSS = "log", "loss"


def tabs_of(seen: Seen, has_samples: bool) -> dict[str, str]:
    """Names by key, in their order.

    Args:
        seen: What was seen of the run.
        has_samples: The GPU's memory was read often enough for a curve.
    """
    charts = offered(seen.curves)
    if MEMORY not in charts and has_samples:
        charts.append(MEMORY)
    tabs = {OVERVIEW: "Overview", **{key: CHARTS[key].tab for key in charts}}
    if "prepare" in seen.state.results:
        tabs[DATA] = "Data"
    if seen.has_log:
        tabs[LOG] = "Log"
    return tabs


def suiting(seen: Seen) -> str:
    """The tab to begin with: the loss while it falls, else the run in words."""
    trains = seen.state.state == "running" and seen.state.stage == "train"
    return LOSS if trains and LOSS in offered(seen.curves) else OVERVIEW


def report_of(seen: Seen, tab: str) -> Path | None:
    """The page for people that belongs to a tab: of the files in Data, else of the evaluation; None without any."""
    about = (DATA, OVERVIEW) if tab == DATA else (OVERVIEW, DATA)
    return next((seen.reports[name] for name in about if name in seen.reports), None)
