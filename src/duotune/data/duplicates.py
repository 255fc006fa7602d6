"""Which files of one project repeat another."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from duotune.data.clusters import near_duplicates
from duotune.data.part_files import Texts
from duotune.data.parts import PartFile
from duotune.data.reasons import Reason
from duotune.data.similarity import Shingles, shingles


def deduplicated(files: list[PartFile], texts: Texts) -> list[PartFile]:
    """The files again, each that repeats an earlier kept one saying so."""
    repeats: dict[int, tuple[int, Reason]] = {}
    first: dict[str, int] = {}
    for row, file in enumerate(files):
        original = first.setdefault(file.content, row)
        if original != row:
            repeats[row] = original, Reason.EXACT_DUPLICATE

    @lru_cache(maxsize=512)
    def shingles_of(row: int) -> Shingles:
        return shingles(texts.text(row))

    # Exact copies are out of the comparison, and need none.
    signed = (b"" if row in repeats else texts.signature(row) for row in range(len(files)))
    for row, original in near_duplicates(signed, shingles_of, lambda later, earlier: True).items():
        repeats[row] = original, Reason.NEAR_DUPLICATE
    return [
        replace(file, repeats=files[repeats[row][0]].path, reason=repeats[row][1]) if row in repeats else file
        for row, file in enumerate(files)
    ]
