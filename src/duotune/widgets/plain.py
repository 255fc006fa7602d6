"""Plain ASCII for terminals that know no more: the last step before text is painted, for Textual's own signs too."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

_SIGNS = {
    "-": "─━═╌╍┄┅┈┉╴╶╸╺▔‐‑‒–—−·•",
    "_": "▁",
    "|": "│┃║┆┇┊┋╎╏▏▎▍▌▋▊▉▕▐",
    "+": "┌┐└┘├┤┬┴┼┏┓┗┛┣┫┳┻╋╔╗╚╝╠╣╦╩╬╭╮╰╯✓±▸",
    "#": "█▓▒▀▄■",
    " ": "▂▃▅▆▇░",
    "x": "✗×",
    ">": "▶→",
    "<": "◀←",
    "^": "▲↑",
    "v": "▼▾↓",
    "*": "●",
    "o": "○",
    ".": "…",
    "'": "‘’′",
    '"': "“”„",
}
_OF = {ord(sign): plain for plain, signs in _SIGNS.items() for sign in signs}
KEYS = {"⏎": "enter", "↑": "up", "↓": "down", "←": "left", "→": "right", "␣": "space", "⌫": "backspace", "⭾": "tab"}
"""Names of the keys that Textual shows as a sign."""


class Plain(LineFilter):
    """Puts an ASCII character of the same width in the place of each other one."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The segments with plain text.

        Args:
            segments: Of one line.
            background: What is behind it.
        """
        return [
            segment if segment.text.isascii() else Segment(plain(segment.text), segment.style, segment.control)
            for segment in segments
        ]


def plain(text: str) -> str:
    """A text in ASCII, as wide as before: letters lose their accents, and what has no likeness is a question mark."""
    return "".join(character if character.isascii() else _likeness(character) for character in text)


@lru_cache(4096)
def _likeness(character: str) -> str:
    if found := _OF.get(ord(character)):
        return found
    width = cell_len(character)
    if unicodedata.category(character) == "So":
        return " " * width  # a picture that says nothing that words beside it do not
    letters = "".join(one for one in unicodedata.normalize("NFKD", character) if one.isascii() and one.isprintable())
    return letters if len(letters) == width else "?" * width
