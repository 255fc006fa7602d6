"""Folds an adapter into its base model: file by file and tensor by tensor, so that this needs little memory.

Proving the whole model afterwards loads all of it.

W' = W + scale · B·A (LoRA, arXiv 2106.09685, section 4.1), computed in float32 and rounded once to the precision in
which the base model stores W. A folded tensor has the shape and precision of the old one, so that each file keeps its
header, and every other byte of it.
"""

from __future__ import annotations

import hashlib
import math
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import torch

from duotune.adapters.manifest import FileRef, describe_file
from duotune.adapters.peft_config import WEIGHTS, read_config, scale_of, targeted
from duotune.adapters.weights import StoredTensor, read_tensors
from duotune.errors import CheckFailed, ModelError, UsageError, printable
from duotune.models.companions import ModelFiles
from duotune.models.shape import ModelShape
from duotune.runs.reporter import Reporter, Stopped

CHUNK_BYTES = 8 << 20
DTYPES = {"F32": torch.float32, "BF16": torch.bfloat16, "F16": torch.float16}


@dataclass(frozen=True)
class Folded:
    """What was written.

    Attributes:
        layers: Layers whose weights were changed.
        files: Every file, by name.
    """

    layers: int
    files: dict[str, FileRef]


def fold(adapter: Path, files: ModelFiles, shape: ModelShape, target: Path, report: Reporter) -> Folded:
    """Write the base model with the adapter folded in.

    Args:
        adapter: A verified LoRA adapter of that base model, in PEFT's format.
        files: The base model's files.
        shape: Its shape.
        target: An empty directory.
        report: Told of bytes; asked for a stop before each tensor.

    Raises:
        Stopped: A stop was asked for.
        UsageError: The base model is stored in a precision that nothing can be folded into.
        CheckFailed: A folded tensor would not be finite.
        ModelError: A file of the base model is damaged.
        OSError: The disk refuses.
    """
    from safetensors import safe_open

    config = read_config(adapter)
    layers = targeted(config, shape.linear_layers())
    total = files.bytes
    written: dict[str, FileRef] = {}
    done = 0
    open_file: Any = safe_open
    with open_file(adapter / WEIGHTS, "pt") as tensors:
        deltas = _Deltas(tensors, config, layers)
        for file in files.weights:
            for piece in (rewriting := _Rewriting(file, target / file.name, deltas)).pieces():
                done += piece
                report.progress("fold", done, total, "bytes")
                if report.stop_requested:
                    raise Stopped
            written[file.name] = rewriting.described
    for file in files.companions:
        shutil.copyfile(file, target / file.name)
        written[file.name] = describe_file(target / file.name)
        done += written[file.name].bytes
        report.progress("fold", done, total, "bytes")
    return Folded(len(layers), written)


class _Deltas:
    """What an adapter adds to each weight, by the weight's name."""

    def __init__(self, tensors: Any, config: Mapping[str, Any], layers: set[str]) -> None:
        self._tensors, self._config = tensors, config
        self._layers = {f"{layer}.weight": layer for layer in layers}

    def __contains__(self, weight: str) -> bool:
        return weight in self._layers

    def of(self, weight: str) -> torch.Tensor:
        """scale · B·A in float32, (out_features, in_features)."""
        layer = self._layers[weight]
        a, b = (self._tensors.get_tensor(f"base_model.model.{layer}.lora_{side}.weight").float() for side in "AB")
        delta: torch.Tensor = (b @ a) * scale_of(self._config, layer)
        return delta


class _Rewriting:
    """One file of weights, written anew with what the adapter adds."""

    def __init__(self, source: Path, target: Path, deltas: _Deltas) -> None:
        self._source, self._target, self._deltas = source, target, deltas
        self._hash = hashlib.sha256()

    @property
    def described(self) -> FileRef:
        """Hash and size of what was written."""
        return FileRef(sha256=self._hash.hexdigest(), bytes=self._target.stat().st_size)

    def pieces(self) -> Iterator[int]:
        """Write it; yields the bytes of each piece that is written, at most a tensor at a time."""
        tensors = self._tensors()
        with self._source.open("rb") as reader, self._target.open("xb") as writer:
            header = min((tensor.begin for tensor in tensors.values()), default=self._source.stat().st_size)
            yield from self._copy(reader, writer, header)
            for name, tensor in sorted(tensors.items(), key=lambda item: item[1].begin):
                size = tensor.end - tensor.begin
                if name not in self._deltas:
                    yield from self._copy(reader, writer, size)
                    continue
                raw = bytearray(size)
                if reader.readinto(raw) != size:
                    raise self._damaged("it is cut short")
                self._put(writer, _folded(name, raw, tensor, self._deltas.of(name)))
                yield size

    def _tensors(self) -> dict[str, StoredTensor]:
        try:
            return read_tensors(self._source)
        except ValueError as error:
            raise self._damaged(str(error)) from error

    def _copy(self, reader: IO[bytes], writer: IO[bytes], count: int) -> Iterator[int]:
        while count:
            chunk = reader.read(min(count, CHUNK_BYTES))
            if not chunk:
                raise self._damaged("it is cut short")
            self._put(writer, chunk)
            count -= len(chunk)
            yield len(chunk)

    def _put(self, writer: IO[bytes], data: bytes | memoryview) -> None:
        self._hash.update(data)
        writer.write(data)

    def _damaged(self, reason: str) -> ModelError:
        return ModelError(
            f"The weights {printable(self._source)} are damaged: {printable(reason)}.",
            "Copy the model again and compare its files with the original.",
        )


def _folded(name: str, raw: bytearray, tensor: StoredTensor, delta: torch.Tensor) -> memoryview:
    """The bytes of a weight with what the adapter adds."""
    dtype = DTYPES.get(tensor.dtype)
    if dtype is None:
        raise UsageError(
            f"{printable(name)} is stored as {printable(tensor.dtype)}, into which nothing can be folded.",
            "Use the same base model in bfloat16, float16 or float32.",
        )
    weight = torch.frombuffer(raw, dtype=dtype).view(tensor.shape)
    merged = delta.add_(weight).to(dtype)
    if not all(map(math.isfinite, (end.item() for end in torch.aminmax(merged)))):  # a NaN becomes both ends
        raise CheckFailed(
            f"With the adapter folded in, {printable(name)} would have values that {tensor.dtype} cannot hold.",
            "Serve the adapter beside its base model instead.",
        )
    return merged.view(torch.uint8).numpy().data.cast("B")
