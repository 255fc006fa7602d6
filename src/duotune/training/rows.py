"""Reads the packed rows of a prepared dataset as memory-mapped numpy views."""

from __future__ import annotations

import json
from bisect import bisect_right
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from duotune.errors import RunFailed, printable

COLUMNS = ("input_ids", "labels", "loss_weights", "document_lengths")


@dataclass(frozen=True)
class Row:
    """One packed row; all arrays are views of the mapped file.

    Attributes:
        input_ids: Token ids, shape [tokens].
        labels: The token id where it is a target, -100 elsewhere, shape [tokens]; not shifted.
        loss_weights: Weight of each label in the loss, shape [tokens].
        document_lengths: Tokens of each document, in order; they sum to `tokens`.
    """

    input_ids: npt.NDArray[np.int32]
    labels: npt.NDArray[np.int32]
    loss_weights: npt.NDArray[np.float16]
    document_lengths: npt.NDArray[np.int32]


class PackedRows:
    """The rows of one split, in the Arrow stream files that `datasets.save_to_disk` writes.

    Args:
        directory: The split's directory, such as `DATASET/train`.

    Raises:
        RunFailed: If a file is missing, is no Arrow stream, or lacks a column.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._blocks: list[dict[str, tuple[npt.NDArray[Any], npt.NDArray[Any]]]] = []
        self._starts: list[int] = [0]
        try:
            for shard in _shards(directory):
                self._map(shard)
        except (OSError, pa.ArrowException, KeyError, ValueError) as error:
            raise RunFailed(
                f"The prepared data in {printable(directory)} cannot be read: {printable(error)}.",
                "Remove that dataset and run again; it is prepared anew.",
            ) from error

    def _map(self, shard: Path) -> None:
        # The stream's arrays keep the mapping alive; nothing is copied, so 100 GB of rows cost no memory.
        table = pa.ipc.open_stream(pa.memory_map(str(shard))).read_all()
        for batch in table.select(list(COLUMNS)).to_batches():
            if batch.num_rows == 0:
                continue
            self._blocks.append({name: _views(batch.column(name)) for name in COLUMNS})
            self._starts.append(self._starts[-1] + batch.num_rows)

    def __len__(self) -> int:
        return self._starts[-1]

    def __getitem__(self, index: int) -> Row:
        if not 0 <= index < len(self):
            raise IndexError(index)
        block = bisect_right(self._starts, index) - 1
        local = index - self._starts[block]
        return Row(*(_item(self._blocks[block][name], local) for name in COLUMNS))


def _shards(directory: Path) -> list[Path]:
    """The split's files in the order that `datasets` recorded, or by name."""
    state = directory / "state.json"
    if state.is_file():
        return [directory / entry["filename"] for entry in json.loads(state.read_text())["_data_files"]]
    shards = sorted(directory.glob("*.arrow"))
    if not shards:
        raise FileNotFoundError(f"no .arrow file in {directory}")
    return shards


def _views(column: Any) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    return column.offsets.to_numpy(), column.values.to_numpy()


def _item(column: tuple[npt.NDArray[Any], npt.NDArray[Any]], index: int) -> npt.NDArray[Any]:
    offsets, values = column
    return values[offsets[index] : offsets[index + 1]]
