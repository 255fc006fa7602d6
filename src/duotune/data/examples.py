"""One file becomes training documents: its own text, and questions about it, through one renderer.

Every character of a file is spent once. Its length is a budget, divided between the recipes that apply to its
language by their shares; an example spends as many characters as it shows, context included. So the shares of a
dataset are shares of its text, and a pass over the dataset is a pass over the source. In detail:

- recipes that run out of holes (a file has only so many functions, comments and headings) go first, each up to its part
  of the file; what they leave, in a file without a function for instance, goes to the others by their shares;
- the text itself is cut into windows that fill a row; some of them, neighbours, are taken;
- `fim`, which always finds another hole, spends what is left.

A file in which nothing was asked teaches its beginning, if the text itself has a share; a recipe without a share makes
nothing, so that such a file may give no document at all.

An example that would show more than its recipe has left is made with the probability of the part that it has, so that
shares hold over many files though no example is cut short. Nothing here depends on another file, nor on a path: an
unchanged file gives the same documents.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from duotune.config.run import DataConfig
from duotune.data.chains import excerpt_tokens
from duotune.data.dice import Dice
from duotune.data.recipes import NAMES, RECIPES, Hole, Recipe, applies
from duotune.data.source_text import Text
from duotune.data.spans import Span
from duotune.data.windows import around, windows
from duotune.models.prompts import Gap, PromptRenderer, Rendered
from duotune.models.tokenizer import CodeTokenizer

PREFIX_SHARES = (0.5, 0.9)
"""Editors send more of what is before the cursor."""
MIN_CONTEXT_TOKENS = 128
_CONTROL_TOKENS = 8
_FILL = 0.9

_SAMPLE = """def read_lines(path: Path, *, limit: int = 100) -> list[str]:
    \"\"\"Return the first lines of a file, without line ends.\"\"\"
    with path.open(encoding="utf-8") as stream:
        return [line.rstrip() for _, line in zip(range(limit), stream)]

static int find_entry(const struct table *table, const char *name, size_t length)
{
    for (size_t i = 0; i < table->count; i++) {
        if (strncmp(table->entries[i].name, name, length) == 0)
            return (int)i;
    }
    return -1;
}

export async function fetchItems(client, { page = 1, size = 50 } = {}) {
  const response = await client.get(`/items?page=${page}&size=${size}`);
  return response.data.map((item) => ({ ...item, seen: false }));
}
"""


@dataclass(frozen=True)
class Document:
    """One training document, or an excerpt of a longer one.

    Attributes:
        file: Index of its file.
        recipe: How it was made.
        ids: Token ids, at most `sequence_length`.
        roles: `Role` of each id, one byte each.
        excerpt: Whether it has neither opening nor end: what files of a repository are joined from.
        ends: Whether it holds the end of its file.
    """

    file: int
    recipe: Recipe
    ids: list[int]
    roles: bytes
    excerpt: bool
    ends: bool


@dataclass(frozen=True)
class _Draft:
    """A document before it is tokens: a part of a text, and the hole in it unless it is the text itself."""

    text: Text
    recipe: Recipe
    shown: Span
    hole: Hole | None = None

    @property
    def ends(self) -> bool:
        return self.shown.end == len(self.text)

    def passage(self) -> tuple[str, ...]:
        return self.text.passage(self.shown.start, self.shown.end)

    def gap(self, hole: Hole) -> Gap:
        text, span = self.text, hole.span
        return Gap(
            prefix=text.passage(self.shown.start, span.start),
            suffix=text.passage(span.end, self.shown.end),
            answer=text.text[span.start : span.end],
            asked=None if hole.head is None else text.text[hole.head : span.start],
        )


class ExampleMaker:
    """Makes the documents of files.

    Args:
        tokenizer: Of the base model.
        data: Recipes, sequence length and seed.

    Raises:
        ModelError: A recipe has a share, but the model's vocabulary has no tokens for it.
    """

    def __init__(self, tokenizer: CodeTokenizer, data: DataConfig) -> None:
        self._renderer = PromptRenderer(tokenizer)
        self._length = data.sequence_length
        self._seed = data.seed
        self._shares = {name: share for name in NAMES if (share := getattr(data.recipes, name)) > 0}
        if any(RECIPES[name].needs_fim for name in self._shares):
            self._renderer.require_fim()
        self._excerpt_length = excerpt_tokens(data.sequence_length)
        self._window_characters = window_characters(tokenizer, data.sequence_length)
        self._excerpt_characters = window_characters(tokenizer, self._excerpt_length)

    def documents(self, texts: Sequence[Text]) -> list[Document]:
        """The documents of several files, in their order."""
        drafts = [draft for text in texts for draft in self._drafts(text)]
        documents: list[tuple[int, Document]] = []
        waiting = list(enumerate(drafts))
        while waiting:
            too_long: list[tuple[int, _Draft]] = []
            for (place, draft), rendered in zip(waiting, self._render([d for _, d in waiting]), strict=True):
                excerpt = self._is_excerpt(draft.recipe)
                room = self._excerpt_length if excerpt else self._length
                if len(rendered.ids) <= room:
                    text, roles = draft.text, rendered.roles
                    documents.append(
                        (place, Document(text.file, draft.recipe, rendered.ids, roles, excerpt, draft.ends))
                    )
                else:
                    too_long += [(place, smaller) for smaller in _smaller(draft, room / len(rendered.ids))]
            waiting = too_long
        documents.sort(key=lambda pair: pair[0])
        return [document for _, document in documents]

    def _is_excerpt(self, recipe: Recipe) -> bool:
        return RECIPES[recipe].by_repository and self._renderer.repository is not None

    def _render(self, drafts: Sequence[_Draft]) -> list[Rendered]:
        plain = [d for d in drafts if d.hole is None]
        excerpts = iter(self._renderer.excerpts([d.passage() for d in plain if self._is_excerpt(d.recipe)]))
        whole = [d for d in plain if not self._is_excerpt(d.recipe)]
        documents = iter(self._renderer.codes([d.passage() for d in whole], [d.ends for d in whole]))
        answers = iter(self._renderer.answers([d.gap(d.hole) for d in drafts if d.hole is not None]))

        def rendered(draft: _Draft) -> Rendered:
            if draft.hole is not None:
                return next(answers)
            return next(excerpts) if self._is_excerpt(draft.recipe) else next(documents)

        return [rendered(draft) for draft in drafts]

    def _drafts(self, text: Text) -> list[_Draft]:
        shares = {name: share for name, share in self._shares.items() if applies(name, text.language)}
        if not shares or not text.text:
            return []
        dice = Dice(self._seed, "examples", text.content)
        total = sum(shares.values())
        endless = [name for name in shares if RECIPES[name].endless]
        whole = [name for name in shares if RECIPES[name].holes is None]
        drafts: list[_Draft] = []
        for name, share in shares.items():
            if name not in endless and name not in whole:
                drafts += self._questions(text, name, len(text) * share / total, dice)
        for group in (whole, endless):
            for name in group:
                left = len(text) - sum(len(draft.shown) for draft in drafts)
                budget = max(0.0, left) * shares[name] / sum(shares[other] for other in (*whole, *endless))
                if name in whole:
                    drafts += self._neighbours(text, name, budget, dice)
                    shares[name] = 0.0
                else:
                    drafts += self._questions(text, name, budget, dice)
        return drafts or [_Draft(text, name, self._windows(text, name)[0]) for name in whole]

    def _windows(self, text: Text, recipe: Recipe) -> list[Span]:
        size = self._excerpt_characters if self._is_excerpt(recipe) else self._window_characters
        return windows(text.text, Span(0, len(text)), size)

    def _neighbours(self, text: Text, recipe: Recipe, budget: float, dice: Dice) -> list[_Draft]:
        """Neighbouring windows of a text that show about `budget` characters in all."""
        cut = self._windows(text, recipe)
        count = min(len(cut), int(len(cut) * budget / len(text) + dice.uniform()))
        first = dice.below(len(cut) - count + 1)
        return [_Draft(text, recipe, window) for window in cut[first : first + count]]

    def _questions(self, text: Text, recipe: Recipe, budget: float, dice: Dice) -> list[_Draft]:
        """Examples of one recipe that show about `budget` characters of a text in all."""
        make = RECIPES[recipe].holes
        if make is None:
            return []
        holes = make(text, dice, self._window_characters)
        drafts: list[_Draft] = []
        while (draft := self._question(text, recipe, budget, holes, dice)) is not None:
            drafts.append(draft)
            budget -= len(draft.shown)
        return drafts

    def _question(self, text: Text, recipe: Recipe, budget: float, holes: Iterator[Hole], dice: Dice) -> _Draft | None:
        shortest = self._window_characters * min(0.25, MIN_CONTEXT_TOKENS / self._length)
        wanted = min(len(text), int(dice.log_between(shortest, self._window_characters)))
        luck = dice.uniform()
        # Before a hole is looked for, since that takes a syntax tree.
        hole = next(holes, None) if luck * wanted < budget else None
        if hole is None:
            return None
        head = hole.span.start if hole.head is None else hole.head
        wanted = min(len(text), max(wanted, 2 * len(hole.span), (hole.span.end - head) * 4 // 3))
        if luck * wanted >= budget:
            return None
        share = PREFIX_SHARES[0] + dice.uniform() * (PREFIX_SHARES[1] - PREFIX_SHARES[0])
        shown = around(text.text, hole.span, max(0, wanted - len(hole.span)), share)
        return _Draft(text, recipe, Span(min(shown.start, _first_line(text, hole)), shown.end), hole)


def window_characters(tokenizer: CodeTokenizer, tokens: int) -> int:
    """How many characters of source fill most of so many tokens, by the tokenizer's rate on a fixed sample."""
    rate = len(_SAMPLE) / len(tokenizer.encode(_SAMPLE))
    return max(64, int((tokens - _CONTROL_TOKENS) * rate * _FILL))


def _smaller(draft: _Draft, ratio: float) -> list[_Draft]:
    """The same example with less text, when it took more tokens than it may.

    Args:
        draft: What was too long.
        ratio: Tokens that it may have over the tokens that it took, below 1.
    """
    text, shown, hole = draft.text, draft.shown, draft.hole
    if hole is None:
        cut = windows(text.text, shown, max(1, int(len(shown) * ratio * _FILL)))
        return [_Draft(text, draft.recipe, window) for window in cut]
    surrounding = len(shown) - len(hole.span)
    if surrounding == 0:
        return []
    budget = max(0, int(len(shown) * ratio * _FILL) - len(hole.span))
    share = (hole.span.start - shown.start) / surrounding
    inner = around(text.text, hole.span, budget, share)
    smaller = Span(max(min(inner.start, _first_line(text, hole)), shown.start), min(inner.end, shown.end))
    return [_Draft(text, draft.recipe, smaller, hole)] if len(smaller) < len(shown) else []


def _first_line(text: Text, hole: Hole) -> int:
    """Where the line begins on which the question does, which is always shown; the hole where it has no such line."""
    return hole.span.start if hole.head is None else text.text.rfind("\n", 0, hole.head) + 1
