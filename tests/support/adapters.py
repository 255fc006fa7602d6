"""Adapters in PEFT's format, written by hand so that each part of them can be spoilt."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from duotune.models.shape import ModelShape

WIDTHS = {"F32": 4, "BF16": 2, "F16": 2, "F64": 8}


@dataclass
class HandmadeAdapter:
    """An adapter in memory: change what you like, then write it.

    Attributes:
        config: What goes to adapter_config.json.
        tensors: Name to dtype, shape and bytes.
    """

    config: dict[str, Any]
    tensors: dict[str, tuple[str, tuple[int, ...], bytes]] = field(default_factory=dict)

    def write(self, directory: Path) -> Path:
        """Write both files and return the directory."""
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "adapter_config.json").write_text(json.dumps(self.config))
        file = directory / "adapter_model.safetensors"
        file.write_bytes(safetensors(self.tensors))
        file.chmod(0o600)
        return directory


def handmade_adapter(
    shape: ModelShape,
    r: int = 4,
    targets: tuple[str, ...] = ("q_proj", "down_proj"),
    dtype: str = "F32",
    fill: int = 0x11,
    ranks: Mapping[str, int] | None = None,
) -> HandmadeAdapter:
    """A good adapter of a model: every value has the same bytes."""
    ranks = ranks or {}
    adapter = HandmadeAdapter(
        {
            "peft_type": "LORA",
            "task_type": "CAUSAL_LM",
            "base_model_name_or_path": "micro",
            "r": r,
            "lora_alpha": 2 * r,
            "bias": "none",
            "init_lora_weights": True,
            "target_modules": list(targets),
            "rank_pattern": dict(ranks),
        }
    )
    for module, (out_features, in_features) in shape.linear_layers().items():
        last = module.rpartition(".")[2]
        if last in targets:
            rank = ranks.get(last, r)
            for side, size in (("A", (rank, in_features)), ("B", (out_features, rank))):
                data = bytes([fill]) * (size[0] * size[1] * WIDTHS[dtype])
                adapter.tensors[f"base_model.model.{module}.lora_{side}.weight"] = (dtype, size, data)
    return adapter


def safetensors(tensors: Mapping[str, tuple[str, tuple[int, ...], bytes]]) -> bytes:
    """A safetensors file of raw tensors."""
    header, data = {}, b""
    for name, (dtype, shape, raw) in tensors.items():
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data
