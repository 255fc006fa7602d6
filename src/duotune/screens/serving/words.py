"""Status, plan and outcome of serving as text."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text
from textual.content import Content

from duotune.catalog.deployments import Deployment
from duotune.errors import printable
from duotune.runs.wording import counted
from duotune.screens.cells import check_line, when
from duotune.screens.serving.reading import Planned, Served
from duotune.serving.change import change_between
from duotune.serving.wording import plan_rows, status_rows
from duotune.widgets.glyphs import glyphs
from duotune.widgets.rows import Cell

LABEL = 12


def status_text(found: Served) -> Content:
    """What serves now."""
    styles = {
        "missing": "$text-error",
        "not ours": "$text-error",
        "files gone": "$text-error",
        "last apply": "$text-error",
    }
    if found.status.answers:
        styles["answers"] = "$text-success"
    return Content("\n").join(_fact(label, text, styles.get(label, "")) for label, text in _status(found))


def plan_text(found: Planned) -> Content:
    """What would be served, what changes, and every check."""
    plan = found.plan
    failed = len(plan.refusals())
    title = f"This would be refused: {counted(failed, 'check')} did not hold." if failed else plan.change.why
    lines = [Content.styled(title, "bold $text-error" if failed else "bold $text-success"), Content("")]
    lines += [_fact(label, text) for label, text in plan_rows(plan, found.serving)]
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
    state = Text(f"{sign} {one.state}", style)
    why, _, more = one.reason.partition("\n")
    reason = f"{why} {signs.waiting}" if more else why
    return (str(one.id), state, when(one.created_at), one.applied_by, _adapters(one), reason)


def deployment_text(one: Deployment, before: Deployment | None, unit: str) -> Content:
    """All that is known of a deployment.

    Args:
        one: The deployment.
        before: What served before it; None when that was nothing.
        unit: Name of the unit.
    """
    by = f" by {one.applied_by}" if one.applied_by else ""
    never = "" if one.has_served else "; it never served, so it cannot be served again"
    lines = [
        _fact("state", f"{one.state}{never}", "$text-error" if one.state == "failed" else ""),
        _fact("applied", f"{when(one.created_at)}{by}"),
        _fact("adapters", _adapters(one)),
    ]
    if one.reason:
        lines += [_title("Why it failed"), *(Content(printable(line)) for line in one.reason.splitlines())]
    diff = change_between(before, one, unit) if before is not None else ""
    if diff and before is not None:
        changed = "What it changed" if one.has_served else "What it would have changed"
        lines += [_title(f"{changed}, compared with deployment {before.id}"), *map(_diff_line, diff.splitlines())]
    elif before is not None:
        lines += [_title(f"Its files are those of deployment {before.id}.")]
    else:
        lines += [_title("Nothing had served before it. vLLM's configuration was")]
        lines += [Content(printable(line)) for line in one.yaml.splitlines()]
    return Content("\n").join(lines)


def files_text(found: Served, planned: Planned | None) -> str:
    """What is written for vLLM and for systemd; before anything is, what the plan would write."""
    if found.config:
        parts = [f"# {found.config_file}\n{found.config}"]
        parts += [f"# {found.unit_name}\n{found.unit}"] if found.unit else []
    elif planned is not None:
        parts = ["Nothing is written yet. This is what the plan would write:\n"]
        parts += [f"# {found.config_file}\n{planned.plan.yaml}"]
        parts += [f"# {planned.unit_file}\n{planned.plan.unit}"] if planned.unit_file else []
    else:
        parts = ["Nothing is written yet; p plans, and what the plan would write is shown here."]
    return "\n".join(map(printable, "\n".join(parts).splitlines()))


def _adapters(one: Deployment) -> str:
    return ", ".join(f"{name}.v{version}" for name, version in one.versions) or "base model alone"


def _title(text: str) -> Content:
    return Content.styled(f"\n{text}", "bold $accent")


def _status(found: Served) -> Iterator[tuple[str, str]]:
    if found.changer is not None:
        yield "changing", f"by {found.changer.note} (process {found.changer.pid})"
    yield from status_rows(found.status, found.held)


def _fact(label: str, text: str, style: str = "") -> Content:
    return Content.assemble((label.ljust(LABEL), "$text-muted"), (printable(text), style))


def _diff_line(line: str) -> Content:
    style = {"+": "$text-success", "-": "$text-error", "@": "$text-muted"}.get(line[:1], "")
    return Content.styled(printable(line), style)
