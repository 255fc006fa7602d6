"""Turns the figures into one word and one sentence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from duotune.evaluation.results import LOWER_IS_BETTER, METRICS, Metric, SetResult, Verdict
from duotune.evaluation.statistics import holm

LEAST_ITEMS = 20
LEAST_FILES = 8
GAINS = ("gold_loss", "exact_match", "edit_similarity")
HARMS = ("exact_match", "edit_similarity", "bad_responses")
BAD_MARGIN = 0.01
MOST_NAMED = 2


@dataclass(frozen=True)
class _Shown:
    set: str
    metric: str
    difference: float

    def __str__(self) -> str:
        return f"{self.metric.replace('_', ' ')} on {self.set} changed by {self.difference:+.3f}"


def decide(sets: Mapping[str, SetResult]) -> tuple[Verdict, str]:
    """The verdict and its reason.

    Only sets of at least 20 items from at least 8 files count; without one the verdict is `too few`. The signs of 8
    files fall in 256 ways, so that the smallest p-value is 2/256 = 0.008, just below the 0.05/6 that the first of six
    tests (three metrics on two sets) must reach; the signs of fewer files could not show anything there.

    A change is *shown* when its two-sided p-value (the largest of paired bootstrap by file, sign flips by file and,
    for shares, the exact McNemar test) stays below 5 % after Holm's correction over all tests of its kind, on all sets
    together:

    - gains: a lower gold loss, a higher exact match, a higher edit similarity;
    - harms: a lower exact match, a lower edit similarity, and a share of bad responses that is higher by more than
      one point (the lower end of its interval lies above +1 point).

    Any shown harm is `harmful`; else any shown gain is `better`; else there is `no evidence`. So a neutral adapter is
    condemned in at most about 1 of 40 cases (half of 5 %: the other half would be gains), and an adapter is not called
    better because a figure merely rose. Figures whose own interval shows a loss are named in the reason all the same.
    """
    counted = {name: found for name, found in sets.items() if found.n >= LEAST_ITEMS and found.files >= LEAST_FILES}
    if not counted:
        sizes = ", ".join(f"{name} {found.n} from {found.files}" for name, found in sets.items()) or "none"
        return "too few", (
            f"It takes {LEAST_ITEMS} held-out items from {LEAST_FILES} files to tell, and these are there: {sizes}."
        )
    harms = [change for change in _shown(counted, HARMS) if not _improves(change)]
    harms = [change for change in harms if _beyond_margin(counted, change)]
    if harms:
        return "harmful", f"A loss is shown: {_listed(harms)}."
    gains = [change for change in _shown(counted, GAINS) if _improves(change)]
    doubtful = _doubts(sets)
    if gains:
        shown = "A gain is shown" if doubtful else "A gain is shown and no loss"
        return "better", f"{shown}: {_listed(gains)}. {doubtful}".rstrip()
    nothing = "No difference is larger than chance would make it; more held-out items would show smaller ones."
    return "no evidence", f"{nothing} {doubtful}".rstrip()


def _shown(sets: Mapping[str, SetResult], metrics: tuple[str, ...]) -> list[_Shown]:
    tests = [
        (_Shown(name, metric, found.metrics[metric].difference), found.metrics[metric].p_value)
        for name, found in sets.items()
        for metric in metrics
    ]
    rejected = holm([p_value for _, p_value in tests])
    return [change for (change, _), shown in zip(tests, rejected, strict=True) if shown]


def _improves(change: _Shown) -> bool:
    return change.difference < 0 if change.metric in LOWER_IS_BETTER else change.difference > 0


def _beyond_margin(sets: Mapping[str, SetResult], change: _Shown) -> bool:
    return change.metric != "bad_responses" or sets[change.set].metrics[change.metric].interval[0] > BAD_MARGIN


def _listed(changes: list[_Shown]) -> str:
    return "; ".join(map(str, changes))


def _doubts(sets: Mapping[str, SetResult]) -> str:
    """A sentence that names single figures whose own 95 % interval shows a loss; empty without any."""
    found = list(_worse(sets))
    if not found:
        return ""
    more = f" and {len(found) - MOST_NAMED} more" if len(found) > MOST_NAMED else ""
    named = f"{', '.join(found[:MOST_NAMED])}{more}"
    return f"Looks worse: {named}. Among so many figures one alone decides nothing: look at the examples."


def _worse(sets: Mapping[str, SetResult]) -> Iterator[str]:
    for name, result in sets.items():
        for metric in METRICS:
            values = result.metrics.get(metric)
            if values and result.has_intervals and _shows_a_loss(metric, values):
                low, high = values.interval
                yield f"{metric.replace('_', ' ')} on {name} ({low:+.3f} to {high:+.3f})"


def _shows_a_loss(metric: str, values: Metric) -> bool:
    low, high = values.interval
    return low > 0 if metric in LOWER_IS_BETTER else high < 0
