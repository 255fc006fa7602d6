"""What is left of near-duplicates across the split, measured by brute force, independent of how clusters were found."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from duotune.data.similarity import THRESHOLD, Shingles, jaccard, signature_matrix

# Five standard deviations of the estimate below the threshold.
_WORTH_A_LOOK = 0.55


def leaking(
    train: Sequence[int],
    held_out: Sequence[int],
    signed: Sequence[bytes],
    contents: Sequence[str],
    shingles_of: Callable[[int], Shingles],
) -> list[int]:
    """The training files that repeat a validation or test file: the same text, or a true similarity of at least 0.7.

    Every pair is compared by the low bytes of its signatures (b-bit MinHash, Li and König 2010), which costs a
    quarter of the memory traffic; the pairs that look alike are compared shingle by shingle.

    Args:
        train: Positions of the training files.
        held_out: Positions of the validation and test files.
        signed: Signature of every position.
        contents: Content hash of every position.
        shingles_of: The shingles of a position.

    Returns:
        Leaking positions of `train`, in its order.
    """
    copies = {contents[position] for position in held_out}
    found = {position for position in train if contents[position] in copies}
    rows, matrix = signature_matrix([signed[position] for position in train])
    lows = np.ascontiguousarray(matrix.astype(np.uint8))
    others, other_matrix = signature_matrix([signed[position] for position in held_out])
    for other, signature in zip(others, other_matrix.astype(np.uint8), strict=True):
        agreement = np.count_nonzero(lows == signature, axis=1) / max(1, lows.shape[1])
        for row in np.flatnonzero(agreement >= _WORTH_A_LOOK):
            position = train[int(rows[row])]
            if position in found:
                continue
            if jaccard(shingles_of(position), shingles_of(held_out[int(other)])) >= THRESHOLD:
                found.add(position)
    return [position for position in train if position in found]
