"""Blocks laid out for a width: text is wrapped at words, and a table that is too wide is told row by row."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import zip_longest

from rich.cells import cell_len, chop_cells

from duotune.widgets.glyphs import glyphs
from duotune.widgets.markdown import Block, Code, Heading, Paragraph, Table

Piece = tuple[str, str]
"""A text, and what it is: title, heading, strong, code, muted, or empty for plain."""
Row = tuple[Piece, ...]

GAP = 2
LEAST = 10
"""The narrowest page, and the narrowest column of text in a table."""
LONGEST_WORD = 24
"""A longer word may be broken in a column of a table."""
LABEL = 24
_INLINE = re.compile(r"\*\*(.+?)\*\*|`([^`]+)`")
_WORD = re.compile(r"\s*\S+")


def laid_out(blocks: Sequence[Block], width: int) -> list[Row]:
    """The rows of a page.

    Args:
        blocks: What it says.
        width: Cells of a row.
    """
    width, rows = max(width, LEAST), list[Row]()
    before: Block | None = None
    for block in blocks:
        listed = isinstance(block, Paragraph) and block.bullet and isinstance(before, Paragraph) and before.bullet
        rows += [] if before is None or listed else [()]
        rows += _rows(block, width)
        before = block
    return rows


def wrapped(text: str, width: int) -> list[str]:
    """A line as rows of so many cells, broken between words; inside one only where it is longer than a row."""
    if len(text) <= width and text.isascii():
        return [text]
    rows, row, room = [], "", width
    for match in _WORD.finditer(text):
        word, size = match[0], cell_len(match[0])
        if size > room and row:
            rows.append(row)
            row, room = "", width
            word = word.lstrip()
            size = cell_len(word)
        if size > width:
            *whole, word = chop_cells(word, width)
            rows += whole
            size = cell_len(word)
        row, room = row + word, room - size
    return [*rows, row]


def _rows(block: Block, width: int) -> Iterator[Row]:
    match block:
        case Heading():
            for text in wrapped(block.text, width):
                yield ((text, "title" if block.level == 1 else "heading"),)
        case Paragraph():
            bullet = f"{glyphs().bullet} " if block.bullet else ""
            for number, row in enumerate(_told(block.text, width - len(bullet))):
                yield ((bullet if number == 0 else " " * len(bullet), ""), *row)
        case Code():
            for line in block.lines:
                for text in wrapped(line, width - 2):
                    yield (("│ ", "muted"), (text, "code"))
        case Table():
            widths = _widths(block, width)
            yield from _records(block, width) if widths is None else _grid(block, widths)


def _told(text: str, width: int) -> Iterator[Row]:
    """Sentences with their emphases, wrapped."""
    pieces, at = [], 0
    for match in _INLINE.finditer(text):
        pieces += [(text[at : match.start()], ""), (match[1] or match[2], "strong" if match[1] else "code")]
        at = match.end()
    pieces.append((text[at:], ""))
    plain, offset = "".join(piece for piece, _ in pieces), 0
    for row in wrapped(plain, width):
        start = plain.index(row, offset)
        offset = start + len(row)
        yield tuple(_between(pieces, start, offset))


def _between(pieces: Sequence[Piece], start: int, end: int) -> Iterator[Piece]:
    at = 0
    for text, kind in pieces:
        if cut := text[max(start - at, 0) : max(end - at, 0)]:
            yield cut, kind
        at += len(text)


def _plain(text: str) -> str:
    return _INLINE.sub(lambda match: match[1] or match[2], text)


def _widths(table: Table, width: int) -> list[int] | None:
    """Cells of each column; None where the table cannot be narrow enough to be read."""
    widths, least = [], []
    for number, head in enumerate(table.heads):
        cells = [_plain(row[number]) for row in table.rows]
        longest = max((cell_len(word) for text in (head, *cells) for word in text.split()), default=0)
        widths.append(max(map(cell_len, (head, *cells))))
        if table.right[number]:  # figures are not broken, their headings are
            least.append(max([*map(cell_len, cells), *map(cell_len, head.split()), 1]))
        else:
            least.append(max(min(longest, LONGEST_WORD), min(widths[-1], LEAST)))
    while sum(widths) + GAP * (len(widths) - 1) > width:
        spare = [number for number, own in enumerate(widths) if own > least[number]]
        if not spare:
            return None
        widths[max(spare, key=lambda number: widths[number])] -= 1
    return widths


def _grid(table: Table, widths: Sequence[int]) -> Iterator[Row]:
    if any(table.heads):
        heads = [wrapped(head, width) for head, width in zip(table.heads, widths, strict=True)]
        height = max(map(len, heads))
        yield from _line([[""] * (height - len(head)) + head for head in heads], table, widths, "strong")
        yield (("─" * (sum(widths) + GAP * (len(widths) - 1)), "muted"),)
    for row in table.rows:
        yield from _line([wrapped(_plain(cell), width) for cell, width in zip(row, widths, strict=True)], table, widths)


def _line(cells: Sequence[Sequence[str]], table: Table, widths: Sequence[int], kind: str = "") -> Iterator[Row]:
    """One row of a table, as many rows of the page as its highest cell."""
    for number in range(max(map(len, cells))):
        texts = []
        for cell, right, width in zip(cells, table.right, widths, strict=True):
            text = cell[number] if number < len(cell) else ""
            pad = " " * (width - cell_len(text))
            texts.append(pad + text if right else text + pad)
        yield (((" " * GAP).join(texts).rstrip(), kind),)


def _records(table: Table, width: int) -> Iterator[Row]:
    """Each row by itself: its first cell, and below it what the other columns say."""
    label = min(LABEL, width // 2 - GAP, max(map(cell_len, table.heads[1:]), default=0)) + GAP
    for number, row in enumerate(table.rows):
        if number:
            yield ()
        for text in wrapped(_plain(row[0]), width):
            yield ((text, "strong"),)
        for head, cell in zip(table.heads[1:], row[1:], strict=True):
            names = wrapped(head, label - GAP)
            values = wrapped(_plain(cell), width - label - GAP)
            for name, value in zip_longest(names, values, fillvalue=""):
                yield ((" " * GAP + name + " " * (label - cell_len(name)), "muted"), (value, ""))
