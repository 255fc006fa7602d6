"""Near-duplicates across the split: found by comparing all signatures, and measured from the texts themselves."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from duotune.data.similarity import THRESHOLD, Shingles, jaccard, low_bytes

# Five standard deviations of the estimate below the threshold.
_WORTH_A_LOOK = 0.55
# More than five standard deviations too, of the estimate from fewer values.
_FIRST_LOOK = 64
_FIRST_AGREEMENT = 24
_RUN_SHINGLES = 2**18
_KNOWN = 2**23
# Sets up to this size are kept whole: of a small one a quarter would say too little.
_WHOLE = 400
_CUT = np.uint64(2**62)


def leaking(
    less: Sequence[int],
    held_out: Sequence[int],
    signature_of: Callable[[int], bytes],
    contents: Sequence[str],
    shingles_of: Callable[[int], Shingles],
) -> list[int]:
    """The files that repeat one held out further from training: the same text, or a true similarity of at least 0.7.

    Every pair is compared by the low bytes of its signatures (b-bit MinHash, Li and König 2010): first by a quarter of
    them, value by value, where a row of numbers is one instruction; the pairs that look alike by all of them, and those
    that still do shingle by shingle.

    Args:
        less: Positions of the files that may leak, such as those trained on.
        held_out: Positions of the files that they may repeat.
        signature_of: The signature of a position.
        contents: Content hash of every position.
        shingles_of: The shingles of a position.

    Returns:
        Leaking positions of `less`, in its order.
    """
    copies = {contents[position] for position in held_out}
    found = {position for position in less if contents[position] in copies}
    rows, lows = low_bytes(map(signature_of, less))
    columns = np.ascontiguousarray(lows[:, :_FIRST_LOOK].T)
    for other, signature in zip(*low_bytes(map(signature_of, held_out)), strict=True):
        for row in _alike(lows, columns, signature):
            position = less[int(rows[row])]
            if position in found:
                continue
            if jaccard(shingles_of(position), shingles_of(held_out[int(other)])) >= THRESHOLD:
                found.add(position)
    return [position for position in less if position in found]


def _alike(lows: NDArray[np.uint8], columns: NDArray[np.uint8], signature: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Rows of `lows` that agree with a signature; `columns` holds their first values, column by column."""
    agreement = np.zeros(len(lows), dtype=np.uint8)
    for column, value in zip(columns, signature, strict=False):
        agreement += (column == value).view(np.uint8)
    rows = np.flatnonzero(agreement >= _FIRST_AGREEMENT)
    alike: NDArray[np.int64] = rows[np.count_nonzero(lows[rows] == signature, axis=1) >= _WORTH_A_LOOK * lows.shape[1]]
    return alike


def crossing(
    splits: Sequence[Sequence[int]],
    contents: Sequence[str],
    sets_of: Callable[[Sequence[int]], Iterable[Shingles]],
    shingles_of: Callable[[int], Shingles],
    progress: Callable[[int, int], None],
) -> int:
    """How many files repeat one of a later split: the same text, or a true similarity of at least 0.7.

    Every file's shingles are looked up among those of all files of later splits: no signature and no cluster takes
    part, so it tells what those overlooked. About a millisecond per file.

    Args:
        splits: Positions by split: train, validation, test.
        contents: Content hash of every position.
        sets_of: The shingles of some positions, in their order.
        shingles_of: The shingles of one position, asked for the few files that look alike.
        progress: Told how many files were measured, and of how many.
    """
    owners = [(position, level) for level, positions in enumerate(splits) for position in positions if level]
    levels = np.array([level for _, level in owners], dtype=np.int64)
    index = _Index(sets_of([position for position, _ in owners]))
    found = done = 0
    for level, positions in enumerate(splits[:-1]):
        later = levels > level
        copies = {contents[position] for position, of in owners if of > level}
        for position, own in zip(positions, sets_of(positions), strict=True):
            alike = (owners[place][0] for place in np.flatnonzero(index.may_repeat(own) & later))
            found += contents[position] in copies or any(
                jaccard(own, shingles_of(other)) >= THRESHOLD for other in alike
            )
            done += 1
            progress(done, sum(map(len, splits[:-1])))
    return found


class _Index:
    """Whose shingles are whose, in sorted runs of some hundred thousand, so that sorting needs little memory besides.

    Of a large set only the quarter with the lowest hashes is kept. What a file may share with the other three quarters
    is known from their sizes, which rules out all but a few: two equally large sets with a similarity of 0.7 share at
    least 30 % of the quarter.

    Args:
        sets: The shingles of each owner.
    """

    def __init__(self, sets: Iterable[Shingles]) -> None:
        self._runs: list[tuple[Shingles, NDArray[np.int32]]] = []
        self._known = np.zeros(_KNOWN, dtype=bool)  # by the low bits, so that most others are not searched for
        sizes, left_out = array("q"), array("q")
        waiting: list[Shingles] = []
        first = held = 0
        for hashes in sets:
            kept = hashes if len(hashes) <= _WHOLE else hashes[: hashes.searchsorted(_CUT)].copy()
            sizes.append(len(hashes))
            left_out.append(len(hashes) - len(kept))
            self._known[_low(kept)] = True
            waiting.append(kept)
            held += len(kept)
            if held >= _RUN_SHINGLES:
                self._runs.append(_run(waiting, first))
                waiting, first, held = [], len(sizes), 0
        if waiting:
            self._runs.append(_run(waiting, first))
        self._sizes, self._left_out = np.array(sizes, dtype=np.int64), np.array(left_out, dtype=np.int64)

    def may_repeat(self, own: Shingles) -> NDArray[np.bool_]:
        """Which owners may have a similarity of at least 0.7 with some shingles; certainly those that have."""
        shared = self._shared(own) + np.minimum(self._left_out, len(own) - own.searchsorted(_CUT))
        alike: NDArray[np.bool_] = shared / np.maximum(1, len(own) + self._sizes - shared) >= THRESHOLD
        return alike

    def _shared(self, own: Shingles) -> NDArray[np.int64]:
        """How many of some shingles each owner has among those that are kept."""
        shared = np.zeros(len(self._sizes), dtype=np.int64)
        own = own[self._known[_low(own)]]
        for hashes, owner in self._runs:
            starts, ends = np.searchsorted(hashes, own, side="left"), np.searchsorted(hashes, own, side="right")
            counts = ends - starts
            places = np.repeat(starts - (np.cumsum(counts) - counts), counts) + np.arange(counts.sum())
            shared += np.bincount(owner[places], minlength=len(shared))
        return shared


def _low(hashes: Shingles) -> NDArray[np.int64]:
    return (hashes & np.uint64(_KNOWN - 1)).astype(np.int64)


def _run(sets: Sequence[Shingles], first: int) -> tuple[Shingles, NDArray[np.int32]]:
    """All shingles of some owners, sorted, and whose each is; the first owner has the number `first`."""
    flat = np.concatenate(sets)
    order = np.argsort(flat)
    owner = np.repeat(np.arange(first, first + len(sets), dtype=np.int32), [len(hashes) for hashes in sets])
    return flat[order], owner[order]
