"""The network, an ordinary Qwen2 of the transformers library, and its loss."""

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import Qwen2Config, Qwen2ForCausalLM

from tools.tiny.settings import SEED, Shape


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


def weighted_loss(network: nn.Module, ids: Tensor, targets: Tensor, weights: Tensor) -> Tensor:
    """Weighted mean cross-entropy in nats.

    Args:
        network: A causal language model.
        ids: Token ids ``(rows, length)``.
        targets: What to predict at each place from the tokens before it; the first column is not predicted.
        weights: Weight of each prediction.
    """
    logits = network(input_ids=ids, use_cache=False).logits[:, :-1]
    losses = functional.cross_entropy(logits.flatten(0, 1).float(), targets[:, 1:].flatten(), reduction="none")
    chosen = weights[:, 1:].flatten()
    return (losses * chosen).sum() / chosen.sum()
