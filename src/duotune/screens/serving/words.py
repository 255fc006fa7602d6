"""Status, plan and outcome of serving as text."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from rich.text import Text
from textual.content import Content

from duotune.catalog.deployments import Deployment
from duotune.errors import printable
from duotune.runs.wording import counted, in_gib, in_words
from duotune.screens.cells import check_line, when
from duotune.screens.serving.reading import Planned, Served
from duotune.widgets.glyphs import glyphs
from duotune.widgets.rows import Cell

LABEL = 12
SHOWN = 12


def status_text(found: Served) -> Content:
    """What serves now."""
    return Content("\n").join(_fact(label, text) for label, text in _status(found))


def plan_text(found: Planned) -> Content:
    """What would be served, what changes, and every check."""
    plan = found.plan
    failed = len(plan.refusals())
    title = f"This would be refused: {counted(failed, 'check')} did not hold." if failed else plan.change.why
    lines = [Content.styled(title, "bold $text-error" if failed else "bold $text-success"), Content("")]
    lines += [_fact(label, text) for label, text in _plan(found)]
    lines += [Content(""), *map(check_line, sorted(plan.checks, key=lambda check: (check.ok, not check.warning)))]
    if plan.change.diff:
        lines += [Content(""), *map(_diff_line, plan.change.diff.splitlines())]
    return Content("\n").join(lines)


def generation_cells(one: Deployment) -> tuple[Cell, ...]:
    """A deployment as a row: number, state, time, by whom, adapters, why it failed."""
    signs = glyphs()
    sign, style = {
        "serving": (signs.running, "green"),
        "failed": (signs.bad, "red"),
        "applying": (signs.waiting, "yellow"),
    }.get(one.state, (signs.bullet, ""))
    adapters = ", ".join(f"{name}.v{version}" for name, version in one.versions) or "base model alone"
    return (str(one.id), Text(f"{sign} {one.state}", style), when(one.created_at), one.applied_by, adapters, one.reason)


def _status(found: Served) -> Iterator[tuple[str, str | Content]]:
    status, signs = found.status, glyphs()
    if found.changer is not None:
        yield "changing", f"{signs.running} by {found.changer.note} (process {found.changer.pid})"
    generation = status.generation
    if generation is None:
        yield "deployment", "none yet; p plans one from what is published"
    else:
        stopped = ", stopped" if generation.state == "stopped" else ""
        by = f" by {generation.applied_by}" if generation.applied_by else ""
        yield "deployment", f"{generation.id}, applied {when(generation.created_at)}{by}{stopped}"
    if status.interrupted:
        yield "", f"an apply was killed half-way (deployment {status.interrupted}); applying again makes it good"
    since = f", for {in_words(time.time() - status.service.since)}" if status.service.since else ""
    restarts = f", restarted by itself {status.service.restarts} times" if status.service.restarts else ""
    if found.refusal:
        yield "vLLM", f"nothing here keeps it running: {found.refusal}"
    else:
        yield "vLLM", f"{status.service.phase}{since}{restarts}, under {status.title}"
    if status.paused:
        yield "", "stopped while a run trains; it starts again when the run ends"
    if status.answers:
        words = f"{signs.good} at {printable(status.address)}, version {printable(status.version)}"
        yield "answers", Content.styled(words, "$text-success")
    else:
        yield "answers", f"nobody at {status.address}"
    if status.models:
        yield "models", _some(status.models)
    for label, names in (("missing", status.absent), ("not ours", status.unexpected), ("deleted", status.deleted)):
        if names:
            yield label, Content.styled(f"{signs.bad} {printable(_some(names))}", "$text-error")


def _plan(found: Planned) -> Iterator[tuple[str, str]]:
    plan = found.plan
    yield "base model", f"{plan.base_path} as {found.served_name}"
    yield "adapters", _some([adapter.model_name for adapter in plan.adapters]) or "none"
    for reason in plan.left_out:
        yield "left out", reason
    if plan.room:
        room = plan.room
        yield "slots", f"{room.slots} at once, up to rank {room.max_rank}: {in_gib(plan.slot_bytes)} of GPU memory"
        yield "cache", f"{room.cached} adapters, up to {in_gib(plan.cache_bytes)} of the host's memory"
    yield "answers at", found.listen
    if plan.change.kind != "start":
        for sign, names in (("comes", plan.change.added), ("goes", plan.change.removed)):
            if names:
                yield sign, _some(names)


def _fact(label: str, text: str | Content) -> Content:
    return Content.assemble((label.ljust(LABEL), "$text-muted"), printable(text) if isinstance(text, str) else text)


def _diff_line(line: str) -> Content:
    style = {"+": "$text-success", "-": "$text-error", "@": "$text-muted"}.get(line[:1], "")
    return Content.styled(printable(line), style)


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(names[:SHOWN])
    return shown if len(names) <= SHOWN else f"{shown} and {len(names) - SHOWN} more"
