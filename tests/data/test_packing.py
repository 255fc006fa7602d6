"""Packing loses nothing, overfills nothing and leaves little room."""

from __future__ import annotations

import os
import subprocess
import sys

from hypothesis import given
from hypothesis import strategies as st

from duotune.data.dice import Dice
from duotune.data.packing import pack


@given(st.lists(st.integers(1, 64), max_size=200))
def test_every_document_is_in_exactly_one_row_that_takes_it(lengths: list[int]) -> None:
    rows = pack(lengths, 64, Dice(0))
    assert sorted(document for row in rows for document in row) == list(range(len(lengths)))
    assert all(0 < sum(lengths[document] for document in row) <= 64 for row in rows)


def test_rows_are_nearly_full_and_their_order_is_not_by_length() -> None:
    dice = Dice("lengths")
    lengths = [int(dice.log_between(8, 512)) for _ in range(2000)]
    rows = pack(lengths, 512, Dice(0))
    assert sum(lengths) / (512 * len(rows)) > 0.99
    longest = [max(lengths[document] for document in row) for row in rows]
    assert longest != sorted(longest, reverse=True)
    assert rows == pack(lengths, 512, Dice(0))
    assert rows != pack(lengths, 512, Dice(1))


@given(st.lists(st.integers(1, 512), max_size=300), st.integers(0, 5))
def test_best_fit_never_opens_a_row_that_another_could_have_taken(lengths: list[int], seed: int) -> None:
    """No two rows are both at most half full, and the same choice comes out again."""
    rows = pack(lengths, 512, Dice(seed))
    filled = sorted(sum(lengths[document] for document in row) for row in rows)
    assert sum(filled[:2]) > 512 or len(filled) < 2
    assert rows == pack(lengths, 512, Dice(seed))


def test_rows_are_the_same_in_another_process() -> None:
    """Neither the hash seed of the process nor its history takes part."""
    script = (
        "from duotune.data.dice import Dice\n"
        "from duotune.data.packing import pack\n"
        "dice = Dice('lengths')\n"
        "print(pack([dice.between(1, 512) for _ in range(500)], 512, Dice(3, 'pack', 'train')))\n"
    )
    answers = [
        subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    dice = Dice("lengths")
    here = pack([dice.between(1, 512) for _ in range(500)], 512, Dice(3, "pack", "train"))
    assert answers == [f"{here}\n"] * 2
