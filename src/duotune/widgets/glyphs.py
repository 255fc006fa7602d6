"""Signs that say by shape what colour says too; plain ASCII where the terminal's encoding is not UTF-8."""

from __future__ import annotations

import locale
import os
from dataclasses import dataclass


@dataclass(frozen=True)
class Glyphs:
    """One set of signs."""

    good: str
    bad: str
    warning: str
    running: str
    waiting: str
    bullet: str
    full: str
    part: str
    empty: str
    arrow: str
    plus_minus: str
    braille: bool


UNICODE = Glyphs("✓", "✗", "!", "▶", "…", "•", "█", "▌", "░", "→", "±", True)
ASCII = Glyphs("+", "x", "!", ">", "...", "*", "#", "=", ".", "->", "+-", False)


def glyphs() -> Glyphs:
    """The set for this terminal; `DUOTUNE_ASCII=1` asks for the plain one."""
    asked = os.environ.get("DUOTUNE_ASCII", "")
    if asked:
        return UNICODE if asked == "0" else ASCII
    return UNICODE if locale.getencoding().lower().replace("-", "") == "utf8" else ASCII
