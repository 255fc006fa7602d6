"""Reads the headers of safetensors files: names, shapes and sizes of tensors, never their values.

Format: https://github.com/huggingface/safetensors#format (8 bytes little-endian header length, JSON header, data).
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from duotune.errors import ModelError, printable

MAX_HEADER_BYTES = 100_000_000
INDEX = "model.safetensors.index.json"
COPY_AGAIN = "Copy the model again and compare its files with the original."


@dataclass(frozen=True)
class Tensor:
    """One entry of a header.

    Attributes:
        shape: As stored; () for a scalar.
        dtype: In safetensors' names, such as `BF16`.
        size_bytes: Length of its data.
    """

    shape: tuple[int, ...]
    dtype: str
    size_bytes: int

    @property
    def elements(self) -> int:
        """Number of values."""
        return math.prod(self.shape)


def weight_files(directory: Path) -> list[Path]:
    """Safetensors files that make up the model: the shards that the index names, or `model.safetensors`.

    Raises:
        ModelError: There are none, the index is damaged, or it names a shard that is not there.
    """
    index = directory / INDEX
    if not index.is_file():
        single = directory / "model.safetensors"
        if single.is_file():
            return [single]
        raise ModelError(
            f"The model directory {printable(directory)} has neither model.safetensors nor {INDEX}.", COPY_AGAIN
        )
    try:
        shards = set(json.loads(index.read_bytes())["weight_map"].values())
        if not shards or any(not isinstance(shard, str) or "/" in shard or "\0" in shard for shard in shards):
            raise ValueError("it names no proper shards")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"The index {printable(index)} cannot be read: {printable(error)}.", COPY_AGAIN) from error
    for shard in sorted(shards):
        if not (directory / shard).is_file():
            raise ModelError(
                f"The model in {printable(directory)} is incomplete: its index names {printable(shard)}, "
                "which is not there.",
                COPY_AGAIN,
            )
    return [directory / shard for shard in sorted(shards)]


def read_header(file: Path) -> dict[str, Tensor]:
    """Tensors of one safetensors file, by name; the values are not read.

    Raises:
        ModelError: The file is unreadable, not safetensors, or shorter than its header says.
    """
    try:
        size = file.stat().st_size
        with file.open("rb") as stream:
            length = int.from_bytes(stream.read(8), "little")
            if size < 8 or not 2 <= length <= min(MAX_HEADER_BYTES, size - 8):
                raise ValueError("it is not a safetensors file")
            header = json.loads(stream.read(length))
        tensors = {name: _tensor(entry) for name, entry in header.items() if name != "__metadata__"}
        end = max((entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__"), default=0)
        if end > size - 8 - length:
            raise ValueError(f"{end - (size - 8 - length)} bytes are missing at its end")
    except OSError as error:
        raise ModelError(
            f"The weights {printable(file)} cannot be read: {error.strerror}.", "Check its permissions."
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ModelError(f"The weights {printable(file)} are damaged: {printable(error)}.", COPY_AGAIN) from error
    return tensors


def read_tensors(directory: Path) -> dict[str, Tensor]:
    """Tensors of a whole model, by name, in the order of its files.

    Raises:
        ModelError: As `weight_files` and `read_header`.
    """
    tensors: dict[str, Tensor] = {}
    for file in weight_files(directory):
        tensors |= read_header(file)
    return tensors


def _tensor(entry: Mapping[str, object]) -> Tensor:
    shape, dtype, offsets = entry["shape"], entry["dtype"], entry["data_offsets"]
    if not isinstance(shape, list) or not all(isinstance(size, int) and size >= 0 for size in shape):
        raise ValueError("a tensor has no proper shape")
    if not isinstance(offsets, list) or len(offsets) != 2 or not all(isinstance(at, int) for at in offsets):
        raise ValueError("a tensor has no proper place in the file")
    begin, end = offsets
    if not 0 <= begin <= end:
        raise ValueError("a tensor has no proper place in the file")
    return Tensor(tuple(shape), str(dtype), end - begin)
