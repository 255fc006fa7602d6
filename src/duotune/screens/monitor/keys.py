"""What can be done with a run now: only that has a key."""

from __future__ import annotations

from duotune.screens.monitor.charts import CHARTS
from duotune.screens.monitor.reading import Seen
from duotune.screens.monitor.tabs import LOG, report_of

ACTIONS: tuple[tuple[str, tuple[object, ...]], ...] = (
    ("stop", ()),
    ("resume", ()),
    ("evaluation", ()),
    ("report", ()),
    ("search", ()),
    ("draw", ("logarithmic",)),
    ("draw", ("smooth",)),
)
"""Those that come and go, with their parameters."""


def possible(action: str, parameters: tuple[object, ...], seen: Seen | None, tab: str, stopping: bool) -> bool:
    """Whether something can be done.

    Args:
        action: What.
        parameters: Of the action.
        seen: What was seen of the run; None when there is nothing to see, or no run any more.
        tab: What is shown.
        stopping: The run was asked to stop.
    """
    match action:
        case "stop":
            return seen is not None and not seen.state.ended and not stopping
        case "resume":
            return seen is not None and seen.state.state in ("stopped", "failed", "lost")
        case "evaluation":
            return seen is not None and bool(seen.state.evaluation)
        case "report":
            return seen is not None and report_of(seen, tab) is not None
        case "draw":
            return tab in CHARTS and (parameters != ("logarithmic",) or CHARTS[tab].logarithmic)
        case "search":
            return tab == LOG
    return True
