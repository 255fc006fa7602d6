"""A wrong adapter is caught before vLLM sees it: vLLM itself takes many without a word."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from duotune.adapters.verify import Check, verify
from duotune.models.shape import ModelShape, read_shape
from support.adapters import HandmadeAdapter, handmade_adapter
from support.models import build_micro_model

LAYER = "base_model.model.model.layers.0.self_attn.q_proj"


def failed(checks: list[Check]) -> dict[str, str]:
    return {check.name: check.detail for check in checks if not check.ok}


def spoilt(shape: ModelShape, directory: Path, spoil: Callable[[HandmadeAdapter], Any]) -> dict[str, str]:
    adapter = handmade_adapter(shape)
    spoil(adapter)
    return failed(verify(adapter.write(directory), shape))


@pytest.mark.parametrize("dtype", ["F32", "BF16", "F16"])
def test_good_adapter_passes_every_check(shape: ModelShape, tmp_path: Path, dtype: str) -> None:
    checks = verify(handmade_adapter(shape, dtype=dtype).write(tmp_path), shape)
    assert failed(checks) == {}
    assert not any(check.warning for check in checks)
    names = [check.name for check in checks]
    assert names == [
        "configuration", "weights", "servable", "rank", "precision", "values", "training", "layers", "shapes",
    ]  # fmt: skip


def test_adapter_that_peft_writes_passes(shape: ModelShape, micro_model: Path, tmp_path: Path) -> None:
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    base = AutoModelForCausalLM.from_pretrained(micro_model)
    config = LoraConfig(r=4, target_modules="all-linear", rank_pattern={"q_proj": 8}, init_lora_weights=False)
    get_peft_model(base, config).save_pretrained(tmp_path)
    checks = verify(tmp_path, shape)
    assert failed(checks) == {}
    assert "14 adapted layers" in next(check.detail for check in checks if check.name == "layers")
    assert "rank 8" in next(check.detail for check in checks if check.name == "rank")


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"use_dora": True}, "DoRA"),
        ({"bias": "all"}, "trained biases"),
        ({"lora_bias": True}, "LoRA with a bias"),
        ({"modules_to_save": ["lm_head"]}, "modules_to_save"),
        ({"init_lora_weights": "pissa_niter_16"}, "pissa_niter_16"),
        ({"init_lora_weights": "olora"}, "olora"),
        ({"init_lora_weights": "corda"}, "corda"),
        ({"init_lora_weights": "loftq"}, "loftq"),
        ({"layer_replication": [[0, 2]]}, "replicated layers"),
        ({"alora_invocation_tokens": [1]}, "aLoRA"),
        ({"use_qalora": True}, "QALoRA"),
        ({"use_bdlora": {"a": 1}}, "BD-LoRA"),
        ({"peft_type": "IA3"}, "IA3"),
        ({"target_modules": ["q_proj", "down_proj", "lm_head"]}, "adapted lm_head"),
        ({"target_modules": ["q_proj", "down_proj", "embed_tokens"]}, "adapted embed_tokens"),
    ],
)
def test_what_vllm_refuses_is_named(shape: ModelShape, tmp_path: Path, change: dict[str, Any], named: str) -> None:
    problems = spoilt(shape, tmp_path, lambda adapter: adapter.config.update(change))
    assert named in problems["servable"]


def test_adapter_of_a_smaller_or_deeper_model_is_caught(shape: ModelShape, tmp_path: Path) -> None:
    """vLLM loads both silently and answers garbage."""
    for name in ("smaller", "deeper"):
        (tmp_path / name).mkdir()
    smaller = read_shape(build_micro_model(tmp_path / "smaller", hidden_size=16))
    deeper = read_shape(build_micro_model(tmp_path / "deeper", layers=3))
    wrong_size = failed(verify(handmade_adapter(smaller).write(tmp_path / "a"), shape))
    assert "shape [4, 48] where the base model needs [4, 96]" in wrong_size["shapes"]
    too_deep = failed(verify(handmade_adapter(deeper).write(tmp_path / "b"), shape))
    assert "no place for base_model.model.model.layers.2" in too_deep["layers"]


def test_missing_half_of_a_pair_and_missing_layer_are_caught(shape: ModelShape, tmp_path: Path) -> None:
    half = spoilt(shape, tmp_path / "a", lambda adapter: adapter.tensors.pop(f"{LAYER}.lora_B.weight"))
    assert f"missing are {LAYER}.lora_B.weight" in half["layers"]
    unknown = spoilt(shape, tmp_path / "b", lambda adapter: adapter.config["target_modules"].append("c_attn"))
    assert "no layer c_attn" in unknown["layers"]


def test_rank_is_held_against_tensors_and_against_what_is_served(shape: ModelShape, tmp_path: Path) -> None:
    lying = spoilt(shape, tmp_path / "a", lambda adapter: adapter.config.update(r=8))
    assert "where the base model needs [8, 96]" in lying["shapes"]
    patterned = handmade_adapter(shape, ranks={"q_proj": 16}).write(tmp_path / "b")
    assert failed(verify(patterned, shape, max_rank=16)) == {}
    assert failed(verify(patterned, shape, max_rank=8)) == {"rank": "rank 16 is above the 8 that is served"}
    nonsense = spoilt(shape, tmp_path / "c", lambda adapter: adapter.config.update(r="many"))
    assert "rank" in nonsense


@pytest.mark.parametrize(
    ("dtype", "bits"),
    [
        ("F32", struct.pack("<f", float("nan"))),
        ("F32", struct.pack("<f", float("-inf"))),
        ("F16", struct.pack("<e", float("inf"))),
        ("BF16", b"\x80\x7f"),
        ("BF16", b"\xc0\xff"),
    ],
)
def test_one_value_that_is_not_finite_is_found(shape: ModelShape, tmp_path: Path, dtype: str, bits: bytes) -> None:
    adapter = handmade_adapter(shape, dtype=dtype)
    name = f"{LAYER}.lora_A.weight"
    kind, size, data = adapter.tensors[name]
    adapter.tensors[name] = (kind, size, data[: -len(bits)] + bits)
    assert failed(verify(adapter.write(tmp_path), shape)) == {"values": f"infinite or not a number in {name}"}


@pytest.mark.parametrize(("dtype", "bits"), [("F32", struct.pack("<f", -3.4e38)), ("BF16", b"\x7f\x7f")])
def test_largest_finite_values_are_good(shape: ModelShape, tmp_path: Path, dtype: str, bits: bytes) -> None:
    adapter = handmade_adapter(shape, dtype=dtype)
    for name, (kind, size, data) in adapter.tensors.items():
        adapter.tensors[name] = (kind, size, bits * (len(data) // len(bits)))
    assert failed(verify(adapter.write(tmp_path), shape)) == {}


@pytest.mark.parametrize("zero", [b"\x00\x00\x00\x00", b"\x00\x00\x00\x80"])
def test_untrained_adapter_is_a_warning(shape: ModelShape, tmp_path: Path, zero: bytes) -> None:
    adapter = handmade_adapter(shape)
    for name, (kind, size, data) in adapter.tensors.items():
        if "lora_B" in name:
            adapter.tensors[name] = (kind, size, zero * (len(data) // 4))
    checks = verify(adapter.write(tmp_path), shape)
    assert failed(checks) == {}
    assert [check.name for check in checks if check.warning] == ["training"]


def test_other_precisions_are_refused(shape: ModelShape, tmp_path: Path) -> None:
    problems = failed(verify(handmade_adapter(shape, dtype="F64").write(tmp_path), shape))
    assert problems == {"precision": "stored as F64"}


@pytest.mark.parametrize("cut", [1, 1000, -1])
def test_file_that_is_cut_or_grown_is_caught(shape: ModelShape, tmp_path: Path, cut: int) -> None:
    file = handmade_adapter(shape).write(tmp_path) / "adapter_model.safetensors"
    data = file.read_bytes()
    file.write_bytes(data[:-cut] if cut > 0 else data + b"x")
    assert "where its header says" in failed(verify(tmp_path, shape))["weights"]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"short",
        struct.pack("<Q", 1 << 60) + b"{}",
        struct.pack("<Q", 2) + b"[]",
        struct.pack("<Q", 9) + b'{"a": 12}',
        struct.pack("<Q", 4) + b"nope",
    ],
)
def test_file_that_is_no_safetensors_is_a_sentence(shape: ModelShape, tmp_path: Path, data: bytes) -> None:
    file = handmade_adapter(shape).write(tmp_path) / "adapter_model.safetensors"
    file.write_bytes(data)
    assert "weights" in failed(verify(tmp_path, shape))


def test_missing_files_and_broken_configuration_are_sentences(shape: ModelShape, tmp_path: Path) -> None:
    assert set(failed(verify(tmp_path, shape))) == {"configuration", "weights"}
    handmade_adapter(shape).write(tmp_path)
    (tmp_path / "adapter_config.json").write_text(json.dumps([1]))
    assert failed(verify(tmp_path, shape)) == {"configuration": "adapter_config.json is not a JSON object"}
