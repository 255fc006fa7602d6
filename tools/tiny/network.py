"""The network, an ordinary Qwen2 of the transformers library, and its loss."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import Qwen2Config, Qwen2ForCausalLM
from transformers.models.qwen2.modeling_qwen2 import apply_rotary_pos_emb

from tools.tiny.settings import GUIDED_LAYERS, GUIDED_TOKENS, SEED, Shape


@dataclass(frozen=True)
class Jumps:
    """Where each row shall look back from its middle to its suffix token.

    Attributes:
        sources: Positions of the middle token and of the first tokens after it, ``(rows, GUIDED_TOKENS)``.
        target: Position of the suffix token, ``(rows,)``.
        present: 1 for the sources that belong to a prefix-suffix-middle document, else 0, as ``sources``.
        weight: Weight of the guidance in the loss.
    """

    sources: Tensor
    target: Tensor
    present: Tensor
    weight: float

    @classmethod
    def of(cls, ids: Tensor, suffix: int, middle: int, end: int, weight: float) -> "Jumps":
        """The jumps of rows ``(rows, length)`` that begin with at most one document each."""
        at_suffix, at_middle = ids.eq(suffix), ids.eq(middle)
        target = at_suffix.int().argmax(1)
        has_jump = at_suffix.any(1) & at_middle.any(1) & (target > 1)
        places = at_middle.int().argmax(1)[:, None] + torch.arange(GUIDED_TOKENS, device=ids.device)
        sources = places.clamp(max=ids.shape[1] - 1)
        inside = ids.gather(1, sources).ne(end).cumprod(1).bool() & (places < ids.shape[1])
        return cls(sources, target, (inside & has_jump[:, None]).float(), weight)


def build_network(shape: Shape, end_id: int) -> Qwen2ForCausalLM:
    """A freshly initialised network, the same for the same seed.

    Args:
        shape: Sizes.
        end_id: Id of the end-of-text token, which also pads.
    """
    torch.manual_seed(SEED)
    config = Qwen2Config(
        vocab_size=shape.vocabulary,
        hidden_size=shape.hidden,
        intermediate_size=shape.mlp,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.kv_heads,
        max_position_embeddings=shape.positions,
        rope_parameters={"rope_type": "default", "rope_theta": shape.rope_theta},
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=end_id,
        pad_token_id=end_id,
        use_cache=True,
        attn_implementation="sdpa",
    )
    network = Qwen2ForCausalLM(config)
    for layer in network.model.layers:
        nn.init.zeros_(layer.self_attn.o_proj.weight)
        nn.init.zeros_(layer.mlp.down_proj.weight)
    return network


def weighted_loss(network: Qwen2ForCausalLM, ids: Tensor, targets: Tensor, weights: Tensor, jumps: Jumps) -> Tensor:
    """Weighted mean cross-entropy in nats, plus what guides the jump from the middle token to the suffix token.

    Args:
        network: A causal language model.
        ids: Token ids ``(rows, length)``.
        targets: What to predict at each place from the tokens before it; the first column is not predicted.
        weights: Weight of each prediction.
        jumps: Where the rows jump, and how much the guidance weighs.
    """
    output = network(input_ids=ids, use_cache=False, output_hidden_states=True)
    losses = functional.cross_entropy(
        output.logits[:, :-1].flatten(0, 1).float(), targets[:, 1:].flatten(), reduction="none"
    )
    chosen = weights[:, 1:].flatten()
    loss: Tensor = (losses * chosen).sum() / chosen.sum()
    if jumps.weight:
        loss = loss + jumps.weight * jump_loss(network, output.hidden_states, jumps)
    return loss


def jump_loss(network: Qwen2ForCausalLM, hidden: tuple[Tensor, ...], jumps: Jumps) -> Tensor:
    """How little the first head of the middle layers attends from the middle's start to the suffix token, in nats.

    After the middle token the text goes on where the prefix ended, and what the prefix ended with is known at the
    suffix token, the first one after it. Attention that looks there is found by chance after tens of millions of
    tokens; said outright it is learned in a few dozen steps.

    Args:
        network: A Qwen2.
        hidden: Input of each layer, ``(rows, length, hidden)``.
        jumps: Where the rows jump.
    """
    rows, length, _ = hidden[0].shape
    places = torch.arange(length, device=hidden[0].device)
    cos, sin = network.model.rotary_emb(hidden[0], places[None])
    later = places > jumps.sources[..., None]
    losses = []
    for index in GUIDED_LAYERS:
        attention = network.model.layers[index].self_attn
        states = network.model.layers[index].input_layernorm(hidden[index])
        size = attention.head_dim
        queries, keys = (project(states)[:, None, :, :size] for project in (attention.q_proj, attention.k_proj))
        queries, keys = apply_rotary_pos_emb(queries, keys, cos, sin)
        asking = queries[:, 0].gather(1, jumps.sources[..., None].expand(rows, GUIDED_TOKENS, size))
        scores = (asking @ keys[:, 0].mT) * attention.scaling
        chances = scores.float().masked_fill(later, -torch.inf).log_softmax(-1)
        losses.append(-chances.gather(2, jumps.target[:, None, None].expand(rows, GUIDED_TOKENS, 1))[..., 0])
    mean: Tensor = (torch.stack(losses).mean(0) * jumps.present).sum() / jumps.present.sum().clamp(min=1)
    return mean
