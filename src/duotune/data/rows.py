"""Rows of packed tokens as Arrow files that `datasets.load_from_disk` opens.

The layout on disk is that of Hugging Face datasets (`DatasetDict.save_to_disk`): an Arrow stream per split with
`dataset_info.json` and `state.json` beside it, and `dataset_dict.json` above. Written directly, so that bytes depend on
content alone and no row passes through Python objects.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from duotune.data.parts import read_documents
from duotune.data.weights import LossWeights

NO_LOSS = -100
_ARROW_FILE = "data-00000-of-00001.arrow"
_BATCH_ROWS = 64
_COLUMNS: Mapping[str, tuple[pa.DataType, str]] = {
    "input_ids": (pa.int32(), "int32"),
    "labels": (pa.int32(), "int32"),
    "loss_weights": (pa.float16(), "float16"),
    "document_lengths": (pa.int32(), "int32"),
}


@dataclass(frozen=True)
class Targets:
    """How many targets some documents hold, by what they are."""

    code: int
    middle: int
    middle_ends: int


class DocumentStore:
    """The documents of several parts, memory-mapped and addressed by position.

    Args:
        directories: The parts' directories.

    Attributes:
        owner: Part and file of each document, [n, 2].
        lengths: Tokens of each document.
        is_fim: Which are fill-in-the-middle examples.
    """

    def __init__(self, directories: Sequence[Path]) -> None:
        batches = [(part, batch) for part, path in enumerate(directories) for batch in read_documents(path)]
        self._values = [batch.column("ids").flatten().to_numpy() for _, batch in batches]
        lengths = [batch.column("ids").value_lengths().to_numpy() for _, batch in batches]
        starts = [np.cumsum(each) - each for each in lengths]
        self.lengths = _joined(lengths)
        self._starts = _joined(starts)
        self._batch = _joined([np.full(len(each), index) for index, each in enumerate(lengths)])
        self._prompts = _joined([batch.column("prompt_length").to_numpy() for _, batch in batches])
        self._ends = _joined([batch.column("ends").to_numpy(zero_copy_only=False) for _, batch in batches]) > 0
        recipes = [recipe == "fim" for _, batch in batches for recipe in batch.column("recipe").to_pylist()]
        self.is_fim = np.asarray(recipes, dtype=bool)
        files = _joined([batch.column("file").to_numpy() for _, batch in batches])
        parts = _joined([np.full(batch.num_rows, part) for part, batch in batches])
        self.owner = np.stack([parts, files], axis=1)

    def ids(self, document: int) -> NDArray[np.int32]:
        """Token ids of one document."""
        start = self._starts[document]
        values: NDArray[np.int32] = self._values[self._batch[document]][start : start + self.lengths[document]]
        return values

    def target_span(self, document: int) -> tuple[int, int]:
        """First target and end of the targets: never the first token, nor the end token of a piece of a file."""
        length = int(self.lengths[document])
        return max(1, int(self._prompts[document])), length if self._ends[document] else length - 1

    def targets(self, documents: Iterable[int]) -> Targets:
        """How many targets these documents hold."""
        code = middle = ends = 0
        for document in documents:
            first, end = self.target_span(document)
            if self.is_fim[document]:
                middle, ends = middle + max(0, end - first - 1), ends + 1
            else:
                code += max(0, end - first)
        return Targets(code, middle, ends)


def write_rows(
    directory: Path,
    split: str,
    rows: Sequence[Sequence[int]],
    store: DocumentStore,
    row_length: int,
    padding: int,
    weights: LossWeights,
    fingerprint: str,
) -> None:
    """Write the rows of one split.

    Args:
        directory: The split's directory, to be made.
        split: Its name.
        rows: Positions of documents, row by row; a row's tokens are at most `row_length`.
        store: The documents.
        row_length: Tokens of every row; what documents leave is filled by a last one of padding, without targets.
        padding: Id that fills.
        weights: Weight of each target.
        fingerprint: Of the dataset.
    """
    directory.mkdir()
    schema = pa.schema([(name, pa.list_(kind)) for name, (kind, _) in _COLUMNS.items()])
    written = 0
    with pa.ipc.new_stream(directory / _ARROW_FILE, schema) as stream:
        for start in range(0, len(rows), _BATCH_ROWS):
            batch = _batch(rows[start : start + _BATCH_ROWS], store, row_length, padding, weights, schema)
            stream.write_batch(batch)
            written += batch.nbytes
    _write_json(directory / "dataset_info.json", _dataset_info(split, len(rows), written))
    _write_json(directory / "state.json", _state(split, fingerprint))


def write_dataset_dict(directory: Path, splits: Sequence[str]) -> None:
    """Write what makes the directories of the splits one `DatasetDict`."""
    _write_json(directory / "dataset_dict.json", {"splits": list(splits)})


def _batch(
    rows: Sequence[Sequence[int]],
    store: DocumentStore,
    row_length: int,
    padding: int,
    weights: LossWeights,
    schema: pa.Schema,
) -> pa.RecordBatch:
    ids = np.full((len(rows), row_length), padding, dtype=np.int32)
    labels = np.full((len(rows), row_length), NO_LOSS, dtype=np.int32)
    weight = np.zeros((len(rows), row_length), dtype=np.float16)
    lengths: list[list[int]] = []
    for index, row in enumerate(rows):
        at = 0
        for document in row:
            length = int(store.lengths[document])
            ids[index, at : at + length] = store.ids(document)
            first, end = (at + place for place in store.target_span(document))
            labels[index, first:end] = ids[index, first:end]
            if store.is_fim[document]:
                weight[index, first:end] = weights.middle
                weight[index, end - 1] = weights.middle_end
            else:
                weight[index, first:end] = weights.code
            at += length
        lengths.append(
            [int(store.lengths[document]) for document in row] + ([row_length - at] if at < row_length else [])
        )
    offsets = np.arange(len(rows) + 1, dtype=np.int32) * row_length
    arrays = [pa.ListArray.from_arrays(offsets, pa.array(matrix.reshape(-1))) for matrix in (ids, labels, weight)]
    return pa.RecordBatch.from_arrays([*arrays, pa.array(lengths, type=pa.list_(pa.int32()))], schema=schema)


def _dataset_info(split: str, rows: int, size: int) -> dict[str, Any]:
    features = {
        name: {"feature": {"dtype": kind, "_type": "Value"}, "_type": "List"} for name, (_, kind) in _COLUMNS.items()
    }
    info = {"name": split, "num_bytes": size, "num_examples": rows, "dataset_name": "duotune"}
    return {
        "citation": "",
        "description": "",
        "features": features,
        "homepage": "",
        "license": "",
        "splits": {split: info},
    }


def _state(split: str, fingerprint: str) -> dict[str, Any]:
    return {
        "_data_files": [{"filename": _ARROW_FILE}],
        "_fingerprint": fingerprint[:16],
        "_format_columns": None,
        "_format_kwargs": {},
        "_format_type": None,
        "_output_all_columns": False,
        "_split": split,
    }


def _write_json(file: Path, content: Mapping[str, Any]) -> None:
    file.write_text(json.dumps(content, indent=2, sort_keys=True) + "\n")


def _joined(arrays: Sequence[NDArray[Any]]) -> NDArray[np.int64]:
    return np.concatenate(arrays).astype(np.int64) if arrays else np.empty(0, dtype=np.int64)
