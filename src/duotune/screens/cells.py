"""Runs, adapters and checks as cells and lines, wherever they are shown."""

from __future__ import annotations

import time
from datetime import datetime

from rich.text import Text
from textual.content import Content

from duotune.adapters.verify import Check
from duotune.catalog.adapters import Version
from duotune.errors import printable
from duotune.runs.state import RunState
from duotune.runs.wording import in_words
from duotune.widgets.glyphs import glyphs
from duotune.widgets.meter import bar
from duotune.widgets.rows import Cell

BAR = 8


def run_cells(state: RunState) -> tuple[Cell, ...]:
    """Run, state, progress, time left, verdict, start."""
    verdict = str(state.evaluation.get("verdict", "")) if isinstance(state.evaluation, dict) else ""
    left = in_words(state.eta_seconds) if state.state == "running" and state.eta_seconds is not None else ""
    return (
        shortened(state.run),
        state_sign(state.state),
        _progress(state),
        left,
        verdict_sign(verdict),
        when(state.created_at),
    )


def adapter_cells(version: Version) -> tuple[Cell, ...]:
    """Name, verdict, state, age."""
    state = glyphs().good + " published" if version.state == "published" else "withheld"
    return (version.name, verdict_sign(version.verdict), state, when(version.created_at))


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


def when(seconds: float | None) -> str:
    """Day and time; of today the time alone."""
    if not seconds:
        return ""
    then = datetime.fromtimestamp(seconds)
    return then.strftime("%H:%M" if then.date() == datetime.fromtimestamp(time.time()).date() else "%Y-%m-%d %H:%M")


def _progress(state: RunState) -> str:
    if state.waiting_for:
        return f"waits for {state.waiting_for.device}"
    if state.ended:
        worked = sum(stage.seconds for stage in state.stages)
        return (
            f"in {in_words(worked)}" if state.state == "finished" else f"in stage {state.stage}" if state.stage else ""
        )
    finished = sum(stage.state == "finished" for stage in state.stages)
    current = state.progress.done / state.progress.total if state.progress and state.progress.total else 0.0
    return f"{bar((finished + min(current, 1.0)) / max(1, len(state.stages)), BAR)} {state.stage or 'starting'}"
