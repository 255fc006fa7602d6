"""Held-out items of evaluation, from files of the test split only."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import islice
from typing import Literal

from duotune.config.evaluation import EvaluationConfig
from duotune.config.run import DataConfig
from duotune.data.cuts import MAX_BODY_CHARACTERS, cut, visible
from duotune.data.dice import Dice
from duotune.data.examples import window_characters
from duotune.data.languages import is_document
from duotune.data.placeholders import overlaps, placeholders
from duotune.data.spans import Span
from duotune.data.syntax import SyntaxTree, parse
from duotune.data.windows import context
from duotune.models.items import HeldOutItem
from duotune.models.prompts import PromptRenderer
from duotune.models.tokenizer import CodeTokenizer

FimKind = Literal["rest-of-line", "lines", "node"]

# A cycle of four: half rest-of-line, a quarter whole lines, a quarter syntax nodes.
KINDS: tuple[FimKind, ...] = ("rest-of-line", "lines", "rest-of-line", "node")
ITEMS_PER_FILE = 3
# When files are few; more items of one file would say the same thing again, only slower.
MOST_PER_FILE = 12
MIN_PREFIX_BYTES = 200
MIN_VISIBLE = 8
PREFIX_SHARE = 0.75
_TRIES = 4


@dataclass(frozen=True)
class TestFile:
    """A file of the test split; its text is read each time it is asked for."""

    __test__ = False  # not a test of pytest's

    project: str
    path: str
    language: str
    cluster: str
    content: str
    read: Callable[[], str] = field(compare=False)

    @property
    def text(self) -> str:
        """Its text."""
        return self.read()


@dataclass(frozen=True)
class Hole:
    """A place in a file that an item asks for."""

    file: TestFile
    set: Literal["fim", "signature"]
    kind: Literal["rest-of-line", "lines", "node", "body"]
    span: Span

    @property
    def gold(self) -> str:
        """What the author wrote there."""
        return self.file.text[self.span.start : self.span.end]


def fim_holes(files: Sequence[TestFile], evaluation: EvaluationConfig) -> Iterator[Hole]:
    """Places for completions, best spread first: one per file, then a second one per file, and so on.

    There are at most three per file, or up to twelve to reach the wanted number when files are few.
    """
    # Documents are not taught to be completed, so completing them would measure nothing.
    files = [file for file in files if not is_document(file.language)] or files
    if not files or not evaluation.fim_items:
        return
    # Twice what is wanted, since decontamination and the length limit will take some away.
    per_file = min(MOST_PER_FILE, max(ITEMS_PER_FILE, -(-2 * evaluation.fim_items // len(files))))
    makers = [
        _file_holes(file, place, evaluation.seed, per_file) for place, file in enumerate(_order(files, evaluation))
    ]
    yield from _in_turn(makers)


def signature_holes(files: Sequence[TestFile], evaluation: EvaluationConfig) -> Iterator[Hole]:
    """Function bodies, best spread first: one per file, then a second one per file, and so on."""
    if evaluation.signature_items:
        bodies = (_bodies(file, evaluation.seed) for file in _order(files, evaluation))
        yield from _in_turn([islice(found, MOST_PER_FILE) for found in bodies])


class ItemMaker:
    """Renders holes to items whose prompt and answer fit the rows that the adapter is trained on.

    Args:
        tokenizer: Of the base model.
        data: Its sequence length.
        evaluation: Its limits.
    """

    def __init__(self, tokenizer: CodeTokenizer, data: DataConfig, evaluation: EvaluationConfig) -> None:
        self._tokenizer = tokenizer
        self._renderer = PromptRenderer(tokenizer)
        self._answer_tokens = min(evaluation.max_new_tokens, data.sequence_length // 2)
        self._length = data.sequence_length
        self._rate = window_characters(tokenizer, data.sequence_length) / data.sequence_length

    def item(self, hole: Hole) -> HeldOutItem | None:
        """The item of a hole, or None when its gold answer alone is too long."""
        answer = len(self._tokenizer.encode(hole.gold)) + 1
        if answer > self._answer_tokens:
            return None
        room = self._length - answer
        budget = int(room * self._rate)
        while budget > 0:
            prefix, suffix = context(hole.file.text, hole.span, budget, PREFIX_SHARE)
            if len(self._renderer.fim(prefix, suffix)) <= room:
                return _item(hole, prefix, suffix)
            budget = budget * 4 // 5
        return None


def choose(
    holes: Iterator[Hole], maker: ItemMaker, wanted: int, shares: Mapping[str, float], clean: Callable[[Hole], bool]
) -> tuple[list[HeldOutItem], int]:
    """The first clean items, each kind up to its share; then others of any kind until the wanted number is there.

    Args:
        holes: Candidates, best spread first.
        maker: Renders them.
        wanted: Number of items.
        shares: Share of each kind.
        clean: Whether a hole's surroundings do not occur in training files.

    Returns:
        Items, ordered by id, and the number of holes that were not clean.
    """
    chosen: dict[str, HeldOutItem] = {}
    spare: dict[str, HeldOutItem] = {}
    counts: Counter[str] = Counter()
    contaminated = 0
    for hole in holes:
        if len(chosen) == wanted:
            break
        if not clean(hole):
            contaminated += 1
            continue
        item = maker.item(hole)
        if item is None or item.id in chosen:
            continue
        if counts[hole.kind] < round(wanted * shares[hole.kind]):
            chosen[item.id] = item
            counts[hole.kind] += 1
        else:
            spare[item.id] = item
    missing = wanted - len(chosen)
    chosen.update(list(spare.items())[:missing])
    return [chosen[id_] for id_ in sorted(chosen)], contaminated


def _order(files: Sequence[TestFile], evaluation: EvaluationConfig) -> list[TestFile]:
    ordered = sorted(files, key=lambda file: (file.content, file.project, file.path))
    return Dice(evaluation.seed, "items").shuffled(ordered)


def _file_holes(file: TestFile, place: int, seed: int, count: int) -> Iterator[Hole]:
    """All holes of a file are made with the first one, so that neither text nor tree is kept until another is asked."""
    yield from _all_holes(file, place, seed, count)


def _all_holes(file: TestFile, place: int, seed: int, count: int) -> list[Hole]:
    dice = Dice(seed, "fim", file.content)
    text = file.text
    tree = cache(lambda: parse(text, file.language))
    holes: list[Hole] = []
    for turn in range(count):
        # Files begin at different places of the cycle, so that the first of each file are not all of one kind.
        hole = _hole(file, text, tree, KINDS[(place + turn) % len(KINDS)], dice, [hole.span for hole in holes])
        if hole is not None:
            holes.append(hole)
    return holes


def _hole(
    file: TestFile,
    text: str,
    tree: Callable[[], SyntaxTree | None],
    kind: FimKind,
    dice: Dice,
    taken: Sequence[Span],
) -> Hole | None:
    if kind == "node" and tree() is None:
        kind = "lines"
    for attempt in range(_TRIES):
        span = cut(kind, text, tree() if kind == "node" else None, dice)
        if span is None:
            return None
        # A short file may have no place with a long prefix: the last tries take any.
        enough = len(text[: span.start].encode()) >= MIN_PREFIX_BYTES or attempt >= _TRIES // 2
        taken_already = overlaps(taken, span)
        long_enough = kind == "rest-of-line" or visible(text[span.start : span.end]) >= MIN_VISIBLE
        if enough and long_enough and not taken_already:
            return Hole(file, "fim", kind, span)
    return None


def _bodies(file: TestFile, seed: int) -> Iterator[Hole]:
    """See `_file_holes`."""
    yield from _all_bodies(file, seed)


def _all_bodies(file: TestFile, seed: int) -> list[Hole]:
    text = file.text
    tree = parse(text, file.language)
    bodies = Dice(seed, "signature", file.content).shuffled(list(tree.function_bodies()) if tree else [])
    redacted = placeholders(text)
    return [
        Hole(file, "signature", "body", span)
        for span in bodies
        if len(span) <= MAX_BODY_CHARACTERS
        and visible(text[span.start : span.end]) >= MIN_VISIBLE
        and not overlaps(redacted, span)
    ]


def _in_turn(makers: Sequence[Iterator[Hole]]) -> Iterator[Hole]:
    waiting = list(makers)
    while waiting:
        still: list[Iterator[Hole]] = []
        for maker in waiting:
            hole = next(maker, None)
            if hole is not None:
                yield hole
                still.append(maker)
        waiting = still


def _item(hole: Hole, prefix: str, suffix: str) -> HeldOutItem:
    file = hole.file
    name = f"{hole.set}\0{hole.kind}\0{file.project}\0{file.path}\0{file.content}\0{hole.span.start}\0{hole.span.end}"
    return HeldOutItem(
        id=f"{hole.set}-{hashlib.sha256(name.encode()).hexdigest()[:16]}",
        set=hole.set,
        kind=hole.kind,
        project=file.project,
        path=file.path,
        language=file.language,
        cluster=file.cluster,
        prefix=prefix,
        suffix=suffix,
        gold=hole.gold,
    )
