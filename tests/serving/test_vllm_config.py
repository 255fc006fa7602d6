"""vLLM's YAML: what its parser takes, and nothing that it would choke on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from duotune.config.host import ServingConfig
from duotune.errors import UsageError
from duotune.serving.vllm_config import ServedAdapter, max_lora_rank, render

BASE = Path("/models/base")


def adapter(name: str, rank: int = 16, path: str = "/adapters/x") -> ServedAdapter:
    return ServedAdapter(name, Path(path), rank)


def test_adapters_become_json_objects_with_their_versioned_names() -> None:
    config = yaml.safe_load(render(BASE, [adapter("a.v1", path="/odd, path/a"), adapter("b.v3")], ServingConfig()))
    modules = [json.loads(module) for module in config["lora-modules"]]
    assert [module["name"] for module in modules] == ["a.v1", "b.v3"]
    assert modules[0]["path"] == "/odd, path/a"
    assert config["enable-lora"] is True
    assert (config["host"], config["port"]) == ("127.0.0.1", 8000)


def test_without_adapters_lora_is_not_enabled() -> None:
    config = yaml.safe_load(render(BASE, [], ServingConfig()))
    assert "enable-lora" not in config
    assert "lora-modules" not in config


def test_slots_and_cpu_cache_hold_every_adapter() -> None:
    many = [adapter(f"a{number}.v1") for number in range(7)]
    config = yaml.safe_load(render(BASE, many, ServingConfig(max_loras=3)))
    assert (config["max-loras"], config["max-cpu-loras"]) == (3, 7)


@pytest.mark.parametrize(("ranks", "ceiling"), [((16,), 16), ((4, 24), 32), ((1,), 1), ((257,), 320)])
def test_rank_ceiling_is_the_smallest_that_vllm_allows(ranks: tuple[int, ...], ceiling: int) -> None:
    assert max_lora_rank([adapter("a.v1", rank) for rank in ranks]) == ceiling


def test_rank_that_vllm_cannot_serve_is_refused_by_name() -> None:
    with pytest.raises(UsageError, match=r"big\.v1 has rank 600"):
        max_lora_rank([adapter("big.v1", 600)])


def test_socket_address() -> None:
    config = yaml.safe_load(render(BASE, [], ServingConfig(listen="unix:/run/duotune-vllm/vllm.sock")))
    assert config["uds"] == "/run/duotune-vllm/vllm.sock"
    assert "port" not in config


def test_address_of_version_6() -> None:
    config = yaml.safe_load(render(BASE, [], ServingConfig(listen="[::1]:8000")))
    assert (config["host"], config["port"]) == ("::1", 8000)
