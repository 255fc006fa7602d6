"""Families whose attention or head differs train with the same loss that their own code computes."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from duotune.errors import UsageError
from duotune.training.batches import collate
from duotune.training.model import documents_are_isolated, load_trainable
from support.packed import counting_documents, packed_row
from support.rows import as_row
from support.runs_config import tiny_run

CPU = torch.device("cpu")
SIZES: dict[str, Any] = {
    "vocab_size": 128,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 256,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
FAMILIES: dict[str, dict[str, Any]] = {
    "Llama": {},
    "Mistral": {"sliding_window": 8},
    "Starcoder2": {"sliding_window": 8},
    "Granite": {"logits_scaling": 8.0, "attention_multiplier": 0.2, "residual_multiplier": 0.5},
    "Gemma2": {"head_dim": 8, "sliding_window": 8, "query_pre_attn_scalar": 8},
    "Qwen3Moe": {"head_dim": 8, "num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 32},
}
CAPPED_OR_SCALED = {"Granite", "Gemma2"}


@pytest.mark.parametrize("family", FAMILIES)
def test_the_packed_loss_equals_the_family_s_own_on_each_document(family: str, tmp_path: Path) -> None:
    import transformers

    torch.manual_seed(0)
    config = getattr(transformers, f"{family}Config")(**SIZES, **FAMILIES[family])
    stock = getattr(transformers, f"{family}ForCausalLM")(config).eval()
    with torch.no_grad():  # untrained logits are so small that scaling or capping them would go unseen
        stock.get_output_embeddings().weight.mul_(20)
    stock.save_pretrained(tmp_path)
    model = load_trainable(tmp_path, tiny_run(tmp_path, lora={"target_modules": ["q_proj", "v_proj"]}), CPU)
    assert documents_are_isolated(model)
    assert model.plain_head == (family not in CAPPED_OR_SCALED)
    documents = counting_documents(1, 1, 21) + counting_documents(1, 2, 5) + counting_documents(1, 3, 30)
    batch = collate([as_row(packed_row(documents))], CPU)
    assert batch is not None
    expected = 0.0
    for document in documents:
        ids = torch.tensor([document])
        with torch.no_grad():
            logits = stock(ids, use_cache=False).logits[0, :-1]
        expected += float(torch.nn.functional.cross_entropy(logits, ids[0, 1:], reduction="sum"))
    loss = model.loss(batch, batch.weight)
    assert float(loss.detach()) == pytest.approx(expected / batch.weight, rel=1e-4)
    torch.autograd.backward(loss)
    assert any(parameter.grad is not None and parameter.grad.abs().sum() > 0 for parameter in model.trainable.values())


def test_attention_in_chunks_is_refused_where_a_row_is_longer_than_a_chunk(micro_model: Path, tmp_path: Path) -> None:
    chunked = tmp_path / "chunked"
    shutil.copytree(micro_model, chunked)
    settings = json.loads((chunked / "config.json").read_text())
    (chunked / "config.json").write_text(json.dumps({**settings, "attention_chunk_size": 512}))
    with pytest.raises(UsageError, match="chunks of 512 tokens") as caught:
        load_trainable(chunked, tiny_run(chunked, data={"sequence_length": 1024}), CPU)
    assert "512 or less" in caught.value.hint
    assert load_trainable(chunked, tiny_run(chunked, data={"sequence_length": 512}), CPU).packed
