"""The training loop: warm up, hold the rate, decay it; stop and resume at any step."""

import json
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from torch import Tensor, nn

from tools.tiny.checkpoint import load_newest, save_checkpoint
from tools.tiny.documents import Documents
from tools.tiny.network import Jumps, weighted_loss
from tools.tiny.optimizers import Optimizers, average_into
from tools.tiny.settings import Recipe
from tools.tiny.watch import Watch


@dataclass(frozen=True)
class Length:
    """How long a run is.

    Attributes:
        steady: Steps before the rate decays; a run that resumes past it decays from where it is.
        decay: Steps over which the rate falls to zero.
    """

    steady: int
    decay: int


@dataclass
class Run:
    """A run in progress: everything that a checkpoint holds, and where it is."""

    network: nn.Module
    recipe: Recipe
    directory: Path
    device: torch.device
    optimizers: Optimizers
    average: dict[str, Tensor]
    step: int = 0
    decay_start: int | None = None

    @classmethod
    def open(
        cls, network: nn.Module, recipe: Recipe, directory: Path, device: torch.device, *, resume: bool, again: bool
    ) -> "Run":
        """Begin a run, or continue it from its newest checkpoint; `again` takes up a decayed one at the full rate."""
        network.to(device)
        average = {name: value.detach().clone() for name, value in network.named_parameters()}
        run = cls(network, recipe, directory, device, Optimizers(network, recipe), average)
        state = load_newest(directory) if resume else None
        if state is not None:
            network.load_state_dict(state["network"])
            run.optimizers.load_state_dict(state["optimizers"])
            run.average = {name: value.to(device) for name, value in state["average"].items()}
            run.step, run.decay_start = state["step"], None if again else state["decay_start"]
        return run

    def save(self) -> None:
        """Write a checkpoint. Batches are drawn from the step alone, so the step is the cursor and the RNG state."""
        state: dict[str, Any] = {
            "step": self.step,
            "decay_start": self.decay_start,
            "network": self.network.state_dict(),
            "average": self.average,
            "optimizers": self.optimizers.state_dict(),
        }
        save_checkpoint(self.directory, self.step, state)

    def rate(self, length: Length) -> float:
        """The learning rate of the next step as a share of its peak."""
        warm = min(1.0, (self.step + 1) / self.recipe.warmup)
        if self.decay_start is None:
            return warm
        return warm * max(0.0, 1.0 - (self.step - self.decay_start) / max(1, length.decay))


class StopRequest:
    """Set by SIGTERM or SIGINT; the loop ends after the step in hand."""

    def __init__(self) -> None:
        """Install the handlers."""
        self.wanted = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self.wanted = True


def train(run: Run, documents: Documents, watch: Watch, length: Length, *, save_seconds: float = 120.0) -> bool:
    """Train to the end of a run.

    Args:
        run: The run.
        documents: Where batches come from.
        watch: The held-out losses that are logged as the run goes.
        length: How long the run is.
        save_seconds: Time between checkpoints.

    Returns:
        Whether the run reached its end; ``False`` where it was asked to stop.
    """
    stop = StopRequest()
    loss_of: Callable[..., Tensor] = torch.compile(weighted_loss)
    saved = logged = time.monotonic()
    tokens, losses = 0, []
    while not stop.wanted:
        if run.decay_start is None and run.step >= length.steady:
            run.decay_start = run.step
        if run.decay_start is not None and run.step >= run.decay_start + length.decay:
            run.save()
            return True
        decaying = run.decay_start is not None
        rows = documents.batch(run.step, decaying=decaying)
        ids, targets, weights = (
            torch.from_numpy(array).to(run.device) for array in (rows.ids, rows.targets, rows.weights)
        )
        guide = run.recipe.stage(run.step, decaying).guide
        jumps = Jumps.of(ids, documents.suffix, documents.middle, documents.end, guide)
        loss = loss_of(run.network, ids, targets, weights, jumps)
        loss.backward()  # type: ignore[no-untyped-call]
        rate = run.rate(length)
        run.optimizers.step(rate)
        run.step += 1
        average_into(run.average, run.network, run.step, run.recipe.average_steps)
        tokens += rows.ids.size
        losses.append(loss.item())
        if run.step % 25 == 0:
            now = time.monotonic()
            log(step=run.step, loss=sum(losses) / len(losses), tokens_per_second=tokens / (now - logged), rate=rate)
            logged, tokens, losses = now, 0, []
        if run.step % 200 == 0:
            log(step=run.step, **watch.losses(run.network, run.average, run.device))
        if time.monotonic() - saved > save_seconds:
            run.save()
            saved = time.monotonic()
    run.save()
    return False


def log(**values: float) -> None:
    """Print one line of JSON."""
    print(json.dumps({name: round(value, 4) for name, value in values.items()}), flush=True)
