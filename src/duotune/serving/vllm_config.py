"""vLLM's YAML configuration for one base model and its adapters."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from duotune.config.host import ServingConfig
from duotune.errors import UsageError

# vLLM 0.33: --max-lora-rank takes these values and no others.
ALLOWED_MAX_RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)


@dataclass(frozen=True)
class ServedAdapter:
    """One adapter version as vLLM will know it.

    Attributes:
        model_name: Name that requests ask for, such as `billing.v2`.
        path: Local directory in PEFT's format.
        rank: Largest LoRA rank in it.
    """

    model_name: str
    path: Path
    rank: int


def max_lora_rank(adapters: Sequence[ServedAdapter]) -> int:
    """The smallest rank ceiling of vLLM's that holds every adapter; slots are allocated at this rank.

    Raises:
        UsageError: An adapter's rank is above vLLM's highest.
    """
    largest = max((adapter.rank for adapter in adapters), default=1)
    fitting = [rank for rank in ALLOWED_MAX_RANKS if rank >= largest]
    if not fitting:
        names = ", ".join(adapter.model_name for adapter in adapters if adapter.rank == largest)
        raise UsageError(
            f"vLLM serves ranks up to {ALLOWED_MAX_RANKS[-1]}, and {names} has rank {largest}.",
            "Train it again with a smaller lora.r, or export it merged into the base model.",
        )
    return fitting[0]


def render(base: Path, adapters: Sequence[ServedAdapter], serving: ServingConfig) -> str:
    """The YAML that `vllm serve --config` reads."""
    config: dict[str, object] = {"model": str(base), "served-model-name": [serving.served_name]}
    if serving.dtype != "auto":
        config["dtype"] = serving.dtype
    if serving.quantization != "none":
        config["quantization"] = serving.quantization
    if serving.max_model_len:
        config["max-model-len"] = serving.max_model_len
    config["gpu-memory-utilization"] = serving.gpu_memory_utilization
    config |= _address(serving.listen)
    if adapters:
        slots = min(serving.max_loras, len(adapters))
        config |= {
            "enable-lora": True,
            "max-lora-rank": max_lora_rank(adapters),
            "max-loras": slots,
            "max-cpu-loras": max(slots, len(adapters)),
            "lora-modules": [_module(adapter, serving.served_name) for adapter in adapters],
        }
    return yaml.safe_dump(config, sort_keys=False, default_flow_style=False, width=1000)


def _module(adapter: ServedAdapter, served_name: str) -> str:
    """One JSON object per adapter: `name=path` breaks on a comma in the path."""
    module = {"name": adapter.model_name, "path": str(adapter.path), "base_model_name": served_name}
    return json.dumps(module)


def _address(listen: str) -> dict[str, object]:
    """`host`, `port` or `uds`; the configuration has checked that it is one."""
    if listen.startswith("unix:/"):
        return {"uds": listen.removeprefix("unix:")}
    host, _, port = listen.rpartition(":")
    return {"host": host.strip("[]"), "port": int(port)}
