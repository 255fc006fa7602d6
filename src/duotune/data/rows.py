"""Rows of packed tokens as Arrow files that `datasets.load_from_disk` opens.

The layout on disk is that of Hugging Face datasets (`DatasetDict.save_to_disk`): an Arrow stream per split with
`dataset_info.json` and `state.json` beside it, and `dataset_dict.json` above. Written directly, so that bytes depend on
content alone and no row passes through Python objects.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from duotune.data.documents import Documents, PackedDocument
from duotune.data.recipes import NAMES
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


def write_rows(
    directory: Path,
    split: str,
    documents: Documents,
    rows: Sequence[Sequence[int]],
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
        documents: Its documents.
        rows: Positions of documents, row by row; a row's tokens are at most `row_length`.
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
            loaded = [[documents[position] for position in row] for row in rows[start : start + _BATCH_ROWS]]
            batch = _batch(loaded, row_length, padding, table, schema)
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
