"""The packed splits of a dataset: documents of the chosen files in rows of one length, each target weighted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from duotune.catalog.splits import Split
from duotune.config.run import DataConfig
from duotune.data.chains import ChainedFile, Chains, Excerpt
from duotune.data.dice import Dice
from duotune.data.documents import Documents, DocumentStore
from duotune.data.imports import Importing, import_order
from duotune.data.manifest import Counts
from duotune.data.packing import pack
from duotune.data.recipes import NAMES, Recipe
from duotune.data.rows import write_dataset_dict, write_rows
from duotune.data.selection import Selection
from duotune.data.weights import LossWeights, balanced, loss_weights
from duotune.models.prompts import PromptRenderer, Role

PACKED_SPLITS: tuple[Split, ...] = ("train", "validation")


class Packer:
    """Packs the documents of a selection.

    Args:
        selection: The split.
        directories: The parts' directories, in the pool's order.
        data: Sequence length, seed, and weights of prompts.
        renderer: Of the model that the parts were made for.

    Attributes:
        weights: Weight of each kind of target, balanced on the training split.
    """

    def __init__(
        self, selection: Selection, directories: Sequence[Path], data: DataConfig, renderer: PromptRenderer
    ) -> None:
        self._selection = selection
        self._store = DocumentStore(directories)
        self._data = data
        self._renderer = renderer
        self._documents: dict[Split, Documents] = {split: self._of(split) for split in PACKED_SPLITS}
        self._counted = {split: _counted(documents) for split, documents in self._documents.items()}
        self.weights: LossWeights = balanced(loss_weights(data), self._counted["train"])

    def write(
        self, directory: Path, fingerprint: str, progress: Callable[[str, int, int], None]
    ) -> dict[Split, Counts]:
        """Write both packed splits below `directory` as one `DatasetDict`; returns the sizes of all splits.

        Args:
            directory: The dataset's.
            fingerprint: The dataset's.
            progress: Told a split, how many of its rows are written, and of how many.
        """
        counts = {
            split: self._write(directory / split, split, fingerprint, partial(progress, split))
            for split in PACKED_SPLITS
        }
        write_dataset_dict(directory, PACKED_SPLITS)
        tested = len(self._selection.positions["test"])
        return {**counts, "test": Counts(files=tested, documents=0, rows=0, tokens=0, targets=0, padding=0.0)}

    def _write(self, directory: Path, split: Split, fingerprint: str, progress: Callable[[int, int], None]) -> Counts:
        documents, length = self._documents[split], self._data.sequence_length
        rows = pack(documents.lengths, length, Dice(self._data.seed, "pack", split))
        padding = next(iter(self._renderer.end_ids), 0)
        write_rows(directory, split, documents, rows, length, padding, self.weights, fingerprint, progress)
        tokens, size = sum(documents.lengths), length * len(rows)
        counted = self._counted[split]
        is_target = dict(zip(NAMES, self.weights.table() > 0, strict=True))
        targets = sum(int(counts[is_target[name]].sum()) for name, counts in counted.items())
        return Counts(
            files=len(self._selection.positions[split]),
            documents=len(documents),
            rows=len(rows),
            tokens=tokens,
            targets=targets,
            padding=round(1 - tokens / size, 6) if size else 0.0,
            recipes={name: int(counts.sum()) for name, counts in counted.items()},
        )

    def _of(self, split: Split) -> Documents:
        """Documents of the files of one split, in the parts' order; excerpts joined by project, last."""
        pool, store = self._selection.pool, self._store
        starts = np.cumsum([0, *(len(record.files) for record in pool.records)])
        chosen = np.zeros(starts[-1], dtype=bool)
        chosen[self._selection.positions[split]] = True
        kept = chosen[starts[store.owner[:, 0]] + store.owner[:, 1]]
        documents = Documents(store)
        for document in map(int, np.flatnonzero(kept & ~store.excerpts)):
            documents.append(store.recipe(document), [store.piece(document)])
        self._join(split, np.flatnonzero(kept & store.excerpts), documents)
        return documents

    def _join(self, split: Split, excerpts: NDArray[np.int64], documents: Documents) -> None:
        """Add the excerpts of one split: for each recipe, those of a project joined in the order of its imports."""
        if not len(excerpts):
            return
        pool, store = self._selection.pool, self._store
        chains = Chains(self._renderer, self._data.sequence_length)
        recipes = sorted({store.recipe(document) for document in map(int, excerpts)})
        for part, name in enumerate(pool.projects):
            of_file: dict[tuple[Recipe, int], list[Excerpt]] = defaultdict(list)
            for document in map(int, excerpts[store.owner[excerpts, 0] == part]):
                excerpt = Excerpt(store.piece(document), bool(store.ends[document]))
                of_file[store.recipe(document), int(store.owner[document, 1])].append(excerpt)
            # All files of the split, so that what one imports through another still comes first.
            positions = [p for p in self._selection.positions[split] if pool.files[p].part == part]
            order = import_order([Importing(pool.files[p].file.path, pool.imports(p)) for p in positions])
            ordered = [pool.files[positions[place]] for place in order]
            for recipe in recipes:
                files = [ChainedFile(f.file.path, of_file.get((recipe, f.row), [])) for f in ordered]
                for pieces in chains.join(name, [file for file in files if file.excerpts]):
                    documents.append(recipe, pieces)


def _counted(documents: Documents) -> dict[Recipe, NDArray[np.int64]]:
    """Tokens of each recipe by `Role`."""
    counts: dict[Recipe, NDArray[np.int64]] = {}
    for document in documents:
        counts[document.recipe] = counts.get(document.recipe, np.zeros(len(Role), dtype=np.int64)) + document.roles()
    return counts
