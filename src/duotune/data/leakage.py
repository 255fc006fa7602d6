"""Near-duplicates across the split: found by comparing all signatures, and measured from the texts themselves."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from duotune.data.similarity import THRESHOLD, Shingles, jaccard, signature_matrix

# Five standard deviations of the estimate below the threshold.
_WORTH_A_LOOK = 0.55


def leaking(
    less: Sequence[int],
    held_out: Sequence[int],
    signed: Sequence[bytes],
    contents: Sequence[str],
    shingles_of: Callable[[int], Shingles],
) -> list[int]:
    """The files that repeat one held out further from training: the same text, or a true similarity of at least 0.7.

    Every pair is compared by the low bytes of its signatures (b-bit MinHash, Li and König 2010), which costs a
    quarter of the memory traffic; the pairs that look alike are compared shingle by shingle.

    Args:
        less: Positions of the files that may leak, such as those trained on.
        held_out: Positions of the files that they may repeat.
        signed: Signature of every position.
        contents: Content hash of every position.
        shingles_of: The shingles of a position.

    Returns:
        Leaking positions of `less`, in its order.
    """
    copies = {contents[position] for position in held_out}
    found = {position for position in less if contents[position] in copies}
    rows, matrix = signature_matrix([signed[position] for position in less])
    lows = np.ascontiguousarray(matrix.astype(np.uint8))
    others, other_matrix = signature_matrix([signed[position] for position in held_out])
    for other, signature in zip(others, other_matrix.astype(np.uint8), strict=True):
        agreement = np.count_nonzero(lows == signature, axis=1) / max(1, lows.shape[1])
        for row in np.flatnonzero(agreement >= _WORTH_A_LOOK):
            position = less[int(rows[row])]
            if position in found:
                continue
            if jaccard(shingles_of(position), shingles_of(held_out[int(other)])) >= THRESHOLD:
                found.add(position)
    return [position for position in less if position in found]


def crossing(splits: Sequence[Sequence[int]], contents: Sequence[str], shingles_of: Callable[[int], Shingles]) -> int:
    """How many files repeat one of a later split: the same text, or a true similarity of at least 0.7.

    Every file's shingles are looked up among those of all files of later splits: no signature and no cluster takes
    part, so it tells what those overlooked. About a millisecond per file.

    Args:
        splits: Positions by split: train, validation, test.
        contents: Content hash of every position.
        shingles_of: The shingles of a position.
    """
    owners = [(position, level) for level, positions in enumerate(splits) for position in positions if level]
    levels = np.array([level for _, level in owners], dtype=np.int64)
    sets = [shingles_of(position) for position, _ in owners]
    sizes = np.array([len(hashes) for hashes in sets], dtype=np.int64)
    flat = np.concatenate([np.empty(0, dtype=np.uint64), *sets])
    order = np.argsort(flat, kind="stable")
    hashes, owner = flat[order], np.repeat(np.arange(len(sets)), sizes)[order]
    found = 0
    for level, positions in enumerate(splits[:-1]):
        later = levels > level
        copies = {contents[position] for position, of in owners if of > level}
        for position in positions:
            own = shingles_of(position)
            shared = _shared(own, hashes, owner, len(sets))
            alike = shared / np.maximum(1, len(own) + sizes - shared) >= THRESHOLD
            found += contents[position] in copies or bool((alike & later).any())
    return found


def _shared(own: Shingles, hashes: Shingles, owner: NDArray[np.int64], owners: int) -> NDArray[np.int64]:
    """How many of the shingles each owner has too; `hashes` are sorted, `owner` says whose each is."""
    starts, ends = np.searchsorted(hashes, own, side="left"), np.searchsorted(hashes, own, side="right")
    counts = ends - starts
    runs = np.repeat(starts - (np.cumsum(counts) - counts), counts) + np.arange(counts.sum())
    return np.bincount(owner[runs], minlength=owners)
