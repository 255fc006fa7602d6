"""Paired intervals and tests whose unit is the file."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

RESAMPLES = 10_000
BLOCK = 1_000


def bootstrap_means(
    values: npt.NDArray[np.float64], files: Sequence[str], seed: int, resamples: int = RESAMPLES
) -> npt.NDArray[np.float64]:
    """Means of the values under resampling of whole files with replacement.

    Items of one file resemble each other: resampling items instead gave 95 % intervals that held in 82 % of
    simulations (notes/data.md §4). Efron & Tibshirani, An Introduction to the Bootstrap, 1993, §8.

    Args:
        values: Shape [items, metrics].
        files: The file of each item.
        seed: Decides the resamples.
        resamples: How many.

    Returns:
        Shape [resamples, metrics].
    """
    _, members = np.unique(np.asarray(files), return_inverse=True)
    count = int(members.max()) + 1
    sums = np.zeros((count, values.shape[1]))
    np.add.at(sums, members, values)
    sizes = np.bincount(members, minlength=count).astype(float)
    generator = np.random.Generator(np.random.PCG64(seed))
    blocks = []
    for first in range(0, resamples, BLOCK):
        drawn = generator.multinomial(count, np.full(count, 1 / count), size=min(BLOCK, resamples - first))
        blocks.append(drawn @ sums / (drawn @ sizes)[:, None])
    return np.concatenate(blocks)


def interval(means: npt.NDArray[np.float64], level: float = 0.95) -> tuple[float, float]:
    """Percentile interval of resampled means, shape [resamples]."""
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def two_sided(means: npt.NDArray[np.float64], threshold: float = 0.0) -> float:
    """p-value of the mean being `threshold`: twice the smaller share of resamples on one side of it."""
    below, above = np.count_nonzero(means <= threshold), np.count_nonzero(means >= threshold)
    return min(1.0, 2 * (min(below, above) + 1) / (len(means) + 1))


def mcnemar(base: npt.NDArray[np.float64], adapter: npt.NDArray[np.float64]) -> float:
    """Exact two-sided McNemar test of paired 0/1 outcomes: a binomial test of the pairs that disagree."""
    gained, lost = int(np.sum(adapter > base)), int(np.sum(adapter < base))
    pairs = gained + lost
    tail = sum(math.comb(pairs, count) for count in range(min(gained, lost) + 1))
    return float(min(1.0, 2 * tail / 2**pairs))


def holm(p_values: Sequence[float], level: float = 0.05) -> list[bool]:
    """Which hypotheses are rejected with a family-wise error of `level` (Holm, Scand. J. Statist. 6, 1979)."""
    order = sorted(range(len(p_values)), key=lambda index: p_values[index])
    rejected = [False] * len(p_values)
    for rank, index in enumerate(order):
        if p_values[index] > level / (len(p_values) - rank):
            break
        rejected[index] = True
    return rejected
