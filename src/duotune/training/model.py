"""The frozen base model with its adapter, and the loss of packed documents under it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from duotune.base_model import compute_dtype, load_base
from duotune.config.run import RunConfig
from duotune.config.training import LoraSettings
from duotune.errors import ModelError, UsageError
from duotune.training.attention import PACKED_ATTENTION, Documents, register_packed_attention
from duotune.training.batches import MicroBatch
from duotune.training.loss import cross_entropy

# Tried in this order; the last two isolate documents by their position ids, through a dense mask.
ATTENTION_CHOICES = (PACKED_ATTENTION, "sdpa", "eager")


@dataclass(frozen=True)
class TrainableModel:
    """A base model whose only trainable parameters are those of its adapter.

    Attributes:
        peft: The model as PEFT wraps it.
        decoder: The base model without its head.
        head: The frozen output embeddings.
        trainable: The adapter's parameters by the names that PEFT's files use, sorted.
        device: Where all of it lies.
        packed: Whether duotune's own attention isolates the documents (else the position ids do).
        plain_head: Whether logits are `head(hidden states)` and nothing more.
    """

    peft: Any
    decoder: torch.nn.Module
    head: torch.nn.Linear
    trainable: dict[str, torch.nn.Parameter]
    device: torch.device
    packed: bool
    plain_head: bool

    def loss(self, batch: MicroBatch, normaliser: float) -> torch.Tensor:
        """Weighted sum of the batch's cross entropies over `normaliser`, float32 scalar on the device."""
        weights = batch.weights / normaliser
        if self.plain_head:
            hidden = hidden_states(self, batch.input_ids, batch.position_ids, batch.documents)[0]
            return cross_entropy(hidden.index_select(0, batch.predicting), self.head, batch.targets, weights)
        logits = _forward(self.peft.get_base_model(), self, batch, batch.predicting).logits[0].float()
        return (torch.nn.functional.cross_entropy(logits, batch.targets, reduction="none") * weights).sum()

    @contextmanager
    def answering(self) -> Iterator[Any]:
        """The causal model with its adapter as it answers prompts: under an attention that takes padded ones."""
        base = self.peft.get_base_model()
        trained_with = base.config._attn_implementation
        self.set_dropout(False)
        if self.packed:
            try:
                base.set_attn_implementation("sdpa")
            except ValueError:  # this family has none
                base.set_attn_implementation("eager")
        try:
            yield base
        finally:
            base.set_attn_implementation(trained_with)

    def set_dropout(self, active: bool) -> None:
        """Switch the adapter's dropout; the base model always runs as in inference."""
        for name, module in self.peft.named_modules():
            if ".lora_dropout." in name:
                module.train(active)


def hidden_states(
    model: TrainableModel, input_ids: torch.Tensor, position_ids: torch.Tensor, documents: Documents
) -> torch.Tensor:
    """Last hidden states of packed documents, shape [1, T, hidden]."""
    # use_cache=False and no mask: with either, transformers lets documents see each other without a word.
    answer = model.decoder(
        input_ids=input_ids, position_ids=position_ids, use_cache=False, **_isolation(model.packed, documents)
    )
    return answer.last_hidden_state  # type: ignore[no-any-return]


def _isolation(packed: bool, documents: Documents) -> dict[str, Any]:
    return {"documents": documents} if packed else {}


def _forward(base: Any, model: TrainableModel, batch: MicroBatch, keep: torch.Tensor) -> Any:
    return base(
        input_ids=batch.input_ids,
        position_ids=batch.position_ids,
        use_cache=False,
        logits_to_keep=keep,
        **_isolation(model.packed, batch.documents),
    )


def load_trainable(directory: Path, config: RunConfig, device: torch.device) -> TrainableModel:
    """Load the base model and give it a fresh adapter, whose weights only the seed decides.

    Raises:
        ModelError: If the directory holds no causal language model, or one whose documents cannot be isolated.
        HostError: If nf4 is asked for and the host cannot do it.
        UsageError: If the adapter's target modules are not in the model, or its attention does not reach over a row.
    """
    register_packed_attention()
    base = load_base(directory, config.model, device, attention=(PACKED_ATTENTION, "eager"))
    base.config.use_cache = False
    _refuse_chunks(base, config.data.sequence_length)
    dtype = compute_dtype(config.model, device)
    adapted = _with_adapter(base, config, dtype)
    head = base.get_output_embeddings()
    if type(head) is not torch.nn.Linear:
        raise UsageError(
            "lora.target_modules names the output embeddings, which duotune keeps frozen.",
            'Leave out "lm_head"; "all-linear" is every layer that can have an adapter.',
        )
    trainable = {
        name.replace(".default.", "."): parameter
        for name, parameter in adapted.named_parameters()
        if parameter.requires_grad
    }
    return _with_isolation(adapted, head, dict(sorted(trainable.items())), device)


def _refuse_chunks(base: Any, row: int) -> None:
    """Attention in chunks (Llama 4): a packed document begins anywhere, so that its chunks would lie elsewhere."""
    chunk = getattr(base.config.get_text_config(), "attention_chunk_size", None)
    if chunk is not None and chunk < row:
        raise UsageError(
            f"{type(base).__name__} looks at its text in chunks of {chunk} tokens, which rows of {row} do not fit.",
            f"Set data.sequence_length to {chunk} or less.",
        )


def _with_adapter(base: Any, config: RunConfig, dtype: torch.dtype) -> Any:
    from peft import get_peft_model

    torch.manual_seed(config.training.seed)
    try:
        # PEFT would keep adapters in float32 on a bfloat16 base: 16 % more activation memory and twice the copies.
        adapted = get_peft_model(base, lora_config(config.lora, base), autocast_adapter_dtype=False)
    except ValueError as error:
        raise UsageError(
            f"The adapter does not fit the base model: {error}", 'Set lora.target_modules = "all-linear".'
        ) from error
    for parameter in adapted.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.to(dtype)
    return adapted.eval()


def lora_config(settings: LoraSettings, base: Any) -> Any:
    """PEFT's configuration of the adapter, with "all-linear" spelled out as the layers' names."""
    from peft import LoraConfig

    head = base.get_output_embeddings()
    linear = {
        name.rpartition(".")[2]
        for name, module in base.named_modules()
        if isinstance(module, torch.nn.Linear) and module is not head
    }
    return LoraConfig(
        r=settings.r,
        lora_alpha=settings.lora_alpha,
        lora_dropout=settings.lora_dropout,
        # PEFT would write every layer's full path; the last parts mean the same and are what people know.
        target_modules=sorted(linear) if settings.target_modules == "all-linear" else settings.target_modules,
        use_rslora=settings.use_rslora,
        task_type="CAUSAL_LM",
    )


def _with_isolation(
    adapted: Any, head: torch.nn.Linear, trainable: dict[str, torch.nn.Parameter], device: torch.device
) -> TrainableModel:
    """The model under the first attention that keeps documents apart, found by trying it."""
    base = adapted.get_base_model()
    decoder = getattr(base, base.base_model_prefix)
    for choice in ATTENTION_CHOICES:
        packed = choice == PACKED_ATTENTION
        model = TrainableModel(adapted, decoder, head, trainable, device, packed, plain_head=True)
        try:
            base.set_attn_implementation(choice)
            if documents_are_isolated(model):
                return TrainableModel(adapted, decoder, head, trainable, device, packed, _head_is_plain(model))
        except torch.cuda.OutOfMemoryError:  # a RuntimeError too, but it says nothing about the attention
            raise
        except (TypeError, ValueError, RuntimeError):  # the layer or this GPU cannot use that function
            continue
    raise ModelError(
        f"{type(base).__name__} mixes documents that are packed into one row, so duotune cannot train it.",
        "Choose a model with ordinary causal attention, such as one of the Qwen2.5-Coder family.",
    )


def _pair(model: TrainableModel, first: int) -> MicroBatch:
    """Two documents of 6 tokens: the first made of the token `first`, the second always the same."""
    vocabulary = model.head.weight.shape[0]
    second = [(7 * place + 3) % vocabulary for place in range(6)]
    ids = torch.tensor([[first] * 6 + second], device=model.device)
    positions = torch.arange(6, device=model.device).repeat(2)[None]
    starts = torch.tensor([0, 6, 12], dtype=torch.int32, device=model.device)
    places = torch.arange(6, 12, device=model.device)
    documents = Documents((6, 6), starts, 6)
    return MicroBatch(ids, positions, documents, places, places, places.float(), 1.0)


@torch.no_grad()
def documents_are_isolated(model: TrainableModel) -> bool:
    """Whether a document's hidden states are the same, whatever the document before it says."""
    answers = []
    for first in (1, 2):
        pair = _pair(model, first)
        answers.append(hidden_states(model, pair.input_ids, pair.position_ids, pair.documents)[0, 6:].float())
    difference = (answers[0] - answers[1]).abs().max()
    # A leak moves the states by about their own size. Mixtures of experts regroup the tokens, which moves the rounding.
    rounding = 1e-4 if model.head.weight.dtype == torch.float32 else 2e-2
    return bool(difference <= rounding * answers[0].abs().max())


@torch.no_grad()
def _head_is_plain(model: TrainableModel) -> bool:
    """False for the families that scale or cap their logits after the head (Granite, Cohere, Gemma 2)."""
    pair = _pair(model, 1)
    expected = _forward(model.peft.get_base_model(), model, pair, pair.predicting).logits[0].float()
    hidden = hidden_states(model, pair.input_ids, pair.position_ids, pair.documents)[0, 6:]
    return torch.allclose(model.head(hidden).float(), expected, rtol=1e-3, atol=1e-3)
