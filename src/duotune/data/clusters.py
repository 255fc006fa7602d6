"""Near-duplicate clusters: candidate pairs by locality-sensitive hashing, and the components they form."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from duotune.data.similarity import THRESHOLD, Shingles, Signatures, jaccard, signature_matrix

BANDS = 32
ROWS = 8
# A pair is linked when its signatures agree this far. The estimate's standard deviation at 0.7 is 0.03, so this admits
# practically every true pair above 0.7; a pair below it that is linked only shares a split, and loses nothing.
LINKED = 0.62
# Thousands of files with one boilerplate text share a bucket; its first members speak for the rest, or the number of
# pairs would grow with the square.
BUCKET_MEMBERS = 256
_SPREAD = np.uint64(0x9E3779B97F4A7C15)


class Components:
    """Disjoint sets of the numbers 0 … n-1 (union by smallest member)."""

    def __init__(self, count: int) -> None:
        self._parent = list(range(count))

    def find(self, member: int) -> int:
        """The smallest member of the set that holds `member`."""
        root = member
        while self._parent[root] != root:
            root = self._parent[root]
        while self._parent[member] != root:
            self._parent[member], member = root, self._parent[member]
        return root

    def join(self, left: int, right: int) -> None:
        """Make one set of two."""
        low, high = sorted((self.find(left), self.find(right)))
        self._parent[high] = low


def linked_pairs(signed: Iterable[bytes]) -> Iterator[tuple[int, list[int]]]:
    """For each signature, the earlier ones that it is linked to: they share a band and agree in 62 % of their values.

    Args:
        signed: Signatures as `similarity.signatures` makes them, in an order that is the same on every run.

    Yields:
        Position and the earlier positions linked to it, ascending; only where there are any.
    """
    positions, matrix = signature_matrix(signed)
    buckets = [_Buckets(matrix[:, band * ROWS : (band + 1) * ROWS]) for band in range(BANDS)]
    followers = np.zeros(len(matrix), dtype=bool)
    for bucket in buckets:
        followers |= bucket.rank > 0
    for row in map(int, np.flatnonzero(followers)):
        linked = _agreeing(matrix, row, np.unique(np.concatenate([bucket.before(row) for bucket in buckets])))
        if linked:
            yield int(positions[row]), [int(positions[other]) for other in linked]


def near_duplicates(
    signed: Iterable[bytes], shingles_of: Callable[[int], Shingles], may_compare: Callable[[int, int], bool]
) -> dict[int, int]:
    """The texts that repeat an earlier kept one, in the order of `signed`.

    A text is left out when its true similarity with an earlier text that is itself kept is at least 0.7; so no two
    kept texts are known to be near-duplicates, and a chain of small changes keeps its ends.

    Args:
        signed: Signatures.
        shingles_of: The shingles of a position, asked for candidates only.
        may_compare: Whether a pair (later, earlier) needs a look.

    Returns:
        Left-out position -> the kept position that it repeats.
    """
    repeats: dict[int, int] = {}
    for later, earlier in linked_pairs(signed):
        for other in earlier:
            if other in repeats or not may_compare(later, other):
                continue
            if jaccard(shingles_of(later), shingles_of(other)) >= THRESHOLD:
                repeats[later] = other
                break
    return repeats


class _Buckets:
    """Rows by the values of one band.

    Args:
        values: The band of every signature, [rows, ROWS].

    Attributes:
        rank: How many earlier rows have the same values, for each row.
    """

    def __init__(self, values: Signatures) -> None:
        # Two bands with one hash only cost a comparison of their signatures.
        hashes = np.zeros(len(values), dtype=np.uint64)
        for column in values.T:
            hashes = (hashes ^ column) * _SPREAD
            hashes ^= hashes >> np.uint64(29)
        order = np.argsort(hashes, kind="stable")
        ordered = hashes[order]
        begins = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1])) if len(order) else order
        first = np.repeat(begins, np.diff(np.append(begins, len(order))))
        self._order = order.astype(np.int32)
        self._first = np.empty(len(order), dtype=np.int32)
        self._first[order] = first
        self.rank = np.empty(len(order), dtype=np.int32)
        self.rank[order] = np.arange(len(order)) - first

    def before(self, row: int) -> NDArray[np.int32]:
        """The earlier rows with the same values, the first ones of them where there are many."""
        start = self._first[row]
        return self._order[start : start + min(self.rank[row], BUCKET_MEMBERS)]


def _agreeing(matrix: Signatures, row: int, others: NDArray[np.int32]) -> list[int]:
    agreement = np.count_nonzero(matrix[others] == matrix[row], axis=1) / matrix.shape[1]
    return [int(other) for other in others[agreement >= LINKED]]
