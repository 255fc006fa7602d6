"""vLLM's YAML: what its parser takes, and nothing that it would choke on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from duotune.config.host import ServingConfig
from duotune.errors import UsageError
from duotune.models.shape import read_shape
from duotune.serving.vllm_config import LoraRoom, ServedAdapter, max_lora_rank, render, room_for, room_of

BASE = Path("/models/base")


def adapter(name: str, rank: int = 16, path: str = "/adapters/x") -> ServedAdapter:
    return ServedAdapter(name, Path(path), rank)


def rendered(adapters: list[ServedAdapter], serving: ServingConfig) -> dict[str, Any]:
    config: dict[str, Any] = yaml.safe_load(render(BASE, adapters, serving, room_for(adapters, serving)))
    return config


def test_adapters_become_json_objects_with_their_versioned_names() -> None:
    adapters = [adapter("a.v1", path="/odd, path/a"), adapter("b.v3")]
    config = rendered(adapters, ServingConfig())
    modules = [json.loads(module) for module in config["lora-modules"]]
    assert [module["name"] for module in modules] == ["a.v1", "b.v3"]
    assert modules[0]["path"] == "/odd, path/a"
    assert config["enable-lora"] is True
    assert (config["host"], config["port"]) == ("127.0.0.1", 8000)


def test_without_adapters_lora_is_not_enabled() -> None:
    config = rendered([], ServingConfig())
    assert "enable-lora" not in config
    assert "lora-modules" not in config


@pytest.mark.parametrize(("count", "cached"), [(1, 8), (8, 8), (9, 16), (100, 128)])
def test_cache_holds_every_adapter_and_some_that_come_later(count: int, cached: int) -> None:
    many = [adapter(f"a{number}.v1") for number in range(count)]
    config = rendered(many, ServingConfig(max_loras=3))
    assert (config["max-loras"], config["max-cpu-loras"]) == (3, cached)
    assert room_of(config) == LoraRoom(16, 3, cached)


def test_memory_of_slots_is_that_of_pairs_at_the_full_rank(micro_model: Path) -> None:
    shape = read_shape(micro_model)
    features = sum(out + into for out, into in shape.linear_layers().values())
    assert LoraRoom(16, 2, 8).gpu_bytes(shape) == 2 * 16 * features * 2
    assert LoraRoom(16, 2, 8).host_bytes(shape) == 8 * 16 * features * 2


@pytest.mark.parametrize(("ranks", "ceiling"), [((16,), 16), ((4, 24), 32), ((1,), 1), ((257,), 320)])
def test_rank_ceiling_is_the_smallest_that_vllm_allows(ranks: tuple[int, ...], ceiling: int) -> None:
    assert max_lora_rank([adapter("a.v1", rank) for rank in ranks]) == ceiling


def test_rank_that_vllm_cannot_serve_is_refused_by_name() -> None:
    with pytest.raises(UsageError, match=r"big\.v1 has rank 600"):
        max_lora_rank([adapter("big.v1", 600)])


def test_socket_address() -> None:
    config = rendered([], ServingConfig(listen="unix:/run/duotune-vllm/vllm.sock"))
    assert config["uds"] == "/run/duotune-vllm/vllm.sock"
    assert "port" not in config


def test_address_of_version_6() -> None:
    config = rendered([], ServingConfig(listen="[::1]:8000"))
    assert (config["host"], config["port"]) == ("::1", 8000)
