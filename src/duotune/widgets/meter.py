"""A bar of parts of a whole, each with a sign of its own so that colour is never the only difference."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from duotune.widgets.glyphs import glyphs


def bar(share: float, width: int) -> str:
    """A plain bar of a share between 0 and 1, `width` cells wide."""
    signs = glyphs()
    share = min(max(share, 0.0), 1.0)
    full = int(share * width)
    half = full < width and share * width - full >= 0.5
    return signs.full * full + (signs.part if half else "") + signs.empty * (width - full - half)


def stacked(parts: Sequence[tuple[float, str, str]], whole: float, width: int) -> Content:
    """A bar of several parts of a whole.

    Args:
        parts: Amount, sign (one cell) and style of each.
        whole: What the full width stands for; more than that is cut.
        width: In cells.
    """
    pieces, used, amount = [], 0, 0.0
    for value, sign, style in parts:
        amount += value
        end = min(width, round(width * amount / whole)) if whole else 0
        end = max(end, used + 1) if value > 0 and used < width else end  # what is there is seen
        pieces.append((sign * (end - used), style))
        used = max(used, end)
    return Content.assemble(*pieces, (glyphs().empty * (width - used), "$text-disabled"))
