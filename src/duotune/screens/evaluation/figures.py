"""The figures of an evaluation as aligned lines with their intervals drawn as bars."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from textual.content import Content

from duotune.errors import printable
from duotune.evaluation.examples import GROUPED, Group
from duotune.evaluation.results import LOWER_IS_BETTER, METRICS, Evaluation, Metric, SetResult
from duotune.runs.wording import counted
from duotune.widgets.glyphs import glyphs
from duotune.widgets.interval import interval_bar

NAME = 18
NUMBERS = 27
LEAST_BAR, MOST_BAR = 9, 61
WORD = 7
CELL = 16
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


def groups(word: str, found: Sequence[Group], compared: bool, width: int) -> Content:
    """Means by language or by project, the largest group first; as many metrics as fit."""
    metrics = GROUPED[: max(1, (width - NAME - 9) // CELL)]
    lines = [_muted(f"{word:{NAME}} {'items':>7} " + "".join(f"{_words(metric):>{CELL}}" for metric in metrics))]
    for group in found:
        cells = "".join(f"{_pair(*group.means[metric], compared):>{CELL}}" for metric in metrics)
        lines.append(Content(f"{_cut(group.name or 'unknown')} {group.n:>7,} {cells}"))
    how = f"base {glyphs().arrow} adapter" if compared else "base model"
    note = f"Means, {how}. Groups are small and have no intervals: the verdict rests on the sets alone."
    return Content("\n").join([*lines, Content(""), _muted(note)])


def _set(name: str, result: SetResult, compared: bool, width: int) -> Iterator[Content]:
    size = f"{printable(name)}: {counted(result.n, 'item')} from {counted(result.files, 'file')}"
    yield Content.assemble((size, "bold $accent"))
    if not compared:
        for metric, values in result.metrics.items():
            yield Content(f"{_label(metric)} {values.base:>8.3f}")
        return
    wide = min(MOST_BAR, max(0, width - NAME - NUMBERS - WORD - 4))
    wide = (wide - 1) | 1 if wide >= LEAST_BAR else 0
    reaches = _reaches(result)
    scale = f"95 % interval, to {glyphs().plus_minus}{reaches[False]:.2f}" if wide >= 25 else "95 % interval"
    heading = f"{'':{NAME}} {'base':>8} {'adapter':>8} {'differs':>8}  {scale if wide else '':^{wide}}"
    yield _muted(heading.rstrip())
    for metric, values in result.metrics.items():
        yield _row(metric, values, result.files, reaches[metric == NATS], wide)
    if NATS in result.metrics and wide:
        reach = f"{glyphs().plus_minus}{reaches[True]:.2f}"
        yield _muted(f"The bar of {_words(NATS)} reaches to {reach}. Lower is better: {_listed()}.")
    reasons = ", ".join(f"{why} {base} {glyphs().arrow} {own}" for why, (base, own) in result.bad_reasons.items())
    yield _muted(f"Bad responses: {printable(reasons) or 'none'}.")


def _row(metric: str, values: Metric, files: int, reach: float, wide: int) -> Content:
    low, high = values.interval
    numbers = f"{_label(metric)} {values.base:>8.3f} {values.adapter:>8.3f} {values.difference:>+8.3f}  "
    if files < 2:  # resampling one file shows no spread, which is not the same as certainty
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


def _reaches(result: SetResult) -> dict[bool, float]:
    """The largest end of an interval, of the shares and of what is counted in nats."""
    return {
        nats: max(
            (abs(end) for name, values in result.metrics.items() if (name == NATS) is nats for end in values.interval),
            default=0.0,
        )
        or 0.01
        for nats in (False, True)
    }


def _label(metric: str) -> str:
    return f"{_words(metric):{NAME}}"


def _words(metric: str) -> str:
    return printable(metric.replace("_", " "))


def _pair(base: float, adapter: float, compared: bool) -> str:
    return f"{base:.3f} {glyphs().arrow} {adapter:.3f}" if compared else f"{base:.3f}"


def _listed() -> str:
    return " and ".join(_words(metric) for metric in METRICS if metric in LOWER_IS_BETTER)


def _cut(name: str) -> str:
    shown = printable(name)
    return f"{shown if len(shown) <= NAME else shown[: NAME - 1] + '…':{NAME}}"


def _muted(text: str) -> Content:
    return Content.assemble((text, "$text-muted"))
