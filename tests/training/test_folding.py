"""Folding gives the very bits of PEFT's own merge, and leaves every other byte of the base model alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from duotune.adapters.manifest import describe_file
from duotune.adapters.merged import check_foldable
from duotune.adapters.weights import read_tensors
from duotune.errors import CheckFailed, ModelError, UsageError
from duotune.models.companions import model_files
from duotune.models.shape import read_shape
from duotune.runs.reporter import SilentReporter, Stopped
from duotune.training.folding import Folded, fold

PLAIN: dict[str, Any] = {"target_modules": "all-linear"}
PATTERNS: dict[str, Any] = {
    "target_modules": ["q_proj", "down_proj"],
    "use_rslora": True,
    "rank_pattern": {"down_proj": 2},
    "alpha_pattern": {"layers.0.self_attn.q_proj": 3},
}


def base_in(micro_model: Path, directory: Path, dtype: torch.dtype) -> Path:
    """The micro model in that precision and several shards, with files that an engine reads and others."""
    model = AutoModelForCausalLM.from_pretrained(micro_model, dtype=dtype)
    model.save_pretrained(directory, max_shard_size="40KB")
    AutoTokenizer.from_pretrained(micro_model).save_pretrained(directory)
    (directory / "LICENSE").write_text("yours\n")
    (directory / "README.md").write_text("# the base model\n")
    (directory / "consolidated.safetensors").write_bytes(b"the same weights for another engine")
    return directory


def random_adapter(base: Path, directory: Path, size: float = 0.2, **settings: Any) -> Path:
    model = AutoModelForCausalLM.from_pretrained(base, dtype="auto")
    adapted = get_peft_model(model, LoraConfig(r=4, lora_alpha=8, task_type="CAUSAL_LM", **settings))
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for parameter in adapted.parameters():
            if parameter.requires_grad:
                parameter.copy_(torch.randn(parameter.shape, generator=generator) * size)
    adapted.save_pretrained(str(directory))
    return directory


def fold_into(base: Path, adapter: Path, target: Path, report: SilentReporter | None = None) -> Folded:
    target.mkdir()
    return fold(adapter, model_files(base), read_shape(base), target, report or SilentReporter())


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32])
@pytest.mark.parametrize("settings", [PLAIN, PATTERNS], ids=["plain", "patterns"])
def test_every_weight_is_bit_equal_to_pefts_merge_and_the_rest_to_the_base(
    micro_model: Path, tmp_path: Path, dtype: torch.dtype, settings: dict[str, Any]
) -> None:
    base = base_in(micro_model, tmp_path / "base", dtype)
    adapter = random_adapter(base, tmp_path / "adapter", **settings)
    folded = fold_into(base, adapter, tmp_path / "merged")
    merged = AutoModelForCausalLM.from_pretrained(tmp_path / "merged", dtype="auto")
    original = AutoModelForCausalLM.from_pretrained(base, dtype="auto")
    before = {name: weight.clone() for name, weight in original.state_dict().items()}
    expected = PeftModel.from_pretrained(original, str(adapter)).merge_and_unload().state_dict()
    found = merged.state_dict()
    assert found.keys() == expected.keys()
    assert all(found[name].dtype == dtype and torch.equal(found[name], weight) for name, weight in expected.items())
    changed = [name for name, weight in before.items() if not torch.equal(found[name], weight)]
    assert len(changed) == folded.layers == (14 if settings is PLAIN else 4)


def test_shards_index_tokenizer_and_licence_come_along_and_nothing_else(micro_model: Path, tmp_path: Path) -> None:
    base = base_in(micro_model, tmp_path / "base", torch.bfloat16)
    report = SilentReporter()
    folded = fold_into(base, random_adapter(base, tmp_path / "adapter", **PLAIN), tmp_path / "merged", report)
    there = {file.name for file in (tmp_path / "merged").iterdir()}
    assert there == {file.name for file in base.iterdir()} - {"README.md", "consolidated.safetensors"}
    assert set(model_files(base).left_out) == {"README.md", "consolidated.safetensors"}
    shards = sorted((tmp_path / "merged").glob("model-*.safetensors"))
    assert len(shards) > 1
    for shard in shards:
        old = base / shard.name
        assert read_tensors(shard) == read_tensors(old)
        begin = min(tensor.begin for tensor in read_tensors(old).values())
        assert shard.read_bytes()[:begin] == old.read_bytes()[:begin]
    for name in ("config.json", "tokenizer.json", "model.safetensors.index.json", "LICENSE"):
        assert (tmp_path / "merged" / name).read_bytes() == (base / name).read_bytes()
    assert folded.files == {name: describe_file(tmp_path / "merged" / name) for name in there}
    assert report.progressed[-1][1:3] == (sum(file.bytes for file in folded.files.values()),) * 2


def test_a_stop_is_heard_before_the_next_tensor(micro_model: Path, tmp_path: Path) -> None:
    base = base_in(micro_model, tmp_path / "base", torch.bfloat16)
    adapter = random_adapter(base, tmp_path / "adapter", **PLAIN)
    report = SilentReporter(stop_requested=True)
    with pytest.raises(Stopped):
        fold_into(base, adapter, tmp_path / "merged", report)
    assert len(report.progressed) == 1


def test_values_that_the_precision_cannot_hold_are_refused(micro_model: Path, tmp_path: Path) -> None:
    base = base_in(micro_model, tmp_path / "base", torch.float16)
    adapter = random_adapter(base, tmp_path / "adapter", size=300.0, **PLAIN)
    with pytest.raises(CheckFailed, match="values that F16 cannot hold"):
        fold_into(base, adapter, tmp_path / "merged")


def test_weights_that_are_no_plain_numbers_are_refused(micro_model: Path, tmp_path: Path) -> None:
    base = base_in(micro_model, tmp_path / "base", torch.bfloat16)
    adapter = random_adapter(base, tmp_path / "adapter", **PLAIN)
    for shard in base.glob("model-*.safetensors"):
        narrow = {name: weight.to(torch.float8_e4m3fn) for name, weight in load_file(shard).items()}
        save_file(narrow, shard, metadata={"format": "pt"})
    with pytest.raises(UsageError, match="is stored as F8_E4M3, into which nothing can be folded"):
        fold_into(base, adapter, tmp_path / "merged")
    config = json.loads((base / "config.json").read_text())
    (base / "config.json").write_text(json.dumps(config | {"quantization_config": {"quant_method": "gptq"}}))
    with pytest.raises(UsageError, match=r"micro is stored quantized \(gptq\)"):
        check_foldable(read_shape(base), "micro")


def test_a_shard_that_is_cut_short_is_told(micro_model: Path, tmp_path: Path) -> None:
    base = base_in(micro_model, tmp_path / "base", torch.bfloat16)
    adapter = random_adapter(base, tmp_path / "adapter", **PLAIN)
    files, shape = model_files(base), read_shape(base)
    last = files.weights[-1]
    last.write_bytes(last.read_bytes()[:-8])
    (tmp_path / "merged").mkdir()
    with pytest.raises(ModelError, match=f"{last.name} are damaged"):
        fold(adapter, files, shape, tmp_path / "merged", SilentReporter())
