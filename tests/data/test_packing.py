"""Packing loses nothing, overfills nothing and leaves little room."""

from __future__ import annotations

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
