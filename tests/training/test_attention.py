"""Isolation of packed documents."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from duotune.training.attention import Documents, call_varlen, packed_attention
from duotune.training.batches import collate
from duotune.training.model import TrainableModel, documents_are_isolated, hidden_states, load_trainable
from support.packed import counting_documents, packed_row
from support.rows import as_row
from support.runs_config import tiny_run

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def model(micro_model: Path) -> TrainableModel:
    loaded = load_trainable(micro_model, tiny_run(micro_model), CPU)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in loaded.trainable.values():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.1)
    return loaded


def logits(model: TrainableModel, documents: list[list[int]]) -> torch.Tensor:
    batch = collate([as_row(packed_row(documents))], CPU)
    assert batch is not None
    hidden = hidden_states(model, batch.input_ids, batch.position_ids, batch.documents)
    return model.head(hidden)[0]  # type: ignore[no-any-return]


def gradients(model: TrainableModel, batches: list[list[list[int]]]) -> dict[str, torch.Tensor]:
    for parameter in model.trainable.values():
        parameter.grad = None
    for documents in batches:
        batch = collate([as_row(packed_row(documents))], CPU)
        assert batch is not None
        torch.autograd.backward(model.loss(batch, 100.0))
    found = {name: parameter.grad for name, parameter in model.trainable.items() if parameter.grad is not None}
    for parameter in model.trainable.values():
        parameter.grad = None
    return found


def test_packed_logits_equal_those_of_the_documents_alone(model: TrainableModel) -> None:
    documents = counting_documents(1, 1, 21) + counting_documents(1, 2, 5) + counting_documents(1, 3, 30)
    packed = logits(model, documents)
    alone = torch.cat([logits(model, [document]) for document in documents])
    assert (packed - alone).abs().max() < 1e-4


def test_packed_logits_equal_those_of_the_unmodified_model_on_each_document(
    model: TrainableModel, micro_model: Path
) -> None:
    from transformers import AutoModelForCausalLM

    stock = AutoModelForCausalLM.from_pretrained(micro_model, dtype=torch.float32).eval()
    documents = counting_documents(1, 1, 21) + counting_documents(1, 2, 9)
    with torch.no_grad(), model.peft.disable_adapter():
        packed = logits(model, documents)
        alone = torch.cat([stock(torch.tensor([document])).logits[0] for document in documents])
    assert (packed - alone).abs().max() < 1e-4


def test_gradients_of_a_packed_row_equal_the_sum_over_its_documents(model: TrainableModel) -> None:
    documents = counting_documents(1, 1, 21) + counting_documents(1, 2, 5) + counting_documents(1, 3, 30)
    packed = gradients(model, [documents])
    alone = gradients(model, [[document] for document in documents])
    assert packed.keys() == alone.keys() == model.trainable.keys()
    for name in packed:
        torch.testing.assert_close(packed[name], alone[name], rtol=1e-4, atol=1e-6)


def test_the_trial_at_load_sees_documents_that_leak_into_each_other(
    model: TrainableModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert documents_are_isolated(model)

    def leaking(module: Any, query: torch.Tensor, key: Any, value: Any, mask: Any, **others: Any) -> Any:
        whole = Documents((query.shape[2],), torch.tensor([0, query.shape[2]]), query.shape[2])
        return packed_attention(module, query, key, value, mask, **{**others, "documents": whole})

    from transformers import AttentionInterface

    AttentionInterface.register("duotune_packed", leaking)
    try:
        assert not documents_are_isolated(model)
    finally:
        AttentionInterface.register("duotune_packed", packed_attention)


@pytest.mark.parametrize("implementation", ["sdpa", "eager"])
def test_the_fallbacks_isolate_documents_by_their_positions(micro_model: Path, implementation: str) -> None:
    from dataclasses import replace

    model = load_trainable(micro_model, tiny_run(micro_model), CPU)
    model.peft.get_base_model().set_attn_implementation(implementation)
    fallback = replace(model, packed=False)
    assert documents_are_isolated(fallback)
    documents = counting_documents(1, 1, 21) + counting_documents(1, 2, 9)
    alone = torch.cat([logits(fallback, [document]) for document in documents])
    assert (logits(fallback, documents) - alone).abs().max() < 1e-4


def reference(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, starts: torch.Tensor, scale: float) -> torch.Tensor:
    """Plain softmax attention per document over [T, heads, dim]."""
    answers = []
    for first, last in zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True):
        keys, values = (x[first:last].repeat_interleave(q.shape[1] // x.shape[1], 1) for x in (k, v))
        scores = torch.einsum("qhd,khd->hqk", q[first:last], keys) * scale
        scores = scores.masked_fill(torch.ones(scores.shape[1:], dtype=torch.bool).triu(1), -torch.inf)
        answers.append(torch.einsum("hqk,khd->qhd", scores.softmax(-1), values))
    return torch.cat(answers)


def newest(q: Any, k: Any, v: Any, cu_q: Any, cu_k: Any, max_q: int, max_k: int, *, scale: float | None = None,
           window_size: tuple[int, int] = (-1, -1), enable_gqa: bool = False) -> torch.Tensor:  # fmt: skip
    assert window_size == (-1, 0)
    assert enable_gqa == (q.shape[1] != k.shape[1])
    return reference(q, k, v, cu_q, q.shape[-1] ** -0.5 if scale is None else scale)


def older(q: Any, k: Any, v: Any, cu_q: Any, cu_k: Any, max_q: int, max_k: int, is_causal: bool = False) -> Any:
    assert is_causal
    assert q.shape[1] == k.shape[1]
    return reference(q, k, v, cu_q, q.shape[-1] ** -0.5)


@pytest.mark.parametrize("function", [newest, older])
@pytest.mark.parametrize("scaling", [None, 0.3])
def test_flash_over_documents_is_called_right_in_every_version_of_torch(
    function: Callable[..., Any], scaling: float | None
) -> None:
    generator = torch.Generator().manual_seed(0)
    query = torch.randn(1, 4, 12, 8, generator=generator)
    key, value = (torch.randn(1, 2, 12, 8, generator=generator) for _ in range(2))
    documents = Documents((7, 5), torch.tensor([0, 7, 12], dtype=torch.int32), 7)
    module = torch.nn.Identity()
    expected, _ = packed_attention(module, query, key, value, None, documents=documents, scaling=scaling)
    found = call_varlen(function, query, key, value, documents, scaling, None)
    torch.testing.assert_close(found, expected)


def test_a_sliding_window_hides_what_is_further_back() -> None:
    generator = torch.Generator().manual_seed(0)
    query, key, value = (torch.randn(1, 2, 9, 8, generator=generator) for _ in range(3))
    documents = Documents((9,), torch.tensor([0, 9], dtype=torch.int32), 9)
    module = torch.nn.Identity()
    seen, _ = packed_attention(module, query, key, value, None, documents=documents, sliding_window=3)
    cut, _ = packed_attention(
        module, query[:, :, 6:], key[:, :, 6:], value[:, :, 6:], None,
        documents=Documents((3,), torch.tensor([0, 3], dtype=torch.int32), 3),
    )  # fmt: skip
    torch.testing.assert_close(seen[:, 8], cut[:, 2])


def test_what_would_change_the_scores_is_refused_and_not_ignored() -> None:
    tensor = torch.randn(1, 2, 9, 8)
    documents = Documents((9,), torch.tensor([0, 9], dtype=torch.int32), 9)
    with pytest.raises(ValueError, match="softcap"):
        packed_attention(torch.nn.Identity(), tensor, tensor, tensor, None, documents=documents, softcap=50.0)
