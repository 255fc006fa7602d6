"""Plans and results as tables."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from rich.table import Table
from rich.text import Text

from duotune.cli.data_tables import show_doubts, show_funnel, show_types, summed
from duotune.cli.output import plain_table, say, show
from duotune.config.run import RunConfig
from duotune.config.write import differing
from duotune.errors import printable
from duotune.evaluation.results import LOWER_IS_BETTER, METRICS, Evaluation, Metric
from duotune.plan.records import Plan
from duotune.runs.funnel import Funnel
from duotune.runs.outcomes import dataset_in_words, findings, next_step, proof_in_words
from duotune.runs.results import DATA_REPORT, Merged, Prepared, Published
from duotune.runs.state import RunState
from duotune.runs.wording import counted, in_bytes, in_gib, in_words

Status = Literal["ok", "warning", "refused"]
_MARKS: dict[Status, tuple[str, str]] = {"ok": ("✓", "green"), "warning": ("!", "yellow"), "refused": ("✗", "red")}


def show_plan(planned: Plan) -> None:
    """What would be done: projects, expected figures, and every check with its result."""
    projects = plain_table("project", "commit", "files", "size", "tokens", "languages")
    for project in planned.projects:
        languages = sorted(project.languages.items(), key=lambda item: -item[1][1])
        listed = ", ".join(f"{language} {files}" for language, (files, _) in languages[:4])
        commit = (project.commit or "its files")[:12]
        row = (project.name, commit, f"{project.files:,}", in_bytes(project.bytes), f"{project.tokens:,}", listed)
        projects.add_row(*row)
    if planned.projects:
        show(projects)
        show("")
        show_types(summed(p.found for p in planned.projects), summed(p.languages for p in planned.projects))
    for project in planned.projects:
        show_doubts(project.name, project.doubtful)
        if project.rejected:
            reasons = sorted(project.rejected.items(), key=lambda item: -item[1])
            listed = ", ".join(f"{reason.replace('-', ' ')} {count:,}" for reason, count in reasons[:6])
            show(f"Left out of {project.name}: {listed}")
    if not planned.refusals:
        show("")
        show(_expected(planned))
    if planned.projects:
        show("")
    show_checks(
        (check.name, check.status, f"{check.detail}\n{check.hint}" if check.hint else check.detail)
        for check in planned.checks
    )


def show_settings(config: RunConfig, file: Path) -> None:
    """The resolved settings that differ from their defaults, and where to see the others."""
    table = plain_table("setting", "value")
    for key, value in differing(config):
        table.add_row(key, printable(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)))
    show("")
    show(table)
    show(f"Every other setting has its default; `duotune config show {shlex.quote(printable(file))}` prints them all.")


def _expected(planned: Plan) -> Table:
    figures = plain_table("expected", "", "")
    figures.add_row("tokens of source", f"{planned.tokens:,}", "estimated; held-out files included")
    figures.add_row("optimizer steps", f"{planned.steps:,}", "estimated")
    figures.add_row("memory", in_gib(planned.memory_bytes), f"estimated, {in_gib(planned.memory_free_bytes)} free")
    figures.add_row("disk", in_bytes(planned.disk_bytes), f"estimated, {in_bytes(planned.disk_free_bytes)} free")
    for stage, duration in planned.durations.items():
        basis = "from speeds measured here" if duration.basis == "measured" else duration.basis
        figures.add_row(stage, in_words(duration.seconds), basis)
    figures.add_row("all stages", in_words(sum(duration.seconds for duration in planned.durations.values())), "")
    return figures


def show_checks(checks: Iterable[tuple[str, Status, str]]) -> None:
    """Checks as (name, status, result); the mark says by shape what the colour says again."""
    table = plain_table("", "check", "result")
    for name, status, detail in checks:
        mark, colour = _MARKS[status]
        table.add_row(Text(mark, colour), name, detail)
    show(table)


def show_result(state: RunState) -> None:
    """The end of a finished run: its data, base against adapter, where the adapter is, and what to do next."""
    if state.funnel:
        show("")
        show_funnel(Funnel.model_validate(state.funnel))
        if (data := Prepared.of(state.results, "prepare")) is not None:
            for sentence in dataset_in_words(data):
                show(sentence)
        say(f"Each reason with an example: {state.directory}/{DATA_REPORT}.")
    if found := findings(state):
        say(found)
    if state.evaluation:
        show("")
        show_evaluation(Evaluation.model_validate(state.evaluation))
        say(
            f"Report with examples: {state.directory}/evaluation/report.md; every single answer: items.jsonl beside it."
        )
    if (merged := Merged.of(state.results, "merge")) is not None:
        _show_merged(merged, state)
        return
    done = Published.of(state.results, "publish")
    if done is None:
        say(f"Result: {state.adapter or state.dataset}")
        return
    version = done.published
    say(printable(f"Adapter {version.name}: {version.location}"))
    say(printable(next_step(state)))


def _show_merged(merged: Merged, state: RunState) -> None:
    where = printable(merged.directory)
    show(f"Merged {printable(merged.version)} into its base model: {where}, {in_bytes(merged.bytes)}")
    show(proof_in_words(merged.proof))
    if merged.left_out:
        say(f"Left where they were, as they are not of the merged model: {printable(', '.join(merged.left_out))}.")
    say(printable(next_step(state)))


def show_evaluation(evaluation: Evaluation) -> None:
    """Each set's metrics: base, adapter, difference and its 95 % interval."""
    for name, result in evaluation.sets.items():
        size = f"{name} ({counted(result.n, 'item')}, {counted(result.files, 'file')})"
        table = plain_table(size, "base", "adapter", "difference", "95 %")
        for column in table.columns[1:]:
            column.justify = "right"
        for metric, values in result.metrics.items():
            lower = " (lower is better)" if metric in LOWER_IS_BETTER else ""
            table.add_row(metric.replace("_", " ") + lower, *_figures(values, result.has_intervals))
        show(table)
        show("")
    if evaluation.sets:
        show(_meaning(evaluation))
        show("")
    show(Text.assemble("Verdict: ", (evaluation.verdict, "bold"), f". {printable(evaluation.reason)}"))


def _meaning(evaluation: Evaluation) -> str:
    """What the tables' own words leave open."""
    zero = f"random pairs have {evaluation.random_pair_similarity:.3f}"
    return (
        f"cosine similarity: by {printable(evaluation.embedder)}; {zero}. "
        f"raw exact match: {METRICS['raw_exact_match']}."
    )


def _figures(metric: Metric, known: bool) -> tuple[str, str, str, Text]:
    low, high = metric.interval
    if not known:
        return f"{metric.base:.3f}", f"{metric.adapter:.3f}", f"{metric.difference:+.3f}", Text("unknown")
    certain = low > 0 or high < 0
    interval = Text(f"{low:+.3f} … {high:+.3f}", "bold" if certain else "")
    return f"{metric.base:.3f}", f"{metric.adapter:.3f}", f"{metric.difference:+.3f}", interval
