"""Plans and results as tables."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from rich.table import Table
from rich.text import Text

from duotune.cli.output import in_bytes, in_gib, in_words, say, show
from duotune.evaluation.results import Evaluation, Metric
from duotune.plan.records import Plan
from duotune.runs.results import Published
from duotune.runs.state import RunState

Status = Literal["ok", "warning", "refused"]
_MARKS: dict[Status, tuple[str, str]] = {"ok": ("✓", "green"), "warning": ("!", "yellow"), "refused": ("✗", "red")}


def plain_table(*columns: str) -> Table:
    """A table without lines; columns of figures are aligned to the right by the caller."""
    return Table(*columns, box=None, pad_edge=False, header_style="bold")


def show_plan(planned: Plan) -> None:
    """What would be done: projects, expected figures, and every check with its result."""
    projects = plain_table("project", "commit", "files", "size", "tokens", "languages")
    for project in planned.projects:
        languages = sorted(project.languages.items(), key=lambda item: -item[1][1])
        listed = ", ".join(f"{language} {files}" for language, (files, _) in languages[:4])
        commit = (project.commit or "its files")[:12]
        row = (project.name, commit, f"{project.files:,}", in_bytes(project.bytes), f"{project.tokens:,}", listed)
        projects.add_row(*row)
    show(projects)
    figures = plain_table("expected", "", "")
    figures.add_row("tokens to train on", f"{planned.tokens:,}", "estimated")
    figures.add_row("optimizer steps", f"{planned.steps:,}", "estimated")
    figures.add_row("memory", in_gib(planned.memory_bytes), f"estimated, {in_gib(planned.memory_free_bytes)} free")
    figures.add_row("disk", in_bytes(planned.disk_bytes), f"estimated, {in_bytes(planned.disk_free_bytes)} free")
    for stage, duration in planned.durations.items():
        figures.add_row(stage, in_words(duration.seconds), duration.basis)
    show("")
    show(figures)
    show("")
    show_checks(
        (check.name, check.status, f"{check.detail}\n{check.hint}" if check.hint else check.detail)
        for check in planned.checks
    )


def show_checks(checks: Iterable[tuple[str, Status, str]]) -> None:
    """Checks as (name, status, result); the mark says by shape what the colour says again."""
    table = plain_table("", "check", "result")
    for name, status, detail in checks:
        mark, colour = _MARKS[status]
        table.add_row(Text(mark, colour), name, detail)
    show(table)


def show_result(state: RunState) -> None:
    """The end of a finished run: base against adapter, where the adapter is, and what to do next."""
    if state.evaluation:
        show("")
        show_evaluation(Evaluation.model_validate(state.evaluation))
        say(f"Every answer, base beside adapter: {state.directory}/evaluation/report.md")
    done = Published.of(state.results, "publish")
    if done is None:
        say(f"Result: {state.adapter or state.dataset}")
        return
    version = done.published
    say(f"Adapter {version.name}: {version.location}")
    if version.state == "withheld":
        say(f"It is stored but not published. `duotune adapters publish {version.name} --force REASON` publishes it.")
    else:
        say(f"Next: `duotune assign PROJECT {version.adapter}`, then `duotune serve plan`.")


def show_evaluation(evaluation: Evaluation) -> None:
    """Each set's metrics: base, adapter, difference and its 95 % interval."""
    for name, result in evaluation.sets.items():
        table = plain_table(f"{name} ({result.n} items, {result.files} files)", "base", "adapter", "difference", "95 %")
        for column in table.columns[1:]:
            column.justify = "right"
        for metric, values in result.metrics.items():
            table.add_row(metric.replace("_", " "), *_figures(values))
        show(table)
        show("")
    show(Text.assemble("Verdict: ", (evaluation.verdict, "bold"), f". {evaluation.reason}"))


def _figures(metric: Metric) -> tuple[str, str, str, Text]:
    low, high = metric.interval
    certain = low > 0 or high < 0
    interval = Text(f"{low:+.3f} … {high:+.3f}", "bold" if certain else "")
    return f"{metric.base:.3f}", f"{metric.adapter:.3f}", f"{metric.difference:+.3f}", interval
