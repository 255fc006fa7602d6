"""Training rows: plain windows and fill-in-the-middle documents cut from source files."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from tools.tiny.corpus import SourceFile
from tools.tiny.cuts import cut_line
from tools.tiny.settings import SEED, Recipe, Stage
from tools.tiny.vocabulary import END, control_id

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float32]
CHARACTERS_PER_TOKEN = 6  # generous: a window of this many characters per token is rarely short of tokens


@dataclass(frozen=True)
class Rows:
    """Token rows to train on; all arrays have the shape ``(rows, length)`` or, for one row, ``(length,)``.

    Attributes:
        ids: What the network reads.
        targets: What it should predict from the tokens before each place: the token there, but for hints.
        weights: Loss weight of each prediction.
    """

    ids: IntArray
    targets: IntArray
    weights: FloatArray

    def __getitem__(self, key: int | slice) -> "Rows":
        """A row of a batch, or a part of a row; a view."""
        return Rows(self.ids[key], self.targets[key], self.weights[key])

    def put(self, other: "Rows") -> "Rows":
        """Copy a shorter row to the start of this one and return what is left of it."""
        size = len(other.ids)
        self.ids[:size], self.targets[:size], self.weights[:size] = other.ids, other.targets, other.weights
        return self[size:]


class Documents:
    """Draws training batches; the batch of a step depends on the seed and the step alone."""

    def __init__(
        self, files: list[SourceFile], tokenizer: Tokenizer, recipe: Recipe, cache: Path | None = None
    ) -> None:
        """Tokenize the training files.

        Args:
            files: Training files.
            tokenizer: A literal tokenizer.
            recipe: Batch size, loss weights and the share of library files.
            cache: Directory that keeps the tokens between runs of one tokenizer.
        """
        self.recipe = recipe
        self.tokenizer = tokenizer
        self.end, self.prefix, self.suffix, self.middle = (
            control_id(tokenizer, token) for token in (END, "<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>")
        )
        self.texts = [file.text for file in files]
        self.tokens = self._tokenize(files, cache)
        sizes = np.array([len(tokens) for tokens in self.tokens], dtype=np.float64)
        tests = np.array([file.is_test for file in files])
        for group, share in ((tests, 1 - recipe.library_share), (~tests, recipe.library_share)):
            if group.any() and not group.all():
                sizes[group] *= share / sizes[group].sum()
        self.cumulative = np.cumsum(sizes / sizes.sum())

    def _tokenize(self, files: list[SourceFile], cache: Path | None) -> list[IntArray]:
        key = hashlib.sha256("".join(file.sha256 for file in files).encode()).hexdigest()
        path = cache / f"tokens-{key[:16]}.npz" if cache else None
        if path is not None and path.exists():
            with np.load(path) as stored:
                return np.split(stored["tokens"].astype(np.int64), stored["ends"][:-1])
        encodings = self.tokenizer.encode_batch_fast(self.texts, add_special_tokens=False)
        tokens = [np.array([*encoding.ids, self.end], dtype=np.int64) for encoding in encodings]
        if path is not None:
            ends = np.cumsum([len(part) for part in tokens])
            partial = path.with_suffix(".partial.npz")
            np.savez(partial, tokens=np.concatenate(tokens).astype(np.int32), ends=ends)
            partial.replace(path)
        return tokens

    def batch(self, step: int, *, decaying: bool = False) -> Rows:
        """The rows of one step."""
        rng = np.random.default_rng((SEED, step, int(decaying)))
        stage = self.recipe.stage(step, decaying)
        lengths, shares = zip(*stage.lengths, strict=True)
        length = int(rng.choice(lengths, p=np.array(shares) / sum(shares)))
        rows = self.recipe.batch_tokens // length
        ids = np.full((rows, length), self.end, dtype=np.int64)
        batch = Rows(ids, ids.copy(), np.zeros((rows, length), dtype=np.float32))
        for row in range(rows):
            self._row(stage, rng, batch[row])
        return batch

    def fim_rows(self, count: int, length: int) -> IntArray:
        """A fixed set of prefix-suffix-middle documents that end in the rest of a line, padded with end tokens."""
        rng = np.random.default_rng((SEED, length))
        rows = np.full((count, length), self.end, dtype=np.int64)
        for row in rows:
            document = None
            while document is None:
                document = self._fim(self._file(rng), rng, length, "psm", kind="rest")
            row[: len(document.ids)] = document.ids
        return rows

    def _row(self, stage: Stage, rng: np.random.Generator, row: Rows) -> None:
        if rng.random() < stage.fim:
            order = "spm" if rng.random() < stage.spm else "psm"
            # A document that always filled its row would teach that text ends at the row's last position.
            length = int(rng.integers(len(row.ids) // 3, len(row.ids) + 1))
            for _ in range(12):
                document = self._fim(self._file(rng), rng, length, order, hint=stage.hint, stop=stage.stop)
                if document is not None:
                    row = row.put(document)
                    break
        self._plain(rng, row)

    def _file(self, rng: np.random.Generator) -> int:
        return min(int(np.searchsorted(self.cumulative, rng.random())), len(self.texts) - 1)

    def _plain(self, rng: np.random.Generator, row: Rows) -> None:
        length = len(row.ids)
        while len(row.ids):
            tokens = self.tokens[self._file(rng)]
            start = int(rng.integers(-(length // 8) - 1, max(1, len(tokens) - length // 2)))
            piece = tokens[max(0, start) :][: len(row.ids)]
            weights = np.ones(len(piece), dtype=np.float32)
            weights[0] = 0.0
            row = row.put(Rows(piece, piece, weights))

    def _fim(
        self,
        index: int,
        rng: np.random.Generator,
        length: int,
        order: str,
        *,
        kind: str | None = None,
        hint: float = 0,
        stop: float = 1,
    ) -> Rows | None:
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
        if order == "psm":
            return self._prefix_first(before, middle, after, hint, stop)
        return self._suffix_first(before, middle, after, stop)

    def _prefix_first(self, before: list[int], middle: list[int], after: list[int], hint: float, stop: float) -> Rows:
        weight = self.recipe.weights
        ids = np.array([self.prefix, *before, self.suffix, *after, self.middle, *middle, self.end], dtype=np.int64)
        context = [0.0, *([weight.context] * len(before)), 0.0, *([weight.context] * len(after)), 0.0]
        values = [*context, *weight.of_middle(len(middle)), stop]
        rows = Rows(ids, ids.copy(), np.array(values, dtype=np.float32))
        if hint:
            rows.targets[len(before) + 2], rows.weights[len(before) + 2] = middle[0], hint
        return rows

    def _suffix_first(self, before: list[int], middle: list[int], after: list[int], stop: float) -> Rows:
        weight = self.recipe.weights
        ids = np.array([self.prefix, self.suffix, *after, self.middle, *before, *middle, self.end], dtype=np.int64)
        context = [0.0, 0.0, *([weight.context] * len(after)), 0.0, *([weight.context] * len(before))]
        values = [*context, *weight.of_middle(len(middle)), stop]
        return Rows(ids, ids, np.array(values, dtype=np.float32))


def _suffix_length(rng: np.random.Generator, length: int) -> int:
    """Suffix length in tokens: log-uniform, so that short jumps teach the long ones; in long rows half are uniform."""
    longest = length // 2
    if length >= 256 and rng.random() < 0.5:
        return int(rng.integers(longest))
    return int(np.exp(rng.uniform(0.0, np.log(longest + 1)))) - 1
