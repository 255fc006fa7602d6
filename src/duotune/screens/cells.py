"""Runs, adapters and checks as cells and lines, wherever they are shown."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import datetime

from rich.text import Text
from textual.content import Content

from duotune.adapters.verify import Check
from duotune.catalog.adapters import Version
from duotune.errors import printable
from duotune.runs.outcomes import verdict
from duotune.runs.standing import share_of_run, time_left
from duotune.runs.state import RunState
from duotune.runs.wording import in_words
from duotune.widgets.glyphs import glyphs
from duotune.widgets.meter import bar
from duotune.widgets.rows import Cell

BAR = 8
SHORT_BAR = 6
GAP = 2
"""Cells of a table that stay empty for each column."""
RUN_COLUMNS = {"run": 0, "state": 10, "run so far": 20, "left": 12, "verdict": 13, "started": 16}
SHORT_RUN_COLUMNS = {"run": 0, "state": 10, "run so far, or verdict": 24, "started": 12}
"""Columns, with the cells that the widest of what stands in them takes; a run's name takes what they leave."""
ADAPTER_COLUMNS = {"adapter": 0, "verdict": 13, "state": 11, "trained": 12}
_LONGEST_RUN, _ROOM_FOR_ALL = 44, 112


def run_columns(width: int) -> dict[str, int]:
    """Those of a table of runs that is so wide, scrollbar aside."""
    return RUN_COLUMNS if width >= _ROOM_FOR_ALL else SHORT_RUN_COLUMNS


def run_cells(state: RunState, width: int) -> tuple[Cell, ...]:
    """A run in the columns of a table that is so wide; where there is little room it goes by its name."""
    columns = run_columns(width)
    room = min(_room(columns, width), _LONGEST_RUN)
    found, sign = verdict(state), state_sign(state.state)
    if columns == RUN_COLUMNS:
        cells = (_progress(state), time_left(state), verdict_sign(found), when(state.created_at))
        return (shortened(state.run, room), sign, *cells)
    told = verdict_sign(found) if found and state.state == "finished" else _short_progress(state)
    return (shortened(state.name or state.run, room), sign, told, when(state.created_at, short=True))


def _room(columns: Mapping[str, int], width: int) -> int:
    return max(width - sum(columns.values()) - GAP * len(columns), 8)


def adapter_cells(version: Version, width: int) -> tuple[Cell, ...]:
    """Name, verdict, state, age, for a table that is so wide."""
    state = glyphs().good + " published" if version.state == "published" else "withheld"
    name = shortened(version.name, _room(ADAPTER_COLUMNS, width))
    return (name, verdict_sign(version.verdict), state, when(version.created_at, short=True))


def shortened(name: str, width: int = 44) -> str:
    """A name that is too long for a column, without its middle: beginning and end tell runs apart."""
    mark = glyphs().waiting
    half = (width - len(mark)) // 2
    return name if len(name) <= width else f"{name[:half]}{mark}{name[-half:]}"


def state_sign(state: str) -> Text:
    """A run's state with a sign that says the same."""
    signs = glyphs()
    sign, style = {
        "running": (signs.running, "bold"),
        "queued": (signs.waiting, ""),
        "finished": (signs.good, "green"),
        "failed": (signs.bad, "red"),
        "lost": (signs.bad, "red"),
    }.get(state, (signs.bullet, "yellow"))
    return Text(f"{sign} {state}", style)


def verdict_sign(verdict: str) -> Text:
    """A verdict with a sign that says the same; nothing without one."""
    signs = glyphs()
    sign, style = {"better": (signs.good, "green"), "harmful": (signs.bad, "red")}.get(
        verdict, (signs.warning, "yellow")
    )
    return Text(f"{sign} {verdict}", style) if verdict else Text()


def check_line(check: Check) -> Content:
    """A check: sign, name, and what was found."""
    signs = glyphs()
    sign, style = (signs.bad, "$text-error") if not check.ok else (signs.good, "$text-success")
    if check.warning:
        sign, style = signs.warning, "$text-warning"
    return Content.assemble((f"{sign} ", style), (f"{check.name}: ", "bold"), printable(check.detail))


def when(seconds: float | None, short: bool = False) -> str:
    """Day and time; of today the time alone.

    Args:
        seconds: Since 1970; None and 0 are of no day.
        short: In twelve cells at most: `22 Nov 14:54`, of other years `22 Nov 2025`.
    """
    if not seconds:
        return ""
    then, now = datetime.fromtimestamp(seconds), datetime.fromtimestamp(time.time())
    if then.date() == now.date():
        return then.strftime("%H:%M")
    if not short:
        return then.strftime("%Y-%m-%d %H:%M")
    return f"{then.day} {then.strftime('%b %H:%M' if then.year == now.year else '%b %Y')}"


def _progress(state: RunState) -> str:
    """How far the whole run is, or where it ended."""
    if state.waiting_for:
        device = state.waiting_for.device
        return f"waits for {device if len(device) <= 10 else device[:9] + glyphs().waiting}"
    if state.state == "finished":
        return f"in {in_words(sum(stage.seconds for stage in state.stages))}"
    if state.ended:
        return f"in stage {state.stage}" if state.stage else ""
    return f"{bar(share_of_run(state), BAR)} {state.stage or 'starting'}"


def _short_progress(state: RunState) -> str:
    """The same with the time left."""
    if state.ended or state.waiting_for:
        return _progress(state)
    share = share_of_run(state)
    left = f"{int(share * 100)} %" if state.eta_seconds is None else f"{time_left(state)} left"
    return f"{bar(share, SHORT_BAR)} {left}"
