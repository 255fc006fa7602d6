"""The evaluation as a Markdown page for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from duotune.errors import printable
from duotune.evaluation.examples import chosen, gain
from duotune.evaluation.results import (
    GROUPED,
    LOWER_IS_BETTER,
    METRICS,
    Evaluation,
    Groups,
    ItemResult,
    Metric,
    SetResult,
)

EXAMPLES = 3
HOLE = "⟦ … ⟧"


def as_markdown(name: str, evaluation: Evaluation, groups: Groups, items: Mapping[str, Sequence[ItemResult]]) -> str:
    """The whole report.

    Args:
        name: The adapter's name.
        evaluation: The figures.
        groups: The same by language and project.
        items: The items of each set.
    """
    title = f"# Evaluation of {name}" if evaluation.compared else "# Evaluation of the base model"
    parts = [title, f"**Verdict: {evaluation.verdict}.** {evaluation.reason}"]
    for set_name, result in evaluation.sets.items():
        parts.append(_table(set_name, result, evaluation.compared))
    for word, found in (("language", groups.languages), ("project", groups.projects)):
        if len(found) > 1:
            parts.append(_grouped(word, found, evaluation.compared))
    parts.append(_meanings(evaluation))
    for set_name, results in items.items():
        if evaluation.compared and results:
            parts.append(_examples(set_name, results))
    return "\n\n".join(parts) + "\n"


def _table(name: str, result: SetResult, compared: bool) -> str:
    heading = f"## {name}: {result.n} items from {result.files} files"
    if not compared:
        rows = [f"| {_shown(metric)} | {values.base:.3f} |" for metric, values in result.metrics.items()]
        return "\n".join([heading, "", "| | base |", "| --- | ---: |", *rows])
    rows = [
        f"| {_shown(metric)} | {values.base:.3f} | {values.adapter:.3f} | {values.difference:+.3f} "
        f"| {values.interval[0]:+.3f} … {values.interval[1]:+.3f} |"
        for metric, values in result.metrics.items()
    ]
    table = ["| | base | adapter | difference | 95 % interval |", "| --- | ---: | ---: | ---: | ---: |", *rows]
    reasons = ", ".join(f"{why} {base} → {adapter}" for why, (base, adapter) in result.bad_reasons.items())
    return "\n".join([heading, "", *table, "", f"Bad responses, base → adapter: {reasons or 'none'}."])


def _grouped(word: str, groups: Mapping[str, SetResult], compared: bool) -> str:
    heading = f"| {word} | items | files | " + " | ".join(map(_shown, GROUPED)) + " |"
    rule = "| --- | ---: | ---: |" + " ---: |" * len(GROUPED)
    rows = []
    for name, result in groups.items():
        cells = [_cell(result.metrics[metric], result.has_intervals, compared) for metric in GROUPED]
        label = printable(name).replace("|", "\\|") or "unknown"
        rows.append(f"| {label} | {result.n} | {result.files} | {' | '.join(cells)} |")
    how = "adapter minus base, with the 95 % interval of one figure alone" if compared else "means of the base model"
    return "\n".join([f"## By {word}", "", heading, rule, *rows, "", f"All sets together: {how}."])


def _cell(metric: Metric, known: bool, compared: bool) -> str:
    if not compared:
        return f"{metric.base:.3f}"
    low, high = metric.interval
    interval = f"{low:+.3f} … {high:+.3f}" if known else "unknown"
    return f"{metric.difference:+.3f} ({interval})"


def _shown(metric: str) -> str:
    return metric.replace("_", " ") + (" (lower is better)" if metric in LOWER_IS_BETTER else "")


def _meanings(evaluation: Evaluation) -> str:
    lines = [f"- **{metric.replace('_', ' ')}**: {meaning}." for metric, meaning in METRICS.items()]
    lines.append(
        f"- Embeddings are those of {printable(evaluation.embedder)}; answers to different items have a mean cosine "
        f"similarity of {evaluation.random_pair_similarity:.3f} with each other, which is the zero of that scale."
    )
    lines.append(
        "- Where the rest of a line was asked for, the first line of an answer is scored, on both sides alike. "
        "Intervals take the file as their unit: paired bootstrap and t interval, whichever reaches farther. "
        "Both sides answered greedily, with the same prompts, "
        f"in {evaluation.precision}."
    )
    return "\n".join(["## What the figures mean", "", *lines])


def _examples(name: str, items: Sequence[ItemResult]) -> str:
    ranked = chosen(items, "all")
    best = [item for item in ranked[:EXAMPLES] if gain(item) > 0]
    worst = [item for item in ranked[::-1][:EXAMPLES] if gain(item) < 0]
    parts = [f"## Examples from {name}"]
    for title, found in (("Where the adapter gained most", best), ("Where it lost most", worst)):
        parts.append(f"### {title}")
        parts.extend(_example(item) for item in found)
        if not found:
            parts.append("None.")
    return "\n\n".join(parts)


def _example(item: ItemResult) -> str:
    pair = item.metrics["edit_similarity"]
    place = f"{printable(item.project)}, `{printable(item.path)}`"
    heading = f"{place}: edit similarity {pair.base:.2f} → {pair.adapter:.2f}"
    asked = f"{item.before}{HOLE}{item.after}"
    texts = (("asked", asked), ("author", item.gold), ("base", item.base), ("adapter", item.adapter or ""))
    return "\n\n".join([heading, *(f"{title}\n\n{_fenced(text)}" for title, text in texts)])


def _fenced(text: str) -> str:
    """A code block that the text cannot close: its fence is longer than any in the text."""
    fence, shown = "```", _printable_lines(text)
    while fence in shown:
        fence += "`"
    return f"{fence}\n{shown}\n{fence}"


def _printable_lines(text: str) -> str:
    """The text with its lines and tabs, and nothing else that a terminal would act on."""
    lines = text.replace("\r\n", "\n").split("\n")
    return "\n".join("\t".join(map(printable, line.split("\t"))) for line in lines)
