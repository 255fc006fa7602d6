"""Rows of packed tokens as Arrow files that `datasets.load_from_disk` opens.

The layout on disk is that of Hugging Face datasets (`DatasetDict.save_to_disk`): an Arrow stream per split with
`dataset_info.json` and `state.json` beside it, and `dataset_dict.json` above. Written directly, so that bytes depend on
content alone and no row passes through Python objects.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from duotune.data.chains import Ids, Roles, Tokens
from duotune.data.part_files import DOCUMENTS_FILE, MappedFile
from duotune.data.recipes import NAMES, Recipe
from duotune.data.weights import LossWeights
from duotune.models.prompts import Role

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
class PackedDocument:
    """A document as rows hold it.

    Attributes:
        recipe: How it was made.
        pieces: Its tokens; a document that is joined from excerpts has several.
    """

    recipe: Recipe
    pieces: Sequence[Tokens]

    def __len__(self) -> int:
        return sum(map(len, self.pieces))

    def roles(self) -> NDArray[np.int64]:
        """How many tokens it has of each `Role`; the first, which nothing predicts, is context whatever it is."""
        counts = np.zeros(len(Role), dtype=np.int64)
        first = None
        for piece in self.pieces:
            roles = piece.roles
            counts += np.bincount(roles, minlength=len(Role))
            first = roles[0] if first is None else first
        counts[first] -= 1
        counts[Role.CONTEXT] += 1
        return counts


class DocumentStore:
    """The documents of several parts, memory-mapped and addressed by position.

    Args:
        directories: The parts' directories.

    Attributes:
        owner: Part and file of each document, [n, 2].
        recipes: How each was made.
        excerpts: Which are to be joined.
        ends: Which hold the end of their file.
    """

    def __init__(self, directories: Sequence[Path]) -> None:
        self._files = [MappedFile(directory / DOCUMENTS_FILE) for directory in directories]
        batches = [
            (part, file.reader.get_batch(index))
            for part, file in enumerate(self._files)
            for index in range(file.reader.num_record_batches)
        ]
        self._ids = [batch.column("ids").flatten().to_numpy() for _, batch in batches]
        self._roles = [_binary_values(batch.column("roles")) for _, batch in batches]
        lengths = [batch.column("ids").value_lengths().to_numpy() for _, batch in batches]
        self._lengths = _joined(lengths)
        self._starts = _joined([np.cumsum(each) - each for each in lengths])
        self._batch = _joined([np.full(len(each), index) for index, each in enumerate(lengths)])
        self.recipes: list[Recipe] = [name for _, batch in batches for name in batch.column("recipe").to_pylist()]
        self.excerpts = _joined([batch.column("excerpt").to_numpy(zero_copy_only=False) for _, batch in batches]) > 0
        self.ends = _joined([batch.column("ends").to_numpy(zero_copy_only=False) for _, batch in batches]) > 0
        files = _joined([batch.column("file").to_numpy() for _, batch in batches])
        parts = _joined([np.full(batch.num_rows, part) for part, batch in batches])
        self.owner = np.stack([parts, files], axis=1)

    def piece(self, document: int) -> StoredPiece:
        """Tokens of one document."""
        return StoredPiece(self, document)

    def length(self, document: int) -> int:
        """How many tokens a document has."""
        return int(self._lengths[document])

    def ids(self, document: int) -> Ids:
        """Token ids of one document, as they are in the file."""
        return self._of(document, self._ids, 4)

    def roles(self, document: int) -> Roles:
        """Roles of the tokens of one document."""
        return self._of(document, self._roles, 1)

    def _of(self, document: int, columns: Sequence[NDArray[Any]], item_bytes: int) -> NDArray[Any]:
        start, length = self._starts[document], self._lengths[document]
        self._files[self.owner[document, 0]].passed(int(length) * item_bytes)
        values: NDArray[Any] = columns[self._batch[document]]
        return values[start : start + length]


class StoredPiece:
    """Tokens of a document in its file: hundreds of thousands of them take little memory.

    Args:
        store: Where it is.
        document: Its position there.
    """

    __slots__ = ("_document", "_store")

    def __init__(self, store: DocumentStore, document: int) -> None:
        self._store = store
        self._document = document

    def __len__(self) -> int:
        return self._store.length(self._document)

    @property
    def ids(self) -> Ids:
        """Token ids."""
        return self._store.ids(self._document)

    @property
    def roles(self) -> Roles:
        """`Role` of each."""
        return self._store.roles(self._document)


def write_rows(
    directory: Path,
    split: str,
    rows: Sequence[Sequence[PackedDocument]],
    row_length: int,
    padding: int,
    weights: LossWeights,
    fingerprint: str,
    progress: Callable[[int, int], None],
) -> None:
    """Write the rows of one split.

    Args:
        directory: The split's directory, to be made.
        split: Its name.
        rows: Documents, row by row; a row's tokens are at most `row_length`.
        row_length: Tokens of every row; what documents leave is filled by a last one of padding, without targets.
        padding: Id that fills.
        weights: Weight of each target.
        fingerprint: Of the dataset.
        progress: Told how many rows are written, and of how many.
    """
    directory.mkdir()
    schema = pa.schema([(name, pa.list_(kind)) for name, (kind, _) in _COLUMNS.items()])
    table = weights.table()
    written = 0
    with pa.ipc.new_stream(directory / _ARROW_FILE, schema) as stream:
        for start in range(0, len(rows), _BATCH_ROWS):
            batch = _batch(rows[start : start + _BATCH_ROWS], row_length, padding, table, schema)
            stream.write_batch(batch)
            written += batch.nbytes
            progress(min(start + _BATCH_ROWS, len(rows)), len(rows))
    _write_json(directory / "dataset_info.json", _dataset_info(split, len(rows), written))
    _write_json(directory / "state.json", _state(split, fingerprint))


def write_dataset_dict(directory: Path, splits: Sequence[str]) -> None:
    """Write what makes the directories of the splits one `DatasetDict`."""
    _write_json(directory / "dataset_dict.json", {"splits": list(splits)})


def _batch(
    rows: Sequence[Sequence[PackedDocument]],
    row_length: int,
    padding: int,
    weights: NDArray[np.float16],
    schema: pa.Schema,
) -> pa.RecordBatch:
    """Rows as columns; a token is a target where its recipe and role have a weight, but never a document's first."""
    ids = np.full((len(rows), row_length), padding, dtype=np.int32)
    weight = np.zeros((len(rows), row_length), dtype=np.float16)
    lengths: list[list[int]] = []
    for index, row in enumerate(rows):
        at = 0
        for document in row:
            begin, of_role = at, weights[NAMES.index(document.recipe)]
            for piece in document.pieces:
                end = at + len(piece)
                ids[index, at:end] = piece.ids
                weight[index, at:end] = of_role[piece.roles]
                at = end
            weight[index, begin] = 0
        lengths.append([len(document) for document in row] + ([row_length - at] if at < row_length else []))
    labels = np.where(weight > 0, ids, np.int32(NO_LOSS))
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


def _binary_values(column: Any) -> NDArray[np.uint8]:
    """The bytes of all values of a binary column, one after the other."""
    _, offsets, values = column.buffers()
    first, last = np.frombuffer(offsets, dtype=np.int32)[[column.offset, column.offset + len(column)]]
    content = np.frombuffer(values, dtype=np.uint8) if values is not None else np.empty(0, dtype=np.uint8)
    return content[first:last]


def _joined(arrays: Sequence[NDArray[Any]]) -> NDArray[np.int64]:
    return np.concatenate(arrays).astype(np.int64) if arrays else np.empty(0, dtype=np.int64)
