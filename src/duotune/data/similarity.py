"""How alike two texts are: sets of five-word shingles, their Jaccard similarity, and MinHash signatures of them.

Words are runs of letters, digits, underscores and non-ASCII bytes, so that layout, quotes and brackets do not hide a
copy. The similarity and the signature are those of BigCode's near-deduplication (5-grams, 256 permutations, 0.7).
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Sequence
from typing import Any, cast
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

SHINGLE_WORDS = 5
PERMUTATIONS = 256
THRESHOLD = 0.7
# Shorter texts have too few shingles for a similarity to mean anything: in MinHash they all collide.
MIN_WORDS = 10

Shingles = NDArray[np.uint64]
Signatures = NDArray[np.uint32]

# Signatures are recorded for years; one made by another scheme is never compared.
_SCHEME = b"\x01"
_SEED = 1
_WORD = re.compile(rb"[\w\x80-\xff]+")
_SPREAD = np.uint64(0x9E3779B97F4A7C15)
_MIX = np.uint64(0xBF58476D1CE4E5B9)


def shingles(text: str) -> Shingles:
    """The distinct shingles of a text as sorted 64-bit hashes; empty when it has fewer than ten words."""
    words = _WORD.findall(text.encode())
    if len(words) < MIN_WORDS:
        return np.empty(0, dtype=np.uint64)
    hashes = np.fromiter(map(crc32, words), dtype=np.uint64, count=len(words)) * _SPREAD
    hashes ^= hashes >> np.uint64(29)
    count = len(hashes) - SHINGLE_WORDS + 1
    combined = hashes[:count].copy()
    for offset in range(1, SHINGLE_WORDS):
        combined = combined * _MIX + hashes[offset : offset + count]
        combined ^= combined >> np.uint64(31)
    # `numpy.unique` hashes first, which takes twice as long.
    combined.sort()
    return combined[np.flatnonzero(np.append(True, combined[1:] != combined[:-1]))]


def jaccard(left: Shingles, right: Shingles) -> float:
    """Shared shingles over all shingles; 0 when either has none."""
    if not len(left) or not len(right):
        return 0.0
    shared = len(np.intersect1d(left, right, assume_unique=True))
    return shared / (len(left) + len(right) - shared)


def signatures(sets: Sequence[Shingles]) -> list[bytes]:
    """MinHash signatures, one per set: a scheme byte and 256 little-endian 32-bit values; empty for an empty set."""
    from rensa import RMinHash

    present = [index for index, hashes in enumerate(sets) if len(hashes)]
    signed = [b""] * len(sets)
    if present:
        flat = np.concatenate([sets[index] for index in present])
        offsets = np.cumsum([0, *(len(sets[index]) for index in present)]).astype(np.uint64)
        rows = RMinHash.digest_matrix_from_flat_token_hashes(flat, offsets, PERMUTATIONS, _SEED).to_rows()
        matrix = np.asarray(rows, dtype="<u4")
        for index, row in zip(present, matrix, strict=True):
            signed[index] = _SCHEME + row.tobytes()
    return signed


def signature_matrix(signed: Iterable[bytes]) -> tuple[NDArray[np.int64], Signatures]:
    """The signatures of the present scheme, with their positions in `signed`.

    Returns:
        Positions [n] and values [n, 256].
    """
    usable, values = _usable(signed, np.dtype("<u4"))
    return usable, cast(Signatures, values)


def low_bytes(signed: Iterable[bytes]) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """The same of the lowest byte of each value alone."""
    usable, values = _usable(signed, np.dtype(np.uint8))
    return usable, cast(NDArray[np.uint8], values)


def _usable(signed: Iterable[bytes], kind: np.dtype[Any]) -> tuple[NDArray[np.int64], NDArray[Any]]:
    """Signatures are taken one by one: all of them would be as large as the matrix is."""
    length = len(_SCHEME) + 4 * PERMUTATIONS
    usable, values = array("q"), bytearray()
    for position, value in enumerate(signed):
        if len(value) == length and value.startswith(_SCHEME):
            usable.append(position)
            values += np.frombuffer(value, dtype="<u4", offset=len(_SCHEME)).astype(kind).tobytes()
    return np.array(usable, dtype=np.int64), np.frombuffer(values, dtype=kind).reshape(len(usable), PERMUTATIONS)
