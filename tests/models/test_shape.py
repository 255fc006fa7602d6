"""A model's shape comes from its headers, and damage is told apart."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from duotune.errors import ModelError
from duotune.models.shape import read_shape


@pytest.fixture
def model(micro_model: Path, tmp_path: Path) -> Path:
    return shutil.copytree(micro_model, tmp_path / "model")


def change_config(model: Path, **changes: object) -> None:
    config = json.loads((model / "config.json").read_bytes())
    config = {key: value for key, value in {**config, **changes}.items() if value is not None}
    (model / "config.json").write_text(json.dumps(config))


def test_shape_agrees_with_the_loaded_model(micro_model: Path) -> None:
    from transformers import AutoModelForCausalLM

    loaded = AutoModelForCausalLM.from_pretrained(micro_model)
    shape = read_shape(micro_model)
    assert shape.parameters == loaded.num_parameters()
    assert shape.weight_bytes == 2 * loaded.num_parameters()
    assert (shape.architecture, shape.dtype, shape.quantization) == ("Qwen2ForCausalLM", "BF16", "")
    assert (shape.num_layers, shape.num_heads, shape.num_kv_heads, shape.head_dim) == (2, 4, 2, 8)
    assert (shape.hidden_size, shape.intermediate_size, shape.vocab_size) == (32, 96, 768)
    assert (shape.max_position_embeddings, shape.tied_embeddings) == (1024, True)


def test_linear_layers_are_those_that_peft_calls_all_linear(micro_model: Path) -> None:
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    loaded = AutoModelForCausalLM.from_pretrained(micro_model)
    linear = {
        name: (module.out_features, module.in_features)
        for name, module in loaded.named_modules()
        if hasattr(module, "out_features")
    }
    adapted = get_peft_model(loaded, LoraConfig(target_modules="all-linear", r=1))
    targets = {
        name.removeprefix("base_model.model.").removesuffix(".lora_A.default")
        for name, _ in adapted.named_modules()
        if name.endswith(".lora_A.default")
    }
    assert read_shape(micro_model).linear_layers() == {name: linear[name] for name in targets}


def test_shards_are_read_by_the_index(model: Path) -> None:
    from safetensors.torch import load_file, save_file

    whole = read_shape(model)
    tensors = load_file(model / "model.safetensors")
    names = sorted(tensors)
    shards = {"a.safetensors": names[::2], "b.safetensors": names[1::2]}
    for shard, held in shards.items():
        save_file({name: tensors[name] for name in held}, model / shard)
    (model / "model.safetensors").unlink()
    index = {"weight_map": {name: shard for shard, held in shards.items() for name in held}}
    (model / "model.safetensors.index.json").write_text(json.dumps(index))
    assert read_shape(model) == whole
    (model / "b.safetensors").unlink()
    with pytest.raises(ModelError, match=r"names b\.safetensors, which is not there"):
        read_shape(model)


def test_output_layer_is_counted_once_when_tied_and_twice_when_not(model: Path) -> None:
    from safetensors.torch import load_file, save_file

    tied = read_shape(model)
    tensors = load_file(model / "model.safetensors")
    tensors["lm_head.weight"] = tensors["model.embed_tokens.weight"].clone()
    save_file(tensors, model / "model.safetensors")
    assert read_shape(model).parameters == tied.parameters
    change_config(model, tie_word_embeddings=False)
    untied = read_shape(model)
    assert not untied.tied_embeddings
    assert untied.parameters == tied.parameters + 768 * 32
    change_config(model, tie_word_embeddings=None)
    assert not read_shape(model).tied_embeddings
    assert "lm_head" not in untied.linear_layers()


def test_names_of_gpt2s_descendants_and_nested_text_models_are_read(model: Path) -> None:
    config = json.loads((model / "config.json").read_bytes())
    spelled = {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 512, "multi_query": True}
    old = ("hidden_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads", "intermediate_size")
    change_config(model, **dict.fromkeys((*old, "max_position_embeddings", "head_dim")), **spelled)
    shape = read_shape(model)
    assert (shape.hidden_size, shape.num_layers, shape.num_kv_heads, shape.intermediate_size) == (32, 2, 1, 128)
    (model / "config.json").write_text(json.dumps({"architectures": ["X"], "text_config": config}))
    assert read_shape(model).hidden_size == 32


def test_stored_quantization_is_named(model: Path) -> None:
    change_config(model, quantization_config={"quant_method": "gptq"})
    assert read_shape(model).quantization == "gptq"


def test_truncated_weights_are_refused_with_what_is_missing(model: Path) -> None:
    weights = model / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(ModelError, match="damaged: 100 bytes are missing at its end"):
        read_shape(model)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff" * 100,
        (2**40).to_bytes(8, "little") + b"{}",
        (4).to_bytes(8, "little") + b"[[]]",
        (18).to_bytes(8, "little") + b'{"a":{"shape":[1]}',
        (60).to_bytes(8, "little") + b'{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}     1234',
        (60).to_bytes(8, "little") + b'{"a":{"dtype":"F32","shape":[1],"data_offsets":["x",4]}}    1234',
    ],
)
def test_what_is_not_safetensors_is_refused(model: Path, content: bytes) -> None:
    (model / "model.safetensors").write_bytes(content)
    with pytest.raises(ModelError, match=r"model\.safetensors are damaged"):
        read_shape(model)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"hidden_size": None}, "has no hidden_size"),
        ({"vocab_size": "many"}, "vocab_size = 'many' .* is not a positive number"),
        ({"num_attention_heads": 0}, "num_attention_heads = 0 .* is not a positive number"),
    ],
)
def test_config_of_an_unknown_kind_is_refused_by_key(model: Path, changes: dict[str, object], said: str) -> None:
    change_config(model, **changes)
    with pytest.raises(ModelError, match=said):
        read_shape(model)


def test_missing_and_damaged_config_have_sentences_of_their_own(model: Path) -> None:
    (model / "config.json").write_text("{")
    with pytest.raises(ModelError, match=r"config\.json cannot be read"):
        read_shape(model)
    (model / "config.json").write_text("[]")
    with pytest.raises(ModelError, match="does not hold a JSON object"):
        read_shape(model)
    (model / "config.json").unlink()
    with pytest.raises(ModelError, match=r"it has no config\.json"):
        read_shape(model)
