"""Cross entropy over the labelled positions only, in chunks, with the gradient made in the forward pass."""

from __future__ import annotations

from typing import Any

import torch

# Logits that exist at once, in elements: 64 MiB of float32 stays near a CPU's caches, 1 GiB keeps a GPU's GEMM large.
CPU_CHUNK = 2**24
CUDA_CHUNK = 2**28


class _ChunkedCrossEntropy(torch.autograd.Function):
    """sum(weights * -log softmax(hidden @ head.T + bias)[targets]) for a head that is not trained.

    The head is frozen, so the gradient of the hidden states is all that backward needs. It is made while a chunk's
    logits exist: two matrix products instead of three, and never more than a chunk of logits in memory
    (after Liger's fused linear cross entropy, https://arxiv.org/abs/2410.10989, section 3.2).
    """

    @staticmethod
    def forward(
        ctx: Any,
        hidden: torch.Tensor,
        head: torch.Tensor,
        bias: torch.Tensor | None,
        targets: torch.Tensor,
        weights: torch.Tensor,
        rows: int,
    ) -> torch.Tensor:
        wants_gradient = ctx.needs_input_grad[0]
        gradient = torch.empty_like(hidden) if wants_gradient else None
        total = torch.zeros((), dtype=torch.float32, device=hidden.device)
        for first in range(0, hidden.shape[0], rows):
            part = slice(first, first + rows)
            logits = torch.nn.functional.linear(hidden[part], head, bias).float()
            weight, target = weights[part], targets[part, None]
            log_sum = logits.logsumexp(-1)
            total += ((log_sum - logits.gather(1, target)[:, 0]) * weight).sum()
            if gradient is not None:
                scores = logits.sub_(log_sum[:, None]).exp_()
                scores.scatter_add_(1, target, scores.new_full(target.shape, -1.0)).mul_(weight[:, None])
                torch.mm(scores.to(head.dtype), head, out=gradient[part])
        if gradient is not None:
            ctx.save_for_backward(gradient)
        return total

    @staticmethod
    def backward(ctx: Any, *outputs: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        (gradient,) = ctx.saved_tensors
        return gradient * outputs[0].to(gradient.dtype), None, None, None, None, None


def cross_entropy(
    hidden: torch.Tensor, head: torch.nn.Linear, targets: torch.Tensor, weights: torch.Tensor, rows: int = 0
) -> torch.Tensor:
    """Weighted sum of the cross entropies of the targets, as a float32 scalar.

    Args:
        hidden: Last hidden states of the predicting positions, shape [labels, hidden].
        head: The frozen output embeddings.
        targets: Token ids, shape [labels].
        weights: Weight of each label (already divided by what the loss is normalised by), shape [labels].
        rows: Positions per chunk; 0 chooses by the device.
    """
    budget = CUDA_CHUNK if hidden.is_cuda else CPU_CHUNK
    rows = rows or max(16, budget // head.weight.shape[0])
    return _ChunkedCrossEntropy.apply(hidden, head.weight, head.bias, targets, weights, rows)  # type: ignore[no-any-return,no-untyped-call]
