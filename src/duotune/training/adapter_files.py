"""Writes an adapter in PEFT's format, the same bytes for the same weights."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

WEIGHTS = "adapter_model.safetensors"
CONFIG = "adapter_config.json"


def adapter_config(peft_model: Any, base_name: str) -> str:
    """The adapter's `adapter_config.json`.

    PEFT keeps the target modules in a set, whose order changes with every process, and names the base model by its
    path on this machine; here they are sorted, and the base has the name that people use.
    """
    settings = peft_model.peft_config["default"].to_dict()
    settings.update(base_model_name_or_path=base_name, inference_mode=True)
    plain = {
        key: sorted(value) if isinstance(value, set) else getattr(value, "value", value)
        for key, value in settings.items()
    }
    return json.dumps(plain, indent=2, sort_keys=True) + "\n"


def write_weights(weights: Mapping[str, torch.Tensor], file: Path) -> None:
    """Write tensors by sorted name; safetensors keeps no time and no machine in its header."""
    from safetensors.torch import save_file

    save_file({name: weights[name] for name in sorted(weights)}, file, metadata={"format": "pt"})


def public_base_name(path: str) -> str:
    """The base model's name without this machine's directories: "tiny", a hub id, or a folder's last part."""
    return Path(path).name if Path(path).is_absolute() or path.startswith((".", "~")) else path
