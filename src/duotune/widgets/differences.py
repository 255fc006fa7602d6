"""An answer beside what it should have been: each line has a sign, and what differs stands out."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import SequenceMatcher
from typing import Literal

from textual.content import Content

from duotune.errors import printable
from duotune.runs.wording import counted

MOST_LINES = 80
"""More of a text is not laid out: that would hold the interface up."""
LONGEST_LINE = 300
"""Of a longer line the differing parts are not sought."""
LONGEST_SHOWN = 2_000
TAB = "    "

Sign = Literal["=", "~", "+", "-", " "]
_STYLES: dict[Sign, str] = {"=": "", "~": "", "+": "$text-warning", "-": "$text-error", " ": ""}
_DIFFERENT = "$text-warning underline"


def shown_lines(text: str) -> list[str]:
    """Foreign text as lines that a terminal does nothing but show."""
    lines = text.replace("\r\n", "\n").replace("\t", TAB).split("\n")
    return [line if line.isprintable() else printable(line) for line in lines]


def code(text: str, style: str = "") -> Content:
    """Foreign text, line by line, without a comparison; only its first lines where there are very many."""
    lines = shown_lines(text)
    shown = [_line(" ", Content.assemble((_cut(line), style))) for line in lines[:MOST_LINES]]
    return Content("\n").join([*shown, *_more(len(lines))])


def compared(answer: str, wanted: str) -> Content:
    """An answer, line by line against the wanted text; only its first lines where there are very many.

    `=` is a line of both, `~` one that differs in part (which is underlined), `+` one that only the answer has, `-` one
    that it lacks.
    """
    found, right = shown_lines(answer), shown_lines(wanted)
    lines = _compared([_cut(line) for line in found[:MOST_LINES]], [_cut(line) for line in right[:MOST_LINES]])
    return Content("\n").join([*lines, *_more(len(found))])


def _more(lines: int) -> list[Content]:
    if lines <= MOST_LINES:
        return []
    return [Content.assemble((f"  and {counted(lines - MOST_LINES, 'more line')}", "$text-muted"))]


def _cut(line: str) -> str:
    return line if len(line) <= LONGEST_SHOWN else f"{line[:LONGEST_SHOWN]} and {len(line) - LONGEST_SHOWN:,} more"


def _compared(found: list[str], right: list[str]) -> Iterator[Content]:
    matcher = SequenceMatcher(None, right, found, autojunk=False)
    for kind, right_from, right_to, found_from, found_to in matcher.get_opcodes():
        if kind == "equal":
            yield from (_line("=", Content(line)) for line in found[found_from:found_to])
            continue
        lacking, extra = right[right_from:right_to], found[found_from:found_to]
        pairs = min(len(lacking), len(extra))
        yield from (
            _line("~", _marked(line, other)) for line, other in zip(extra[:pairs], lacking[:pairs], strict=True)
        )
        yield from (_line("+", Content(line)) for line in extra[pairs:])
        yield from (_line("-", Content(line)) for line in lacking[pairs:])


def _marked(line: str, other: str) -> Content:
    """The line; what the other has not is underlined."""
    if max(len(line), len(other)) > LONGEST_LINE:
        return Content.assemble((line, _DIFFERENT))
    pieces = []
    for kind, _, _, start, end in SequenceMatcher(None, other, line, autojunk=False).get_opcodes():
        pieces.append((line[start:end], "" if kind == "equal" else _DIFFERENT))
    return Content.assemble(*pieces)


def _line(sign: Sign, text: Content) -> Content:
    body = text.stylize(_STYLES[sign]) if _STYLES[sign] else text
    return Content.assemble((f"{sign} ", "$text-muted"), body) if sign != " " else Content.assemble("  ", body)
