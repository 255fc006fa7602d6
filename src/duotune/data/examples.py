"""One file becomes training documents: pieces of plain code, and fill-in-the-middle examples, through one renderer.

Every character of a file is spent once: each window of `sequence_length` becomes plain code with the probability of the
`code` share, and what is left is the budget of characters that fill-in-the-middle examples of the same file may show.
So the shares of a dataset are shares of its text, and a pass over the dataset is a pass over the source.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from duotune.config.run import DataConfig
from duotune.data.cuts import MAX_CHARACTERS, MiddleKind, cut
from duotune.data.dice import Dice
from duotune.data.syntax import Span, SyntaxTree, parse
from duotune.data.windows import context, pieces
from duotune.models.prompts import PromptRenderer, Rendered
from duotune.models.tokenizer import CodeTokenizer

Recipe = Literal["code", "fim"]

# Half and a little more as an editor asks at every pause; the rest teaches where larger middles end. Evaluation draws
# from the same kinds but `span`, which keeps the model from expecting every middle to begin and end at a boundary.
MIDDLES: tuple[tuple[MiddleKind, float], ...] = (
    ("rest-of-line", 0.55),
    ("lines", 0.15),
    ("node", 0.15),
    ("span", 0.15),
)
PREFIX_SHARES = (0.5, 0.9)
"""Editors send more of what is before the cursor."""
MIN_CONTEXT_TOKENS = 128
_CONTROL_TOKENS = 8
_FILL = 0.9
_TRIES = 4

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
    """One training document.

    Attributes:
        file: Index of its file.
        recipe: How it was made.
        ids: Token ids, at most `sequence_length`.
        prompt_length: So many ids at the beginning are no targets.
        ends: Whether its last id, the end token, is a target; not so where a window cuts the file.
    """

    file: int
    recipe: Recipe
    ids: list[int]
    prompt_length: int
    ends: bool


@dataclass(frozen=True)
class _Draft:
    """A document before it is tokens: plain code has no middle."""

    file: int
    before: str
    after: str = ""
    middle: str | None = None
    ends: bool = True


@dataclass(frozen=True)
class Text:
    """A file as the recipes see it.

    Attributes:
        file: Index that its documents carry.
        text: Its text.
        language: Its language.
        content: Content hash, from which all chance comes.
    """

    file: int
    text: str
    language: str
    content: str

    @cached_property
    def tree(self) -> SyntaxTree | None:
        """Its syntax tree, parsed when first asked for."""
        return parse(self.text, self.language)


class ExampleMaker:
    """Makes the documents of files.

    Args:
        tokenizer: Of the base model.
        data: Recipes, sequence length and seed.

    Raises:
        ModelError: The `fim` recipe has a share, but the model's vocabulary has no tokens for it.
    """

    def __init__(self, tokenizer: CodeTokenizer, data: DataConfig) -> None:
        self._renderer = PromptRenderer(tokenizer)
        self._length = data.sequence_length
        self._seed = data.seed
        total = data.recipes.fim + data.recipes.code
        self._code_share = data.recipes.code / total
        if data.recipes.fim > 0:
            self._renderer.fim("", "")
        self._window_characters = window_characters(tokenizer, data.sequence_length)

    def documents(self, texts: Sequence[Text]) -> list[Document]:
        """The documents of several files, in their order."""
        drafts = [draft for text in texts for draft in self._drafts(text)]
        documents: list[tuple[int, Document]] = []
        waiting = list(enumerate(drafts))
        while waiting:
            too_long: list[tuple[int, _Draft]] = []
            for (place, draft), rendered in zip(waiting, self._render([d for _, d in waiting]), strict=True):
                if len(rendered.ids) <= self._length:
                    recipe: Recipe = "code" if draft.middle is None else "fim"
                    document = Document(draft.file, recipe, rendered.ids, rendered.prompt_length, draft.ends)
                    documents.append((place, document))
                else:
                    too_long += [(place, smaller) for smaller in _smaller(draft, self._length / len(rendered.ids))]
            waiting = too_long
        documents.sort(key=lambda pair: pair[0])
        return [document for _, document in documents]

    def _render(self, drafts: Sequence[_Draft]) -> list[Rendered]:
        code = iter(self._renderer.codes([d.before for d in drafts if d.middle is None]))
        holes = [(d.before, d.after, d.middle) for d in drafts if d.middle is not None]
        fim = iter(self._renderer.fim_examples(holes) if holes else [])
        return [next(code) if draft.middle is None else next(fim) for draft in drafts]

    def _drafts(self, text: Text) -> list[_Draft]:
        dice = Dice(self._seed, "examples", text.content)
        windows = pieces(text.text, self._window_characters)
        drafts: list[_Draft] = []
        budget = 0
        for place, window in enumerate(windows):
            if dice.uniform() < self._code_share:
                drafts.append(_Draft(text.file, window, ends=place == len(windows) - 1))
            else:
                budget += len(window)
        drafts += self._holes(text, budget, dice)
        # A file in which no middle can be cut still teaches its text.
        return drafts or [_Draft(text.file, windows[0], ends=len(windows) == 1)]

    def _holes(self, text: Text, budget: int, dice: Dice) -> list[_Draft]:
        """Fill-in-the-middle examples that show about `budget` characters in all."""
        drafts: list[_Draft] = []
        failures = 0
        while budget > 0 and failures < _TRIES:
            draft = self._hole(text, dice)
            if draft is None or draft.middle is None:
                failures += 1
                continue
            failures = 0
            shown = len(draft.before) + len(draft.middle) + len(draft.after)
            if drafts and shown > budget and dice.uniform() >= budget / shown:
                break
            drafts.append(draft)
            budget -= shown
        return drafts

    def _hole(self, text: Text, dice: Dice) -> _Draft | None:
        shortest = self._window_characters * min(0.25, MIN_CONTEXT_TOKENS / self._length)
        shown = int(dice.log_between(shortest, self._window_characters))
        share = PREFIX_SHARES[0] + dice.uniform() * (PREFIX_SHARES[1] - PREFIX_SHARES[0])
        middle = _middle(text, dice, min(MAX_CHARACTERS, shown // 2))
        if middle is None:
            return None
        before, after = context(text.text, middle, shown - (middle.end - middle.start), share)
        return _Draft(text.file, before, after, text.text[middle.start : middle.end])


def window_characters(tokenizer: CodeTokenizer, tokens: int) -> int:
    """How many characters of source fill most of so many tokens, by the tokenizer's rate on a fixed sample."""
    rate = len(_SAMPLE) / len(tokenizer.encode(_SAMPLE))
    return max(64, int((tokens - _CONTROL_TOKENS) * rate * _FILL))


def _middle(text: Text, dice: Dice, at_most: int) -> Span | None:
    kind = dice.weighted(MIDDLES)
    found = cut(kind, text.text, text.tree if kind == "node" else None, dice, at_most)
    if found is None and kind == "node":
        found = cut("lines", text.text, None, dice, at_most)
    return found


def _smaller(draft: _Draft, ratio: float) -> list[_Draft]:
    """The same example with less text, when it took more tokens than a row has.

    Args:
        draft: What was too long.
        ratio: Tokens of a row over the tokens that it took, below 1.
    """
    if draft.middle is None:
        parts = pieces(draft.before, max(1, int(len(draft.before) * ratio * _FILL)))
        last = len(parts) - 1
        return [_Draft(draft.file, part, ends=draft.ends and place == last) for place, part in enumerate(parts)]
    shown = len(draft.before) + len(draft.after)
    if shown == 0:
        return []
    whole = draft.before + draft.middle + draft.after
    hole = Span(len(draft.before), len(draft.before) + len(draft.middle))
    budget = int((shown + len(draft.middle)) * ratio * _FILL) - len(draft.middle)
    before, after = context(whole, hole, max(0, budget), len(draft.before) / shown)
    return [_Draft(draft.file, before, after, draft.middle)]
