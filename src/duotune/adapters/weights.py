"""Looks into a safetensors file: its header, and the bits of its values, without torch.

Format: https://github.com/huggingface/safetensors#format (8 bytes little-endian header length, JSON header, data).
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MAX_HEADER_BYTES = 100_000_000
CHUNK_VALUES = 1 << 22


@dataclass(frozen=True)
class FloatBits:
    """How a floating-point type is stored: unsigned type of the same width, and the mask of its exponent."""

    unsigned: str
    width_bytes: int
    exponent: int


FLOATS = {
    "BF16": FloatBits("<u2", 2, 0x7F80),
    "F16": FloatBits("<u2", 2, 0x7C00),
    "F32": FloatBits("<u4", 4, 0x7F800000),
}


@dataclass(frozen=True)
class StoredTensor:
    """One tensor of the file.

    Attributes:
        dtype: In safetensors' names.
        shape: As stored.
        begin: First byte, from the beginning of the file.
        end: One past the last byte.
    """

    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int


def read_tensors(file: Path) -> dict[str, StoredTensor]:
    """Every tensor of a file whose header accounts for every byte of it.

    Raises:
        ValueError: The file is damaged, cut short, or not safetensors; the text says how.
        OSError: It cannot be read.
    """
    size = file.stat().st_size
    with file.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        if size < 8 or not 2 <= length <= min(MAX_HEADER_BYTES, size - 8):
            raise ValueError("it is not a safetensors file, or cut short in its header")
        header = json.loads(stream.read(length))
    if not isinstance(header, dict):
        raise ValueError("its header is not a JSON object")
    start = 8 + length
    tensors = {name: _tensor(name, entry, start) for name, entry in header.items() if name != "__metadata__"}
    position = start
    for name, tensor in sorted(tensors.items(), key=lambda item: item[1].begin):
        if tensor.begin != position:
            raise ValueError(f"the data of {name} does not follow that of its neighbour")
        position = tensor.end
    if position != size:
        raise ValueError(f"it has {size:,} bytes where its header says {position:,}")
    return tensors


def all_finite(file: Path, tensor: StoredTensor) -> bool:
    """Whether no value is infinite or not a number: those have all bits of the exponent set."""
    import numpy as np

    exponent = FLOATS[tensor.dtype].exponent
    return not any(bool(np.any((chunk & exponent) == exponent)) for chunk in _chunks(file, tensor))


def all_zero(file: Path, tensor: StoredTensor) -> bool:
    """Whether every value is zero, of either sign."""
    import numpy as np

    value_bits = (1 << (8 * FLOATS[tensor.dtype].width_bytes - 1)) - 1
    return not any(bool(np.any(chunk & value_bits)) for chunk in _chunks(file, tensor))


def _chunks(file: Path, tensor: StoredTensor) -> Iterator[Any]:
    import numpy as np

    bits = FLOATS[tensor.dtype]
    count = (tensor.end - tensor.begin) // bits.width_bytes
    for first in range(0, count, CHUNK_VALUES):
        yield np.fromfile(
            file,
            dtype=bits.unsigned,
            count=min(CHUNK_VALUES, count - first),
            offset=tensor.begin + first * bits.width_bytes,
        )


def _tensor(name: str, entry: object, start: int) -> StoredTensor:
    if not isinstance(entry, Mapping):
        raise ValueError(f"its header does not describe {name}")
    dtype, shape, offsets = entry.get("dtype"), entry.get("shape"), entry.get("data_offsets")
    if not isinstance(shape, list) or not all(isinstance(size, int) and size >= 0 for size in shape):
        raise ValueError(f"{name} has no proper shape")
    if not isinstance(offsets, list) or len(offsets) != 2 or not all(isinstance(at, int) for at in offsets):
        raise ValueError(f"{name} has no proper place in the file")
    begin, end = offsets
    known = FLOATS.get(str(dtype))
    if not 0 <= begin <= end or (known and end - begin != math.prod(shape) * known.width_bytes):
        raise ValueError(f"{name} has no proper place in the file")
    return StoredTensor(str(dtype), tuple(shape), start + begin, start + end)
