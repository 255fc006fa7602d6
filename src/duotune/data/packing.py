"""Documents into rows of one length: best-fit decreasing, then rows in a shuffled order."""

from __future__ import annotations

from collections.abc import Sequence

from duotune.data.dice import Dice


def pack(lengths: Sequence[int], row_length: int, dice: Dice) -> list[list[int]]:
    """Put documents into rows so that little room is left.

    Best-fit decreasing: the longest document first, each into the row with the least room that still takes it. The rows
    with room for at least n tokens are found by the lowest set bit of a number, as in TRL's and Axolotl's packers a
    segment tree would. Best fit gathers documents of like lengths, so rows are shuffled; within a row documents too.

    Args:
        lengths: Tokens of each document, each at most `row_length`.
        row_length: Tokens of a row.
        dice: Where the order comes from.

    Returns:
        Rows as lists of positions in `lengths`.
    """
    order = sorted(dice.shuffled(range(len(lengths))), key=lambda position: -lengths[position])
    rows: list[list[int]] = []
    with_room: list[list[int]] = [[] for _ in range(row_length + 1)]
    open_rooms = 0
    for position in order:
        length = lengths[position]
        fitting = open_rooms >> length
        if fitting:
            room = length + (fitting & -fitting).bit_length() - 1
            row = with_room[room].pop()
            if not with_room[room]:
                open_rooms &= ~(1 << room)
        else:
            room, row = row_length, len(rows)
            rows.append([])
        rows[row].append(position)
        left = room - length
        if left:
            with_room[left].append(row)
            open_rooms |= 1 << left
    return [dice.shuffled(row) for row in dice.shuffled(rows)]
