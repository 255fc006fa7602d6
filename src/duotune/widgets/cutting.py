"""Texts that are too long for their place."""

from __future__ import annotations

from rich.cells import cell_len

from duotune.widgets.glyphs import glyphs


def ending(path: str, cells: int) -> str:
    """A path that fits into so many cells: of a longer one the end, which tells files apart, behind a mark."""
    if cell_len(path) <= cells:
        return path
    mark = glyphs().waiting
    room = max(cells - len(mark), 0)
    kept = path[len(path) - room :]  # a letter takes a cell at least
    while cell_len(kept) > room:
        kept = kept[1:]
    return f"{mark}{kept}"
