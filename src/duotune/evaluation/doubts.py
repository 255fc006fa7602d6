"""Figures that look worse by themselves, though the verdict does not count them. Needs no numpy: front ends ask it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from duotune.evaluation.results import LOWER_IS_BETTER, METRICS, Evaluation, Metric, SetResult

LEAST_FILES_FOR_AN_INTERVAL = 2
MOST_NAMED = 2


def doubts(sets: Mapping[str, SetResult]) -> str:
    """A sentence that names single figures whose own 95 % interval shows a loss; empty without any."""
    found = list(_worse(sets))
    if not found:
        return ""
    more = f" and {len(found) - MOST_NAMED} more" if len(found) > MOST_NAMED else ""
    named = f"{', '.join(found[:MOST_NAMED])}{more}"
    return f"Looks worse: {named}. Among so many figures one alone decides nothing: look at the examples."


def headline(evaluation: Evaluation) -> str:
    """The reason of an evaluation with its doubts, which one that is stored may be without."""
    if not evaluation.compared or evaluation.verdict not in ("better", "no evidence"):
        return evaluation.reason
    found = doubts(evaluation.sets)
    if not found or found in evaluation.reason:
        return evaluation.reason
    kept = evaluation.reason.partition(" Worth a look, though")[0]
    return f"{kept.replace('A gain is shown and no loss', 'A gain is shown', 1)} {found}"


def _worse(sets: Mapping[str, SetResult]) -> Iterator[str]:
    for name, result in sets.items():
        for metric in METRICS:
            values = result.metrics.get(metric)
            if values and result.files >= LEAST_FILES_FOR_AN_INTERVAL and _shows_a_loss(metric, values):
                low, high = values.interval
                yield f"{metric.replace('_', ' ')} on {name} ({low:+.3f} to {high:+.3f})"


def _shows_a_loss(metric: str, values: Metric) -> bool:
    low, high = values.interval
    return low > 0 if metric in LOWER_IS_BETTER else high < 0
