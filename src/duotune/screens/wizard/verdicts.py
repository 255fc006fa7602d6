"""The verdict on a file in words, and a choice of languages as a setting."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len, set_cell_size
from textual.content import Content

from duotune.runs.wording import in_bytes
from duotune.widgets.cutting import ending
from duotune.widgets.glyphs import glyphs
from duotune.widgets.lines import Piece

if TYPE_CHECKING:
    from duotune.data.sieve import Sifted


def names_of(wanted: set[str], found: set[str]) -> list[str]:
    """The setting `languages` that chooses these among those that a project has: as short as it can be said."""
    from duotune.data.languages import known_languages

    usual = {language.name for language in known_languages() if language.kept_by_default} & found
    wanted &= found
    return sorted(wanted) if wanted - usual else sorted(f"!{name}" for name in usual - wanted)


def searched(file: Sifted) -> str:
    """What the words of a filter are looked for in."""
    reason = "kept" if file.kept else f"left out {_reason(file)}"
    return f"{file.path} {reason} {file.language or ''}".lower()


def _reason(file: Sifted) -> str:
    return file.reason.value.replace("-", " ") if file.reason else ""


def line(file: Sifted, width: int) -> list[Piece]:
    """A file in the list: sign, path, and why it is left out."""
    signs = glyphs()
    right = "?" if file.kept and file.doubt else "" if file.kept else _reason(file)
    room = max(4, width - 3 - len(right))
    path = set_cell_size(ending(file.path, room), room)
    sign = (f"{signs.good} ", "lines--good") if file.kept else (f"{signs.bad} ", "lines--bad")
    return [sign, (path, "" if file.kept else "lines--muted"), (f" {right}", "lines--muted")]


def sentences(file: Sifted, width: int) -> Content:
    """Path, in a line of so many cells, and verdict with the rule, in those below it."""
    size = f", {in_bytes(file.size)}" if file.size else ""
    facts = f"  {file.language or 'language not known'}{size}"
    path = ending(file.path, max(20, width - cell_len(facts)))
    if file.reason is not None:
        why = file.reason.sentence
    elif file.doubt:
        why = f"Kept, but it may be other people's code; exclude {file.doubt} would leave it out."
    else:
        why = "Kept: its name, size and content pass."
    detail = f" ({file.detail})" if file.detail else ""
    return Content("\n").join([Content.assemble((path, "bold"), facts), Content(f"{why}{detail}")])
