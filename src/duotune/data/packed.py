"""The packed splits of a dataset: documents of the chosen files in rows of one length, each target weighted."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from duotune.catalog.splits import Split
from duotune.config.run import DataConfig
from duotune.data.dice import Dice
from duotune.data.manifest import Counts
from duotune.data.packing import pack
from duotune.data.rows import DocumentStore, write_dataset_dict, write_rows
from duotune.data.selection import Selection
from duotune.data.weights import LossWeights, balanced

PACKED_SPLITS: tuple[Split, ...] = ("train", "validation")


class Packer:
    """Packs the documents of a selection.

    Args:
        selection: The split.
        directories: The parts' directories, in the pool's order.
        data: Sequence length, seed and recipes.
        padding: Token id that fills rows.

    Attributes:
        weights: Weight of each kind of target, balanced on the training split.
    """

    def __init__(self, selection: Selection, directories: Sequence[Path], data: DataConfig, padding: int) -> None:
        self._selection = selection
        self._store = DocumentStore(directories)
        self._data = data
        self._padding = padding
        self._documents: dict[Split, list[int]] = {split: self._of(split) for split in PACKED_SPLITS}
        targets = self._store.targets(self._documents["train"])
        self.weights: LossWeights = balanced(data.recipes, targets.code, targets.middle, targets.middle_ends)

    def write(self, directory: Path, fingerprint: str) -> dict[Split, Counts]:
        """Write both packed splits below `directory` as one `DatasetDict`; returns the sizes of all splits."""
        counts = {split: self._write(directory / split, split, fingerprint) for split in PACKED_SPLITS}
        write_dataset_dict(directory, PACKED_SPLITS)
        tested = len(self._selection.positions["test"])
        return {**counts, "test": Counts(files=tested, documents=0, rows=0, tokens=0, targets=0, padding=0.0)}

    def _write(self, directory: Path, split: Split, fingerprint: str) -> Counts:
        documents, store, length = self._documents[split], self._store, self._data.sequence_length
        lengths = [int(store.lengths[document]) for document in documents]
        packed = pack(lengths, length, Dice(self._data.seed, "pack", split))
        rows = [[documents[index] for index in row] for row in packed]
        write_rows(directory, split, rows, store, length, self._padding, self.weights, fingerprint)
        targets = store.targets(documents)
        tokens, size = sum(lengths), length * len(rows)
        return Counts(
            files=len(self._selection.positions[split]),
            documents=len(documents),
            rows=len(rows),
            tokens=tokens,
            targets=targets.code + targets.middle + targets.middle_ends,
            padding=round(1 - tokens / size, 6) if size else 0.0,
        )

    def _of(self, split: Split) -> list[int]:
        """Documents of the files of one split, in the parts' order."""
        pool = self._selection.pool
        chosen = [np.zeros(len(record.files), dtype=bool) for record in pool.records]
        for position in self._selection.positions[split]:
            chosen[pool.files[position].part][pool.files[position].row] = True
        flags = [chosen[part][file] for part, file in self._store.owner]
        return [int(document) for document in np.flatnonzero(np.asarray(flags, dtype=bool))]
