"""Attention over packed documents that never looks from one document into another."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
import torch.nn.functional as F

PACKED_ATTENTION = "duotune_packed"
FLASH_HEAD_DIM = 256
# Keyword arguments by which some families change the attention scores; to ignore one would compute another model.
CHANGES_SCORES = ("softcap", "s_aux", "position_bias")


@dataclass(frozen=True)
class Documents:
    """Where the documents of one packed sequence lie.

    Attributes:
        lengths: Tokens of each document, in order.
        starts: The running sum of `lengths` from 0, int32, on the sequence's device, shape [documents + 1].
        longest: The largest of `lengths`.
    """

    lengths: tuple[int, ...]
    starts: torch.Tensor
    longest: int


def register_packed_attention() -> str:
    """Make the function known to transformers and return its name for `attn_implementation`.

    No mask function is registered under that name, so transformers builds no [T, T] mask at all
    (`masking_utils._preprocess_mask_arguments`).
    """
    from transformers import AttentionInterface

    AttentionInterface.register(PACKED_ATTENTION, packed_attention)
    return PACKED_ATTENTION


def packed_attention(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    *,
    documents: Documents,
    scaling: float | None = None,
    sliding_window: int | None = None,
    **others: Any,
) -> tuple[torch.Tensor, None]:
    """Causal attention inside each document, in the form that transformers calls.

    Args:
        module: The attention layer (unused).
        query: Shape [1, heads, T, head_dim].
        key: Shape [1, key_value_heads, T, head_dim].
        value: As `key`.
        attention_mask: Must be None: `documents` says it all.
        documents: Passed through the model's forward by the caller.
        scaling: Factor of the scores; None is 1 / sqrt(head_dim).
        sliding_window: Tokens that a query sees, itself included; None sees the whole document.

    Returns:
        Shape [1, T, heads, head_dim], and None for the attention weights.

    Raises:
        ValueError: If the layer asks for something that this function does not compute, such as capped scores.
    """
    unknown = [name for name in CHANGES_SCORES if others.get(name) is not None]
    if attention_mask is not None or unknown:
        raise ValueError(f"packed attention computes no {unknown or 'mask'}")
    varlen = _varlen_function() if _flash_can(query) else None
    if varlen is not None:
        return call_varlen(varlen, query, key, value, documents, scaling, sliding_window), None
    return _per_document(query, key, value, documents, scaling, sliding_window), None


def _flash_can(query: torch.Tensor) -> bool:
    return query.is_cuda and query.dtype in (torch.bfloat16, torch.float16) and query.shape[-1] <= FLASH_HEAD_DIM


@cache
def _varlen_function() -> Callable[..., Any] | None:
    try:
        from torch.nn.attention.varlen import varlen_attn
    except ImportError:
        return None
    return varlen_attn


@cache
def _parameters(function: Callable[..., Any]) -> frozenset[str]:
    return frozenset(inspect.signature(function).parameters)


def call_varlen(
    function: Callable[..., Any],
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    documents: Documents,
    scaling: float | None,
    sliding_window: int | None,
) -> torch.Tensor:
    """Call `torch.nn.attention.varlen.varlen_attn`, whose parameters differ between versions of torch.

    Causal was `is_causal=True` before `window_size=(left, right)` came, `scale` and `enable_gqa` came later; what is
    missing is made up for here. Shapes as in `packed_attention`.
    """
    known = _parameters(function)
    q, k, v = (tensor[0].transpose(0, 1) for tensor in (query, key, value))
    options: dict[str, Any] = {}
    if "window_size" in known:
        options["window_size"] = (-1 if sliding_window is None else sliding_window - 1, 0)
    elif sliding_window is not None and sliding_window < documents.longest:
        return _per_document(query, key, value, documents, scaling, sliding_window)
    else:
        options["is_causal"] = True
    if scaling is not None:
        if "scale" in known:
            options["scale"] = scaling
        else:
            q = q * (scaling * q.shape[-1] ** 0.5)
    if q.shape[1] != k.shape[1]:
        if "enable_gqa" in known:
            options["enable_gqa"] = True
        else:
            k, v = (tensor.repeat_interleave(q.shape[1] // tensor.shape[1], 1) for tensor in (k, v))
    starts, longest = documents.starts, documents.longest
    out = function(q.contiguous(), k.contiguous(), v.contiguous(), starts, starts, longest, longest, **options)
    return out[None]  # type: ignore[no-any-return]


def _per_document(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    documents: Documents,
    scaling: float | None,
    sliding_window: int | None,
) -> torch.Tensor:
    """One SDPA call per document: the fastest way on a CPU, and it works for every dtype and head size."""
    lengths = list(documents.lengths)
    gqa = query.shape[1] != key.shape[1]
    answers = []
    for q, k, v in zip(*(torch.split(whole, lengths, 2) for whole in (query, key, value)), strict=True):
        mask = _window_mask(q.shape[2], sliding_window, q.device)
        answers.append(
            F.scaled_dot_product_attention(
                q, k, v, attn_mask=mask, is_causal=mask is None, scale=scaling, enable_gqa=gqa
            )
        )
    return torch.cat(answers, 2).transpose(1, 2)


def _window_mask(length: int, sliding_window: int | None, device: torch.device) -> torch.Tensor | None:
    if sliding_window is None or length <= sliding_window:
        return None
    place = torch.arange(length, device=device)
    distance = place[:, None] - place[None, :]
    return (distance >= 0) & (distance < sliding_window)
