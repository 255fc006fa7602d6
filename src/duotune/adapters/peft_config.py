"""What an `adapter_config.json` says: its rank per layer, the layers it targets, and what vLLM would refuse of it."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

CONFIG = "adapter_config.json"
WEIGHTS = "adapter_model.safetensors"

_MUST_BE_OFF = {
    "use_dora": "DoRA",
    "lora_bias": "LoRA with a bias",
    "modules_to_save": "retrained whole modules (modules_to_save)",
    "layer_replication": "replicated layers",
    "alora_invocation_tokens": "activated LoRA (aLoRA)",
    "use_qalora": "QALoRA",
    "use_bdlora": "BD-LoRA",
    "target_parameters": "LoRA on parameters of experts (target_parameters)",
    "trainable_token_indices": "retrained tokens (trainable_token_indices)",
    "arrow_config": "Arrow routing",
    "kasa_config": "KaSA",
    "monteclora_config": "MonteCLoRA",
    "fan_in_fan_out": "transposed weights (fan_in_fan_out)",
}
"""Fields that vLLM refuses, or ignores and then answers wrongly, when they are set."""
_KEEP_BASE = (True, False, None, "gaussian", "eva", "orthogonal")
"""Initialisations that leave the base model's weights as they are."""
_NOT_ADAPTED = ("embed_tokens", "wte", "lm_head", "embed_out")


def read_config(directory: Path) -> Mapping[str, Any]:
    """The adapter's configuration.

    Raises:
        ValueError: It is missing or no JSON object; the text says which.
    """
    try:
        config = json.loads((directory / CONFIG).read_bytes())
    except FileNotFoundError:
        raise ValueError(f"there is no {CONFIG}") from None
    except (OSError, ValueError, RecursionError) as error:
        raise ValueError(f"{CONFIG} cannot be read: {error}") from error
    if not isinstance(config, dict):
        raise ValueError(f"{CONFIG} is not a JSON object")
    return config


def refused_by_vllm(config: Mapping[str, Any]) -> list[str]:
    """What of the configuration vLLM cannot serve; empty when all is well. Source: vLLM 0.32, lora/peft_helper.py."""
    found = [label for key, label in _MUST_BE_OFF.items() if config.get(key)]
    if config.get("peft_type") != "LORA":
        found.insert(0, f"another kind of adapter than LoRA ({config.get('peft_type')})")
    if config.get("bias", "none") != "none":
        found.append(f"trained biases (bias = {config['bias']!r})")
    if config.get("init_lora_weights", True) not in _KEEP_BASE:
        found.append(f"an initialisation that changes the base model ({config['init_lora_weights']})")
    targets = config.get("target_modules")
    if isinstance(targets, list):
        found.extend(f"an adapted {name}" for name in targets if str(name).rpartition(".")[2] in _NOT_ADAPTED)
    return found


def largest_rank(config: Mapping[str, Any]) -> int:
    """The largest rank of any layer.

    Raises:
        ValueError: A rank is not a positive whole number.
    """
    ranks = [config.get("r"), *_pattern(config).values()]
    if not all(isinstance(rank, int) and not isinstance(rank, bool) and rank > 0 for rank in ranks):
        raise ValueError("a rank is not a positive whole number")
    return max(rank for rank in ranks if isinstance(rank, int))


def rank_of(config: Mapping[str, Any], module: str) -> int:
    """Rank of one layer; patterns match the end of its name, as in PEFT's `get_pattern_key`."""
    return int(_for_layer(_pattern(config), module, config["r"]))


def scale_of(config: Mapping[str, Any], module: str) -> float:
    """What B·A of one layer is multiplied with. Source: PEFT 0.21, `tuners/lora/layer.py`, `update_layer`."""
    rank = rank_of(config, module)
    alpha = float(_for_layer(config.get("alpha_pattern") or {}, module, config.get("lora_alpha", 8)))
    return alpha / (math.sqrt(rank) if config.get("use_rslora") else rank)


def targeted(config: Mapping[str, Any], layers: Collection[str]) -> set[str]:
    """Which of the base model's layers the configuration adapts.

    Raises:
        ValueError: A target matches no layer.
    """
    targets = config.get("target_modules")
    if targets == "all-linear":
        chosen = set(layers)
    elif isinstance(targets, str):
        chosen = {layer for layer in layers if re.fullmatch(targets, layer)}
    else:
        chosen = set()
        for target in targets or []:
            matching = {layer for layer in layers if _named(layer, str(target))}
            if not matching:
                raise ValueError(f"the base model has no layer {target}")
            chosen |= matching
    return {layer for layer in chosen if not _excluded(config, layer) and _in_chosen_depth(config, layer)}


def _pattern(config: Mapping[str, Any]) -> Mapping[str, Any]:
    pattern = config.get("rank_pattern") or {}
    return pattern if isinstance(pattern, dict) else {"": None}


def _for_layer(patterns: Mapping[str, Any], module: str, otherwise: Any) -> Any:
    for pattern, value in patterns.items():
        if re.fullmatch(rf"(.*\.)?({pattern})", module):
            return value
    return otherwise


def _named(layer: str, name: str) -> bool:
    return layer == name or layer.endswith(f".{name}")


def _excluded(config: Mapping[str, Any], layer: str) -> bool:
    excluded = config.get("exclude_modules") or []
    if isinstance(excluded, str):
        return re.fullmatch(excluded, layer) is not None
    return any(_named(layer, str(name)) for name in excluded)


def _in_chosen_depth(config: Mapping[str, Any], layer: str) -> bool:
    chosen = config.get("layers_to_transform")
    if chosen is None:
        return True
    depth = re.search(r"\.(\d+)\.", layer)
    return depth is not None and int(depth[1]) in (chosen if isinstance(chosen, list) else [chosen])
