"""AdamW over float32 master weights, and the learning rate of each step."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch

from duotune.config.training import TrainingConfig

MOMENTS = ("exp_avg", "exp_avg_sq", "step")


def learning_rate(settings: TrainingConfig, step: int, total_steps: int) -> float:
    """The rate of step `step` (from 0) of `total_steps`.

    The warm-up rises linearly and is never 0, so that no step is wasted; then half a cosine or a line towards 0
    (as `transformers.get_scheduler` has them), or the peak to the end.
    """
    warmup = math.ceil(settings.warmup_ratio * total_steps)
    if step < warmup:
        return settings.learning_rate * (step + 1) / (warmup + 1)
    progress = (step - warmup) / max(1, total_steps - warmup)
    shapes = {"cosine": 0.5 * (1 + math.cos(math.pi * progress)), "linear": 1 - progress, "constant": 1.0}
    return settings.learning_rate * shapes[settings.lr_scheduler_type]


class MasterAdamW:
    """AdamW that updates float32 copies of the adapter and writes them back in the adapter's own precision.

    An update of 1e-4 is lost on a bfloat16 weight of 0.1; on the float32 copy it adds up. Where the adapter is
    float32 already, it is its own master and nothing is copied.

    Args:
        trainable: The adapter's parameters by name.
        settings: Weight decay and the gradient's longest norm.
    """

    def __init__(self, trainable: Mapping[str, torch.nn.Parameter], settings: TrainingConfig) -> None:
        self._names = list(trainable)
        self._working = list(trainable.values())
        self._separate = any(parameter.dtype != torch.float32 for parameter in self._working)
        self._masters = (
            [torch.nn.Parameter(parameter.detach().float()) for parameter in self._working]
            if self._separate
            else self._working
        )
        self._longest = settings.max_grad_norm
        self._adamw = torch.optim.AdamW(self._masters, weight_decay=settings.weight_decay, fused=True)

    @torch.no_grad()
    def collect_gradients(self) -> None:
        """Add the gradients of one micro-batch to the masters', in float32."""
        if not self._separate:
            return
        for master, working in zip(self._masters, self._working, strict=True):
            if working.grad is None:
                continue
            gradient = working.grad.float()
            master.grad = gradient if master.grad is None else master.grad.add_(gradient)
            working.grad = None

    def discard_gradients(self) -> None:
        """Forget the gradients of a step that could not be finished."""
        for parameter in (*self._masters, *self._working):
            parameter.grad = None

    def step(self, rate: float) -> torch.Tensor:
        """Clip, update, and return the gradient's norm before clipping (a scalar on the device)."""
        norm = torch.nn.utils.clip_grad_norm_(self._masters, self._longest)
        for group in self._adamw.param_groups:
            group["lr"] = rate
        self._adamw.step()
        self.discard_gradients()
        if self._separate:
            with torch.no_grad():
                for master, working in zip(self._masters, self._working, strict=True):
                    working.copy_(master)
        return norm

    def weights(self) -> dict[str, torch.Tensor]:
        """The adapter in float32, copied to the host."""
        return {
            name: master.detach().to("cpu", copy=True).contiguous()
            for name, master in zip(self._names, self._masters, strict=True)
        }

    def moments(self) -> dict[str, torch.Tensor]:
        """The optimizer's state on the host, as `NAME/exp_avg` and so on; empty before the first step."""
        return {
            f"{name}/{moment}": self._adamw.state[master][moment].detach().to("cpu", copy=True)
            for name, master in zip(self._names, self._masters, strict=True)
            for moment in MOMENTS
            if moment in self._adamw.state.get(master, {})
        }

    @torch.no_grad()
    def restore(self, weights: Mapping[str, torch.Tensor], moments: Mapping[str, torch.Tensor]) -> None:
        """Take over weights and moments that `weights()` and `moments()` gave.

        A parameter that never had a gradient has no moments, and gets none: AdamW makes them with the first gradient.
        """
        for name, master, working in zip(self._names, self._masters, self._working, strict=True):
            master.copy_(weights[name])
            working.copy_(weights[name])
            kept = {
                moment: moments[f"{name}/{moment}"].to(master.device, copy=True)
                for moment in MOMENTS
                if f"{name}/{moment}" in moments
            }
            if kept:
                self._adamw.state[master] = kept
