"""Text in plain ASCII: as wide as before, and as like as can be."""

from __future__ import annotations

import pytest
from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.color import Color

from duotune.widgets.plain import Plain, plain


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("abc", "abc"),
        ("┌─┐│└─┘", "+-+|+-+"),
        ("Größe é", "Gro?e e"),
        ("文", "??"),
        ("🔎 Search…", "   Search."),
        ("▁▂▅▇", "_   "),
    ],
)
def test_a_text_keeps_its_width(text: str, shown: str) -> None:
    assert plain(text) == shown
    assert cell_len(shown) == cell_len(text)


def test_styles_and_plain_segments_stay() -> None:
    bold = Style(bold=True)
    first = Segment("abc", bold)
    assert Plain().apply([first, Segment("─", bold)], Color(0, 0, 0)) == [first, Segment("-", bold)]
