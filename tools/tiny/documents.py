"""Training rows: plain windows and fill-in-the-middle documents cut from source files."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from tools.tiny.corpus import SourceFile
from tools.tiny.settings import SEED, Recipe, Stage
from tools.tiny.vocabulary import END, control_id

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float32]
CHARACTERS_PER_TOKEN = 6  # generous: a window of this many characters per token is rarely short of tokens


@dataclass(frozen=True)
class Cut:
    """A middle ``text[start:end]`` taken out of a file."""

    start: int
    end: int


def cut_line(text: str, rng: np.random.Generator, *, kind: str = "rest", snap: bool = False) -> Cut | None:
    """Take a middle out of a random non-blank line.

    Args:
        text: A source file.
        rng: Where the choice comes from.
        kind: ``rest`` (to the line's end), ``span`` (ends inside the line) or ``lines`` (ends one to four lines on).
        snap: Move the start back to the start of a word.

    Returns:
        The cut, or ``None`` where the line drawn holds nothing to cut.
    """
    position = int(rng.integers(len(text)))
    line_start = text.rfind("\n", 0, position) + 1
    line_end = _line_end(text, line_start)
    line = text[line_start:line_end]
    indent = len(line) - len(line.lstrip())
    if indent >= len(line.rstrip()):
        return None
    start = line_start + int(rng.integers(indent, len(line.rstrip())))
    while snap and start > line_start + indent and _inside_word(text, start):
        start -= 1
    if kind == "span":
        return Cut(start, min(line_end, start + 1 + int(rng.geometric(0.1))))
    if kind == "lines":
        if rng.random() < 0.25:
            start = line_start
        for _ in range(int(rng.integers(1, 5))):
            line_end = _line_end(text, min(line_end + 1, len(text)))
    return Cut(start, line_end)


def _line_end(text: str, position: int) -> int:
    end = text.find("\n", position)
    return len(text) if end < 0 else end


def _inside_word(text: str, position: int) -> bool:
    before, after = text[position - 1], text[position]
    return (before.isalnum() or before == "_") and (after.isalnum() or after == "_")


class Documents:
    """Draws training batches; the batch of a step depends on the seed and the step alone."""

    def __init__(self, files: list[SourceFile], tokenizer: Tokenizer, recipe: Recipe) -> None:
        """Tokenize the training files.

        Args:
            files: Training files.
            tokenizer: A literal tokenizer.
            recipe: Batch size, loss weights and the share of library files.
        """
        self.recipe = recipe
        self.tokenizer = tokenizer
        self.end, self.prefix, self.suffix, self.middle = (
            control_id(tokenizer, token) for token in (END, "<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>")
        )
        self.texts = [file.text for file in files]
        encodings = tokenizer.encode_batch_fast(self.texts, add_special_tokens=False)
        self.tokens = [np.array([*encoding.ids, self.end], dtype=np.int64) for encoding in encodings]
        sizes = np.array([len(tokens) for tokens in self.tokens], dtype=np.float64)
        tests = np.array([file.is_test for file in files])
        for group, share in ((tests, 1 - recipe.library_share), (~tests, recipe.library_share)):
            if group.any() and not group.all():
                sizes[group] *= share / sizes[group].sum()
        self.cumulative = np.cumsum(sizes / sizes.sum())

    def batch(self, step: int, *, decaying: bool = False) -> tuple[IntArray, FloatArray]:
        """The rows of one step.

        Returns:
            Token ids ``(rows, length)`` and the loss weight of predicting each of them, of the same shape.
        """
        rng = np.random.default_rng((SEED, step, int(decaying)))
        stage = self.recipe.stage(step, decaying)
        lengths, shares = zip(*stage.lengths, strict=True)
        length = int(rng.choice(lengths, p=np.array(shares) / sum(shares)))
        rows = self.recipe.batch_tokens // length
        ids = np.full((rows, length), self.end, dtype=np.int64)
        weights = np.zeros((rows, length), dtype=np.float32)
        for row in range(rows):
            self._row(stage, rng, ids[row], weights[row])
        return ids, weights

    def fim_rows(self, count: int, length: int) -> IntArray:
        """A fixed set of prefix-suffix-middle documents that end in the rest of a line, padded with end tokens."""
        rng = np.random.default_rng((SEED, length))
        rows = np.full((count, length), self.end, dtype=np.int64)
        for row in rows:
            document = None
            while document is None:
                document = self._fim(self._file(rng), rng, length, "psm", kind="rest")
            row[: len(document[0])] = document[0]
        return rows

    def _row(self, stage: Stage, rng: np.random.Generator, ids: IntArray, weights: FloatArray) -> None:
        if rng.random() < stage.fim:
            order = "spm" if rng.random() < stage.spm else "psm"
            # A document that always filled its row would teach that text ends at the row's last position.
            length = int(rng.integers(len(ids) // 3, len(ids) + 1))
            for _ in range(12):
                document = self._fim(self._file(rng), rng, length, order)
                if document is not None:
                    size = len(document[0])
                    ids[:size], weights[:size] = document
                    ids, weights = ids[size:], weights[size:]
                    break
        self._plain(rng, ids, weights)

    def _file(self, rng: np.random.Generator) -> int:
        return min(int(np.searchsorted(self.cumulative, rng.random())), len(self.texts) - 1)

    def _plain(self, rng: np.random.Generator, ids: IntArray, weights: FloatArray) -> None:
        filled = 0
        while filled < len(ids):
            tokens = self.tokens[self._file(rng)]
            start = int(rng.integers(-(len(ids) // 8) - 1, max(1, len(tokens) - len(ids) // 2)))
            piece = tokens[max(0, start) :][: len(ids) - filled]
            ids[filled : filled + len(piece)] = piece
            weights[filled : filled + len(piece)] = 1.0
            weights[filled] = 0.0
            filled += len(piece)

    def _fim(
        self, index: int, rng: np.random.Generator, length: int, order: str, kind: str | None = None
    ) -> tuple[IntArray, FloatArray] | None:
        text = self.texts[index]
        drawn = str(rng.choice(["rest", "span", "lines"], p=[0.55, 0.2, 0.25]))
        cut = cut_line(text, rng, kind=kind or drawn, snap=bool(rng.random() < 0.5))
        if cut is None or cut.end - cut.start > length * 2:
            return None
        window = length * CHARACTERS_PER_TOKEN
        pieces = [text[max(0, cut.start - window) : cut.start], text[cut.start : cut.end], text[cut.end :][:window]]
        before, middle, after = (e.ids for e in self.tokenizer.encode_batch_fast(pieces, add_special_tokens=False))
        room = length - 4 - len(middle)
        if len(middle) > length // 3 or room < 8:
            return None
        wanted = _suffix_length(rng, length)
        after = after[: max(wanted, room - len(before))]
        after = after[:room]
        before = before[len(before) - min(len(before), room - len(after)) :]
        return self._join(before, middle, after, order)

    def _join(self, before: list[int], middle: list[int], after: list[int], order: str) -> tuple[IntArray, FloatArray]:
        weight = self.recipe.weights
        if order == "psm":
            ids = [self.prefix, *before, self.suffix, *after, self.middle]
            context = [0.0, *([weight.context] * len(before)), 0.0, *([weight.context] * len(after)), 0.0]
            target = [weight.first, *([weight.middle] * (len(middle) - 1))]
        else:
            ids = [self.prefix, self.suffix, *after, self.middle, *before]
            context = [0.0, 0.0, *([weight.context] * len(after)), 0.0, *([weight.context] * len(before))]
            target = [weight.middle] * len(middle)
        values = [*context, *target, weight.stop]
        return np.array([*ids, *middle, self.end], dtype=np.int64), np.array(values, dtype=np.float32)


def _suffix_length(rng: np.random.Generator, length: int) -> int:
    """Suffix length in tokens: log-uniform, so that short jumps teach the long ones; in long rows half are uniform."""
    longest = length // 2
    if length >= 256 and rng.random() < 0.5:
        return int(rng.integers(longest))
    return int(np.exp(rng.uniform(0.0, np.log(longest + 1)))) - 1
