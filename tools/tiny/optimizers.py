"""Muon for the matrices of the blocks, AdamW for everything else, and a running average of the weights."""

from collections import defaultdict
from typing import Any

import torch
from torch import Tensor, nn

from tools.tiny.settings import Recipe

NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)


def orthogonalise(matrices: Tensor) -> Tensor:
    """Bring the singular values of a stack of matrices near one, in float32.

    Newton-Schulz iteration of Jordan et al. 2024 (https://kellerjordan.github.io/posts/muon/). torch.optim.Muon does
    this in bfloat16, which CPUs without native bfloat16 run a hundred times slower.

    Args:
        matrices: Shape ``(count, rows, columns)``.
    """
    a, b, c = NEWTON_SCHULZ
    wide = matrices.mT if matrices.size(-2) > matrices.size(-1) else matrices
    x = wide / (wide.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(5):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    result: Tensor = x.mT if matrices.size(-2) > matrices.size(-1) else x
    return result


class Muon(torch.optim.Optimizer):
    """Momentum, orthogonalised; matrices of one shape are done as one stack."""

    def __init__(self, parameters: list[nn.Parameter], lr: float, momentum: float, weight_decay: float) -> None:
        """Take two-dimensional parameters.

        Args:
            parameters: The matrices.
            lr: Learning rate: the spectral size of a step of a square matrix.
            momentum: Momentum, used in Nesterov's way.
            weight_decay: Decoupled weight decay, times the learning rate.
        """
        super().__init__(parameters, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """Apply one update."""
        for group in self.param_groups:
            shapes: dict[torch.Size, list[nn.Parameter]] = defaultdict(list)
            for parameter in group["params"]:
                shapes[parameter.shape].append(parameter)
            for shape, members in shapes.items():
                self._step_stack(group, shape, members)

    def _step_stack(self, group: dict[str, Any], shape: torch.Size, members: list[nn.Parameter]) -> None:
        updates = []
        for parameter in members:
            gradient = parameter.grad
            if gradient is None:
                raise ValueError("Muon was given a parameter without a gradient.")
            state = self.state[parameter]
            buffer = state.setdefault("momentum_buffer", torch.zeros_like(parameter))
            buffer.lerp_(gradient, 1 - group["momentum"])
            updates.append(gradient.lerp(buffer, group["momentum"]))
        scale = group["lr"] * max(1.0, shape[0] / shape[1]) ** 0.5
        for parameter, update in zip(members, orthogonalise(torch.stack(updates)), strict=True):
            parameter.mul_(1 - group["lr"] * group["weight_decay"]).add_(update, alpha=-scale)


class Optimizers:
    """Both optimizers behind one step."""

    def __init__(self, network: nn.Module, recipe: Recipe) -> None:
        """Sort the parameters of a network into the two optimizers."""
        named = list(network.named_parameters())
        self.parameters = [value for _, value in named]
        matrices = [value for name, value in named if value.ndim == 2 and "embed" not in name]
        others = [value for name, value in named if value.ndim != 2 or "embed" in name]
        self.clip = recipe.clip
        self.members: tuple[torch.optim.Optimizer, ...] = (
            Muon(matrices, lr=recipe.muon_lr, momentum=0.95, weight_decay=recipe.muon_weight_decay),
            torch.optim.AdamW(others, lr=recipe.adam_lr, betas=(0.9, 0.95), weight_decay=0.0),
        )
        self.rates = (recipe.muon_lr, recipe.adam_lr)

    def step(self, factor: float) -> None:
        """Update the parameters at ``factor`` times the peak learning rates, then clear the gradients."""
        nn.utils.clip_grad_norm_(self.parameters, self.clip)
        for optimizer, rate in zip(self.members, self.rates, strict=True):
            for group in optimizer.param_groups:
                group["lr"] = rate * factor
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)

    def state_dict(self) -> list[dict[str, Any]]:
        """The state of both optimizers."""
        return [optimizer.state_dict() for optimizer in self.members]

    def load_state_dict(self, states: list[dict[str, Any]]) -> None:
        """Restore what :meth:`state_dict` gave."""
        for optimizer, state in zip(self.members, states, strict=True):
            optimizer.load_state_dict(state)


@torch.no_grad()
def average_into(average: dict[str, Tensor], network: nn.Module, step: int, horizon: int) -> None:
    """Move a running average of the weights towards the present ones.

    Args:
        average: Name to averaged weight, changed in place.
        network: Where the present weights are.
        step: Steps done; young averages forget faster, so that the start leaves no trace.
        horizon: Steps over which the average reaches back.
    """
    rate = max(1.0 / horizon, 1.0 / (1 + step / 4))
    for name, value in network.named_parameters():
        average[name].lerp_(value, rate)
