"""The baseline: an interpolated Kneser-Ney 5-gram over the same tokens.

Kneser and Ney 1995, in the interpolated form of Chen and Goodman 1999, section 3, with one discount per order.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]
ORDER = 5


@dataclass(frozen=True)
class Level:
    """The n-grams of one order, as integers in base ``vocabulary``, sorted.

    Attributes:
        grams: Each n-gram seen.
        counts: How often (highest order), or after how many different tokens (below it).
        contexts: Each context seen, that is, an n-gram without its last token.
        totals: Sum of counts after each context.
        kinds: Number of different tokens after each context.
        discount: What is taken from every count.
    """

    grams: IntArray
    counts: IntArray
    contexts: IntArray
    totals: FloatArray
    kinds: FloatArray
    discount: float

    @classmethod
    def build(cls, grams: IntArray, counts: IntArray, vocabulary: int) -> "Level":
        """Group n-grams by context; the discount is ``n1 / (n1 + 2 n2)``."""
        contexts, starts = np.unique(grams // vocabulary, return_index=True)
        totals = np.add.reduceat(counts, starts).astype(np.float64)
        kinds = np.diff(np.append(starts, len(grams))).astype(np.float64)
        once, twice = int((counts == 1).sum()), int((counts == 2).sum())
        return cls(grams, counts, contexts, totals, kinds, once / max(1, once + 2 * twice))


class NGram:
    """A 5-gram model of token ids."""

    def __init__(self, tokens: IntArray, vocabulary: int) -> None:
        """Count the n-grams of a token stream.

        Args:
            tokens: The training stream, files joined by an end token.
            vocabulary: Number of ids; its fifth power must fit in 63 bits.
        """
        self.vocabulary = vocabulary
        coded = np.zeros(len(tokens) - ORDER + 1, dtype=np.int64)
        for place in range(ORDER):
            coded = coded * vocabulary + tokens[place : place + len(coded)]
        grams, counts = np.unique(coded, return_counts=True)
        self.levels = [Level.build(grams, counts, vocabulary)]
        for order in range(ORDER - 1, 0, -1):
            grams, counts = np.unique(grams % vocabulary**order, return_counts=True)
            self.levels.insert(0, Level.build(grams, counts, vocabulary))

    def probabilities(self, contexts: IntArray, following: IntArray) -> FloatArray:
        """Probability of one token after each context.

        Args:
            contexts: The four tokens before, shape ``(count, 4)``.
            following: The token whose probability is asked, shape ``(count,)``.
        """
        found = np.full(len(following), 1.0 / self.vocabulary)
        code = np.zeros(len(following), dtype=np.int64)
        for index, level in enumerate(self.levels):
            if index:
                code = code + contexts[:, -index] * self.vocabulary ** (index - 1)
            counts = _lookup(level.grams, level.counts, code * self.vocabulary + following)
            totals = _lookup(level.contexts, level.totals, code)
            kinds = _lookup(level.contexts, level.kinds, code)
            seen = totals > 0
            kept = np.maximum(counts - level.discount, 0.0) + level.discount * kinds * found
            found = np.where(seen, kept / np.where(seen, totals, 1.0), found)
        return found

    def most_likely(self, context: list[int]) -> int:
        """The most probable token after a context of at least four tokens."""
        found = np.full(self.vocabulary, 1.0 / self.vocabulary)
        code = 0
        for index, level in enumerate(self.levels):
            if index:
                code += context[-index] * self.vocabulary ** (index - 1)
            low, high = np.searchsorted(level.grams, [code * self.vocabulary, (code + 1) * self.vocabulary])
            if high > low:
                counts = level.counts[low:high]
                found = found * (level.discount * len(counts) / counts.sum())
                found[level.grams[low:high] % self.vocabulary] += (counts - level.discount) / counts.sum()
        return int(found.argmax())


def _lookup(keys: IntArray, values: NDArray[np.int64] | FloatArray, wanted: IntArray) -> FloatArray:
    places = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[places] == wanted, values[places], 0).astype(np.float64)
