"""The figures of an evaluation as aligned lines with their intervals drawn as bars."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from textual.content import Content

from duotune.errors import printable
from duotune.evaluation.results import GROUPED, LOWER_IS_BETTER, METRICS, Evaluation, Metric, SetResult
from duotune.runs.wording import counted
from duotune.widgets.glyphs import glyphs
from duotune.widgets.interval import interval_bar

NAME = 18
NUMBERS = 27
LEAST_BAR, MOST_BAR = 9, 61
WORD = 7
COUNT = 7
NATS = "gold_loss"
"""Counted in nats, not as a share, so that it has a scale of its own."""
VERDICTS = {"better": "$text-success", "harmful": "$text-error"}


def verdict(evaluation: Evaluation) -> Content:
    """The verdict with a sign that says the same, and its reason."""
    signs = glyphs()
    sign = {"better": signs.good, "harmful": signs.bad}.get(evaluation.verdict, signs.warning)
    style = f"bold {VERDICTS.get(evaluation.verdict, '$text-warning')}"
    return Content.assemble((f"{sign} {evaluation.verdict}. ", style), printable(evaluation.reason))


def figures(evaluation: Evaluation, width: int) -> Content:
    """Every set's metrics: base, adapter, difference, its 95 % interval as a bar around zero."""
    lines: list[Content] = []
    for name, result in evaluation.sets.items():
        lines += [*_set(name, result, evaluation.compared, width), Content("")]
    zero = f"answers to different prompts have {evaluation.random_pair_similarity:.3f}"
    chance = "a word is of one interval alone; the verdict asks for more, as of many figures some differ by chance"
    notes = [
        *([f"better, worse: {chance}"] if evaluation.compared else []),
        *(f"{_words(metric)}: {meaning}" for metric, meaning in METRICS.items()),
        f"cosine similarity is by {printable(evaluation.embedder)}; {zero}, which is its zero",
        f"both sides answered greedily, with the same prompts, in {printable(evaluation.precision)}",
    ]
    return Content("\n").join([*lines, *(_muted(note) for note in notes)])


def groups(word: str, found: Mapping[str, SetResult], compared: bool, width: int) -> Content:
    """One metric after the other by language or by project, the largest group first."""
    lines: list[Content] = []
    for metric in GROUPED:
        lines += [*_across(word, metric, found, compared, width), Content("")]
    note = "All sets together. Groups are small, and of many figures some differ by chance: the verdict is of the sets."
    return Content("\n").join([*lines, _muted(note)])


def _across(word: str, metric: str, found: Mapping[str, SetResult], compared: bool, width: int) -> Iterator[Content]:
    """One metric of every group, with bars on one scale."""
    lower = ": lower is better" if metric in LOWER_IS_BETTER else ""
    yield Content.assemble((_words(metric), "bold $accent"), (lower, "$text-muted"))
    wide = _bar_width(width - COUNT) if compared else 0
    reach = _reach(result.metrics[metric] for result in found.values() if result.has_intervals)
    yield _heading(f"{word:{NAME}} {'items':>{COUNT - 1}}", compared, wide, reach)
    for name, result in found.items():
        label = f"{_cut(name or 'unknown')} {result.n:>{COUNT - 1},}"
        yield _row(label, metric, result, compared, reach, wide)


def _set(name: str, result: SetResult, compared: bool, width: int) -> Iterator[Content]:
    size = f"{printable(name)}: {counted(result.n, 'item')} from {counted(result.files, 'file')}"
    yield Content.assemble((size, "bold $accent"))
    wide = _bar_width(width) if compared else 0
    reaches = {
        nats: _reach(values for metric, values in result.metrics.items() if (metric == NATS) is nats)
        for nats in (False, True)
    }
    yield _heading(" " * NAME, compared, wide, reaches[False])
    for metric in result.metrics:
        yield _row(f"{_words(metric):{NAME}}", metric, result, compared, reaches[metric == NATS], wide)
    if not compared:
        return
    if NATS in result.metrics and wide:
        reach = f"{glyphs().plus_minus}{reaches[True]:.2f}"
        yield _muted(f"The bar of {_words(NATS)} reaches to {reach}. Lower is better: {_listed()}.")
    reasons = ", ".join(f"{why} {base} {glyphs().arrow} {own}" for why, (base, own) in result.bad_reasons.items())
    yield _muted(f"Bad responses: {printable(reasons) or 'none'}.")


def _bar_width(width: int) -> int:
    """Odd, so that zero has a cell of its own; 0 where no bar is of use."""
    wide = min(MOST_BAR, max(0, width - NAME - NUMBERS - WORD - 4))
    return (wide - 1) | 1 if wide >= LEAST_BAR else 0


def _heading(label: str, compared: bool, wide: int, reach: float) -> Content:
    if not compared:
        return _muted(f"{label} {'base':>8}")
    scale = f"95 % interval, to {glyphs().plus_minus}{reach:.2f}" if wide >= 25 else "95 % interval"
    heading = f"{label} {'base':>8} {'adapter':>8} {'differs':>8}  {scale if wide else '':^{wide}}"
    return _muted(heading.rstrip())


def _row(label: str, metric: str, result: SetResult, compared: bool, reach: float, wide: int) -> Content:
    values = result.metrics[metric]
    if not compared:
        return Content(f"{label} {values.base:>8.3f}")
    low, high = values.interval
    numbers = f"{label} {values.base:>8.3f} {values.adapter:>8.3f} {values.difference:>+8.3f}  "
    if not result.has_intervals:
        return Content.assemble(numbers, ("interval unknown", "$text-muted"))
    word, style = _direction(metric, low, high)
    drawn = interval_bar(values.difference, low, high, reach, wide, style or "$text-muted")
    return Content.assemble(numbers, drawn, (f" {word}", style))


def _direction(metric: str, low: float, high: float) -> tuple[str, str]:
    """What an interval shows, in a word and a colour; neither where zero lies in it."""
    if low <= 0 <= high:
        return "", ""
    good = (low > 0) != (metric in LOWER_IS_BETTER)
    return ("better", "$text-success") if good else ("worse", "$text-error")


def _reach(metrics: Iterable[Metric]) -> float:
    """The largest end of an interval."""
    return max((abs(end) for values in metrics for end in values.interval), default=0.0) or 0.01


def _words(metric: str) -> str:
    return printable(metric.replace("_", " "))


def _listed() -> str:
    return " and ".join(_words(metric) for metric in METRICS if metric in LOWER_IS_BETTER)


def _cut(name: str) -> str:
    shown = printable(name)
    return f"{shown if len(shown) <= NAME else shown[: NAME - 1] + '…':{NAME}}"


def _muted(text: str) -> Content:
    return Content.assemble((text, "$text-muted"))
