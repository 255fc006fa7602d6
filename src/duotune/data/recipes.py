"""The recipes: one table that says which texts each applies to, and which holes of a text it asks for.

A recipe is one entry here, one share in `config.run.Recipes`, and, where it asks questions, one weight in
`config.run.PromptLossWeight`; nothing else names recipes one by one. Recipes whose examples a model writes (summaries
of functions, questions about a passage) will be entries whose holes come from stored answers.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from duotune.data.cuts import MAX_BODY_CHARACTERS, MiddleKind, cut, visible
from duotune.data.dice import Dice
from duotune.data.languages import is_document
from duotune.data.sections import sections
from duotune.data.source_text import Text
from duotune.data.spans import Section, Span

Recipe = Literal["fim", "code", "signature", "metadata", "raw", "heading"]
NAMES: tuple[Recipe, ...] = get_args(Recipe)

# Mostly syntax nodes, which gain up to 5 points over characters at random (AST-FIM, arXiv 2506.00204), and a third as
# an editor asks at every pause: from the cursor to the line's end. With `signature` and `metadata`, whose answers are
# nodes too, most answers are nodes. Evaluation draws from the same kinds but `span`, which keeps the model from
# expecting every middle to begin and end at a boundary.
MIDDLES: tuple[tuple[MiddleKind, float], ...] = (
    ("node", 0.5),
    ("rest-of-line", 0.35),
    ("lines", 0.1),
    ("span", 0.05),
)
MIN_VISIBLE = 8
"""Fewest characters of a body or a section that are not white space."""
_TRIES = 4


@dataclass(frozen=True)
class Hole:
    """A part of a text that an example asks for.

    Attributes:
        span: The part.
        head: Where in the text the question proper begins, up to the hole; None: all that is shown is the question.
    """

    span: Span
    head: int | None = None


Holes = Callable[[Text, Dice, int], Iterator[Hole]]


@dataclass(frozen=True)
class Entry:
    """One recipe.

    Attributes:
        documents: Whether it applies to text for people, else to code.
        holes: What its examples ask for: of a text, in an order of chance, each with its question fitting a row of so
            many characters. None: its examples are the text itself.
        endless: Whether a text has always another hole.
        needs_fim: Whether it only makes sense in the model's own fill-in-the-middle format. The others then use that
            format where the model has it, as an editor's request does, else the text up to the hole.
        by_repository: Whether its documents join the files of a project, where the model has tokens for that.
    """

    documents: bool
    holes: Holes | None = None
    endless: bool = False
    needs_fim: bool = False
    by_repository: bool = False


def taught(shares: Mapping[str, float], language: str) -> bool:
    """Whether any recipe with a share applies to texts of a language.

    Args:
        shares: As in the configuration.
        language: linguist's name.
    """
    return any(shares[name] > 0 and applies(name, language) for name in NAMES)


def untaught(languages: Sequence[str]) -> str:
    """The end of a refusal: no recipe makes examples of any of some languages."""
    return f"data.recipes makes no examples of {', '.join(languages)}: every recipe for that has the share 0."


def teach(languages: Sequence[str]) -> str:
    """What to do about it: which shares to raise, for languages of code and of documents."""
    hints = []
    for documents, kind in ((False, "code"), (True, "documents")):
        of_kind = [name for name in languages if is_document(name) == documents]
        if of_kind:
            recipes = " or ".join(name for name in NAMES if RECIPES[name].documents == documents)
            hints.append(f"{recipes} (for {kind}: {', '.join(of_kind)})")
    return f"In data.recipes, give {'; or '.join(hints)} a share above 0."


def divided(shares: Mapping[str, float], languages: Collection[str] | None = None) -> list[str]:
    """What relative shares come to: `of code fim 60 %, code 40 %`, and the same of documents.

    Args:
        shares: As in the configuration.
        languages: Of the texts that there are; None for any.
    """
    lines = []
    for documents, kind in ((False, "code"), (True, "documents")):
        if languages is not None and documents not in map(is_document, languages):
            continue
        given = {name: shares[name] for name in NAMES if RECIPES[name].documents == documents and shares[name] > 0}
        whole = sum(given.values())
        parts = [f"{name} {_percent(share / whole)}" for name, share in given.items()]
        lines.append(f"of {kind} {', '.join(parts) or 'nothing'}")
    return lines


def _percent(part: float) -> str:
    return f"{100 * part:.0f} %" if part >= 0.005 else "<1 %"


def applies(recipe: Recipe, language: str) -> bool:
    """Whether a recipe is one for texts of a language."""
    return RECIPES[recipe].documents == is_document(language)


def _middles(text: Text, dice: Dice, room: int) -> Iterator[Hole]:
    failures = 0
    while failures < _TRIES:
        kind = dice.weighted(MIDDLES)
        span = cut(kind, text.text, text.tree if kind == "node" else None, dice, room // 2)
        if span is None and kind == "node":
            span = cut("lines", text.text, None, dice, room // 2)
        if span is None:
            failures += 1
        else:
            failures = 0
            yield Hole(span)


def _bodies(text: Text, dice: Dice, room: int) -> Iterator[Hole]:
    yield from _chosen(text, text.tree.functions() if text.tree else iter(()), dice, room)


def _described(text: Text, dice: Dice, room: int) -> Iterator[Hole]:
    yield from _chosen(text, text.tree.described() if text.tree else iter(()), dice, room)


def _sections(text: Text, dice: Dice, room: int) -> Iterator[Hole]:
    yield from _chosen(text, sections(text.text, text.language), dice, room)


def _chosen(text: Text, found: Iterator[Section], dice: Dice, room: int) -> Iterator[Hole]:
    """Each section once, in an order of chance, but those too long, too short or redacted.

    An answer has half of the room at most, and a quarter is left for what surrounds it and its question.
    """
    for section in dice.shuffled(list(found)):
        body = section.body
        fits = len(body) <= min(MAX_BODY_CHARACTERS, room // 2) and body.end - section.head <= room * 3 // 4
        if fits and visible(text.text[body.start : body.end]) >= MIN_VISIBLE and text.may_be_answer(body):
            yield Hole(body, section.head)


RECIPES: Mapping[Recipe, Entry] = {
    "fim": Entry(documents=False, holes=_middles, endless=True, needs_fim=True),
    "code": Entry(documents=False, by_repository=True),
    "signature": Entry(documents=False, holes=_bodies),
    "metadata": Entry(documents=False, holes=_described),
    "raw": Entry(documents=True),
    "heading": Entry(documents=True, holes=_sections),
}
