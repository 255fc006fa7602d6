"""An adapter in words: a row of the list, and a page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.text import Text
from textual.content import Content

from duotune.adapters.verify import Check
from duotune.errors import printable
from duotune.evaluation.results import Evaluation
from duotune.runs.wording import counted, in_bytes
from duotune.screens.adapters.reading import AdapterFacts, AdapterRow
from duotune.screens.cells import check_line, verdict_sign, when
from duotune.widgets.glyphs import glyphs
from duotune.widgets.rows import Cell

LABEL = 14
DAY = len("2020-01-01")
METRICS = ("gold_loss", "exact_match", "edit_similarity", "stopped_by_itself", "bad_responses")


def searched(row: AdapterRow) -> str:
    """What a filter looks into."""
    trained = " ".join(project.name for project in row.version.projects)
    return f"{row.version.name} {row.base} {trained} {row.version.verdict} {row.version.state}".lower()


def cells(row: AdapterRow) -> tuple[Cell, ...]:
    """A row: name, verdict, state, base, projects trained on, age, projects that get it."""
    trained = ", ".join(project.name for project in row.version.projects)
    verdict = verdict_sign(row.version.verdict)
    made = when(row.version.created_at)[:DAY]
    return (row.version.name, verdict, state_sign(row), row.base, trained, made, ", ".join(row.projects))


def state_sign(row: AdapterRow) -> Text:
    """Whether it is served, would be, or may not be."""
    signs = glyphs()
    if row.served:
        return Text(f"{signs.running} serving", "green")
    if row.version.state == "withheld":
        return Text(f"{signs.warning} withheld", "yellow")
    return Text(f"{signs.good} current" if row.current else "published")


def page(found: AdapterFacts) -> Content:
    """Everything that is known of a version."""
    lines = [Content.assemble((label.ljust(LABEL), "$text-muted"), printable(text)) for label, text in _facts(found)]
    if found.manifest.evaluation:
        lines += [Content(""), *_evaluation(Evaluation.model_validate(found.manifest.evaluation))]
    lines += [Content(""), Content.styled("Files", "bold $accent")]
    for name, file in found.manifest.files.items():
        lines.append(Content(f"{in_bytes(file.bytes):>9}  {printable(name)}  sha256 {file.sha256[:16]}"))
    if found.kept is not None:
        lines += [Content(""), Content(printable(f"{found.kept.message} {found.kept.hint}"))]
    return Content("\n").join(lines)


def checks(found: Sequence[Check]) -> Content:
    """A line for each check, with the whole of it first."""
    failed = sum(not check.ok for check in found)
    words = "Every check holds." if not failed else f"{counted(failed, 'check')} did not hold."
    title = Content.styled(words, "bold $text-error" if failed else "bold $text-success")
    return Content("\n").join([title, *map(check_line, found), Content("")])


def _facts(found: AdapterFacts) -> Iterator[tuple[str, str]]:
    version, manifest = found.row.version, found.manifest
    state = "served now" if found.row.served else version.state
    yield "adapter", f"{version.name}, {state}{', current' if found.row.current else ''}"
    if version.force_reason:
        yield "because", version.force_reason
    yield "published by", version.published_by or "nobody yet"
    yield "base model", f"{manifest.base.name} ({manifest.base.architecture}, {manifest.base.fingerprint[:12]})"
    for project in manifest.projects:
        yield "trained on", project.in_words
    yield "for projects", ", ".join(found.row.projects) or "none yet; a assigns it"
    if version.state == "published":
        yield "elsewhere", "x exports its files, m merges it into a whole copy of its base model"
    yield "run", manifest.run or "none: it was brought in"
    yield "size", in_bytes(found.size_bytes)
    yield "location", version.location
    if found.directory != version.location:
        yield "local copy", found.directory


def _evaluation(evaluation: Evaluation) -> Iterator[Content]:
    sign = verdict_sign(evaluation.verdict)
    yield Content.assemble(
        ("Verdict  ", "bold $accent"), Content.from_rich_text(sign), f"  {printable(evaluation.reason)}"
    )
    for name, result in evaluation.sets.items():
        yield Content.styled(f"{name}: {counted(result.n, 'item')} of {counted(result.files, 'file')}", "bold")
        for metric in METRICS:
            if metric in result.metrics:
                found = result.metrics[metric]
                low, high = found.interval
                words = f"{found.base:7.3f} {glyphs().arrow} {found.adapter:7.3f}   ({low:+.3f} to {high:+.3f})"
                yield Content(f"  {metric.replace('_', ' '):<18}{words}")
