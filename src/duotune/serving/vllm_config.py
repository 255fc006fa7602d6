"""vLLM's YAML configuration for one base model and its adapters."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from duotune.config.host import ServingConfig
from duotune.endpoint.address import Address, parse_address
from duotune.errors import UsageError
from duotune.models.shape import ModelShape

# vLLM 0.33: --max-lora-rank takes these values and no others.
ALLOWED_MAX_RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)
MODULES = "lora-modules"
MIN_CACHED = 8


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


@dataclass(frozen=True)
class LoraRoom:
    """What vLLM sets aside for adapters as it starts; a restart is needed to change it.

    Attributes:
        max_rank: Rank at which slots are allocated.
        slots: Adapters that may answer in one batch, on the GPU.
        cached: Adapters kept in the host's memory.
    """

    max_rank: int
    slots: int
    cached: int

    def holds(self, other: LoraRoom) -> bool:
        """Whether all that the other asks for fits into this."""
        return self.max_rank >= other.max_rank and self.slots >= other.slots and self.cached >= other.cached

    def gpu_bytes(self, shape: ModelShape) -> int:
        """Memory of the slots: a pair of bfloat16 matrices per linear layer, allocated at the full rank."""
        return self.slots * self._adapter_bytes(shape)

    def host_bytes(self, shape: ModelShape) -> int:
        """Memory of a full cache in the host's memory, were every adapter of the full rank."""
        return self.cached * self._adapter_bytes(shape)

    def _adapter_bytes(self, shape: ModelShape) -> int:
        return self.max_rank * 2 * sum(map(sum, shape.linear_layers().values()))


def room_for(adapters: Sequence[ServedAdapter], serving: ServingConfig) -> LoraRoom | None:
    """The least room for a set of adapters, with some to spare in the cache; None for none.

    An adapter that falls out of the cache is read from disk again while its requests wait, so all of them fit; the next
    power of two leaves room for those that will be applied without a restart.
    """
    if not adapters:
        return None
    cached = max(MIN_CACHED, serving.max_loras, 1 << (len(adapters) - 1).bit_length())
    return LoraRoom(max_lora_rank(adapters), serving.max_loras, cached)


def room_of(config: Mapping[str, object]) -> LoraRoom | None:
    """The room that a configuration asks for, as `render` writes it; None without adapters, or for another's file."""
    figures = [config.get(key) for key in ("max-lora-rank", "max-loras", "max-cpu-loras")]
    if not all(isinstance(figure, int) for figure in figures):
        return None
    rank, slots, cached = (figure for figure in figures if isinstance(figure, int))
    return LoraRoom(rank, slots, cached)


def render(base: Path, adapters: Sequence[ServedAdapter], serving: ServingConfig, room: LoraRoom | None) -> str:
    """The YAML that `vllm serve --config` reads.

    Args:
        base: Directory of the base model.
        adapters: Served besides it.
        serving: The host's settings.
        room: For adapters; None serves the base model alone.
    """
    config: dict[str, object] = {"model": str(base), "served-model-name": [serving.served_name]}
    if serving.dtype != "auto":
        config["dtype"] = serving.dtype
    if serving.quantization != "none":
        config["quantization"] = serving.quantization
    if serving.max_model_len:
        config["max-model-len"] = serving.max_model_len
    config["gpu-memory-utilization"] = serving.gpu_memory_utilization
    config |= _address(parse_address(serving.listen))
    if room:
        config |= {
            "enable-lora": True,
            "max-lora-rank": room.max_rank,
            "max-loras": room.slots,
            "max-cpu-loras": room.cached,
            MODULES: [_module(adapter, serving.served_name) for adapter in adapters],
        }
    return yaml.safe_dump(config, sort_keys=False, default_flow_style=False, width=1000)


def parsed(text: str) -> Mapping[str, object]:
    """A configuration's keys; empty when somebody made it unreadable."""
    try:
        found = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError):
        return {}
    return {str(key): value for key, value in found.items()} if isinstance(found, dict) else {}


def served_adapters(config: Mapping[str, object]) -> dict[str, Path]:
    """Model name and directory of each adapter in a configuration; what `render` would not write is passed over."""
    modules = config.get(MODULES)
    found = [_read_module(module) for module in modules] if isinstance(modules, list) else []
    return {name: Path(path) for name, path in filter(None, found)}


def _read_module(module: object) -> tuple[str, str] | None:
    try:
        found = json.loads(module) if isinstance(module, str) else None
    except (ValueError, RecursionError):
        return None
    name, path = (found.get("name"), found.get("path")) if isinstance(found, dict) else (None, None)
    return (name, path) if isinstance(name, str) and isinstance(path, str) else None


def served_name(config: Mapping[str, object]) -> str:
    """Name under which the base model answers, in a configuration that `render` wrote; empty without one."""
    names = config.get("served-model-name")
    return str(names[0]) if isinstance(names, list) and names else ""


def address_of(config: Mapping[str, object]) -> Address | None:
    """Where a vLLM with that configuration answers; None for one that `render` did not write."""
    path, host, port = config.get("uds"), config.get("host"), config.get("port")
    if isinstance(path, str):
        return Address(socket=path)
    return Address(host=host, port=port) if isinstance(host, str) and isinstance(port, int) else None


def in_bfloat16(config: Mapping[str, object]) -> bool:
    """Whether the base model is served as contracts are recorded: not quantized, and in no other precision."""
    return "quantization" not in config and config.get("dtype", "auto") in ("auto", "bfloat16")


def _module(adapter: ServedAdapter, served_name: str) -> str:
    """One JSON object per adapter: `name=path` breaks on a comma in the path."""
    module = {"name": adapter.model_name, "path": str(adapter.path), "base_model_name": served_name}
    return json.dumps(module)


def _address(address: Address) -> dict[str, object]:
    return {"uds": address.socket} if address.socket else {"host": address.host, "port": address.port}
