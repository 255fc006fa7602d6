"""Whether what surrounds a held-out place occurs word for word in a training file.

Files below the near-duplicate threshold still share passages: 11 % of six-line windows in one corpus, after a split by
cluster. Such an item would measure memory. Blank lines and indentation do not count.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from duotune.data.items import Hole

WINDOW_LINES = 6
# One or two lines of a gold answer identify it only when they are long: `return result` is in every file.
MIN_GOLD_CHARACTERS = 40
_LOOK_CHARACTERS = 4000
_MIX = np.uint64(0xBF58476D1CE4E5B9)
_SPREAD = np.uint64(0x9E3779B97F4A7C15)

Hashes = NDArray[np.uint64]


class TrainingLines:
    """Which of the held-out places' runs of lines occur in training files.

    Only the hashes that holes ask for are kept, so that memory does not grow with the training text.

    Args:
        holes: All holes that will be asked about.
        texts: The training files.
    """

    def __init__(self, holes: Iterable[Hole], texts: Iterable[str]) -> None:
        self._wanted = {hole: _runs(hole) for hole in holes}
        by_length: dict[int, set[int]] = {}
        for runs in self._wanted.values():
            for length, value in runs:
                by_length.setdefault(length, set()).add(value)
        asked = {n: np.array(sorted(values), dtype=np.uint64) for n, values in by_length.items()}
        self._found: set[tuple[int, int]] = set()
        for text in texts:
            lines = _line_hashes(_lines(text))
            for length, values in asked.items():
                windows = _windows(lines, length)
                places = np.minimum(values.searchsorted(windows), len(values) - 1)
                self._found.update((length, int(value)) for value in windows[values[places] == windows])

    def clean(self, hole: Hole) -> bool:
        """Whether no training file holds a six-line window that touches the hole, or the hole's lines alone."""
        return self._found.isdisjoint(self._wanted[hole])


def _runs(hole: Hole) -> list[tuple[int, int]]:
    """The runs of lines that must not occur in training: their length and hash."""
    text = hole.file.text
    start = text.rfind("\n", 0, hole.span.start) + 1
    line_end = text.find("\n", hole.span.end)
    end = len(text) if line_end < 0 else line_end
    before = _lines(text[max(0, start - _LOOK_CHARACTERS) : start])[-(WINDOW_LINES - 1) :]
    target = _lines(text[start:end])
    after = _lines(text[end : end + _LOOK_CHARACTERS])[: WINDOW_LINES - 1]
    around = _line_hashes([*before, *target, *after])
    runs = [(WINDOW_LINES, int(value)) for value in _windows(around, WINDOW_LINES)]
    if len(target) < WINDOW_LINES and sum(map(len, target)) >= MIN_GOLD_CHARACTERS:
        runs += [(len(target), int(value)) for value in _windows(_line_hashes(target), len(target))]
    return runs


def _lines(text: str) -> list[str]:
    return list(filter(None, map(str.strip, text.split("\n"))))


def _line_hashes(lines: Sequence[str]) -> Hashes:
    """64 bits per line; CRC-32 and the length together, since a wrong hit only costs an item."""
    encoded = [line.encode() for line in lines]
    values = np.fromiter(map(crc32, encoded), dtype=np.uint64, count=len(encoded))
    values |= np.fromiter(map(len, encoded), dtype=np.uint64, count=len(encoded)) << np.uint64(32)
    values *= _SPREAD
    return values ^ (values >> np.uint64(29))


def _windows(lines: Hashes, length: int) -> Hashes:
    """Hash of every run of `length` lines."""
    count = len(lines) - length + 1
    if count <= 0:
        return np.empty(0, dtype=np.uint64)
    combined = lines[:count].copy()
    for offset in range(1, length):
        combined = combined * _MIX + lines[offset : offset + count]
        combined ^= combined >> np.uint64(31)
    return combined
