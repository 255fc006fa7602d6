"""Chance that depends on content alone: the same seed and the same text always give the same choices."""

from __future__ import annotations

import hashlib
import math
import random
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class Dice:
    """A stream of choices drawn from a seed and from names, never from a path, a clock or `hash()`.

    All choices are made from `random.Random.random`, the one method whose sequence Python promises to keep.

    Args:
        *parts: What the choices may depend on: a seed, a content hash, a purpose.
    """

    def __init__(self, *parts: int | str) -> None:
        digest = hashlib.sha256("\0".join(str(part) for part in parts).encode()).digest()
        self._random = random.Random(int.from_bytes(digest, "big"))

    def uniform(self) -> float:
        """A number in [0, 1)."""
        return self._random.random()

    def below(self, limit: int) -> int:
        """A whole number in [0, limit)."""
        return int(self._random.random() * limit)

    def between(self, low: int, high: int) -> int:
        """A whole number in [low, high], both ends included."""
        return low + self.below(high - low + 1)

    def log_between(self, low: float, high: float) -> float:
        """A number in [low, high) whose logarithm is uniform: short and long are as likely per doubling."""
        return math.exp(math.log(low) + self.uniform() * (math.log(high) - math.log(low)))

    def choice(self, values: Sequence[T]) -> T:
        """One of the values."""
        return values[self.below(len(values))]

    def weighted(self, table: Sequence[tuple[T, float]]) -> T:
        """One of the values by its weight."""
        mark = self.uniform() * sum(weight for _, weight in table)
        for value, weight in table:
            mark -= weight
            if mark < 0:
                return value
        return table[-1][0]

    def shuffled(self, values: Sequence[T]) -> list[T]:
        """The values in a new order (Fisher and Yates)."""
        shuffled = list(values)
        for last in range(len(shuffled) - 1, 0, -1):
            other = self.below(last + 1)
            shuffled[last], shuffled[other] = shuffled[other], shuffled[last]
        return shuffled


def unit_interval(*parts: int | str) -> float:
    """A number in [0, 1) that its parts alone decide."""
    digest = hashlib.sha256("\0".join(str(part) for part in parts).encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64
