"""A packed dataset as `data/` writes it, small and learnable."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

SCHEMA = pa.schema(
    [
        ("input_ids", pa.list_(pa.int32())),
        ("labels", pa.list_(pa.int32())),
        ("loss_weights", pa.list_(pa.float16())),
        ("document_lengths", pa.list_(pa.int32())),
    ]
)
PACKED_LENGTH = 48


def counting_documents(count: int, seed: int = 0, length: int = 16) -> list[list[int]]:
    """Documents whose every token is the one before plus 3: a rule that a small adapter learns quickly."""
    generator = np.random.default_rng(seed)
    return [[int(start + 3 * place) % 90 + 20 for place in range(length)] for start in generator.integers(0, 90, count)]


def packed_row(documents: Sequence[Sequence[int]], padding: int = 0, weight: float = 1.0) -> dict[str, list[Any]]:
    """One row of the documents, every token but each first a label; `padding` makes a last document without labels."""
    ids = [token for document in documents for token in document] + [0] * padding
    labels = [token if place else -100 for document in documents for place, token in enumerate(document)] + [
        -100
    ] * padding
    lengths = [len(document) for document in documents] + ([padding] if padding else [])
    return {"input_ids": ids, "labels": labels, "loss_weights": [weight] * len(ids), "document_lengths": lengths}


def write_split(directory: Path, rows: Sequence[dict[str, list[Any]]], shards: int = 1) -> Path:
    """Write rows as `datasets.save_to_disk` lays them out: Arrow streams and a state.json."""
    directory.mkdir(parents=True)
    names = []
    for shard in range(shards):
        part = rows[shard * len(rows) // shards : (shard + 1) * len(rows) // shards]
        names.append(f"data-{shard:05d}-of-{shards:05d}.arrow")
        columns = {
            field.name: pa.array(
                [np.asarray(row[field.name], dtype=field.type.value_type.to_pandas_dtype()) for row in part], field.type
            )
            for field in SCHEMA
        }
        with pa.OSFile(str(directory / names[-1]), "wb") as sink, pa.ipc.new_stream(sink, SCHEMA) as writer:
            writer.write_table(pa.table(columns, schema=SCHEMA), max_chunksize=4)
    (directory / "state.json").write_text(json.dumps({"_data_files": [{"filename": name} for name in names]}))
    return directory


def build_packed_dataset(directory: Path, rows: int = 24, validation_rows: int = 4) -> Path:
    """A dataset of counting documents, three to a row."""
    for split, count, seed in (("train", rows, 1), ("validation", validation_rows, 2)):
        documents = counting_documents(3 * count, seed)
        packed = [packed_row(documents[3 * row : 3 * row + 3]) for row in range(count)]
        write_split(directory / split, packed, shards=2 if count > 4 else 1)
    return directory
