"""Scored items whose figures are chosen by a test."""

from __future__ import annotations

from duotune.evaluation.results import METRICS, ItemResult, Pair


def scored_item(number: int, files: int = 10, **metrics: Pair) -> ItemResult:
    """An item of one of so many files; metrics that are not named are 0.5 on both sides."""
    return ItemResult(
        id=f"item-{number}",
        set="fim",
        kind="lines",
        project="p",
        path=f"f{number % files}.py",
        language="Python",
        prompt="prompt",
        before="before",
        after="after",
        gold="gold",
        base="base",
        adapter="adapter",
        metrics={name: metrics.get(name, Pair(base=0.5, adapter=0.5)) for name in METRICS},
        bad_reasons=(None, None),
        gold_tokens=3,
    )
