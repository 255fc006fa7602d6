"""One optimizer step: gradients of a global batch, and weights that learn from them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from duotune.errors import RunFailed
from duotune.runs.reporter import SilentReporter
from duotune.training.gradients import GlobalBatch
from duotune.training.model import TrainableModel, load_trainable
from duotune.training.optimizer import MasterAdamW
from support.packed import counting_documents, packed_row
from support.rows import as_row
from support.runs_config import tiny_run

CPU = torch.device("cpu")


def test_the_gradient_does_not_depend_on_how_the_global_batch_is_cut(micro_model: Path) -> None:
    config = tiny_run(micro_model)
    model = load_trainable(micro_model, config, CPU)
    rows = [as_row(packed_row(counting_documents(1, seed, length), weight=1 + seed % 2)) for seed, length in
            enumerate((30, 4, 11, 7))]  # fmt: skip
    norms, losses = [], []
    for micro_rows in (1, 2, 4):
        optimizer = MasterAdamW(model.trainable, config.training)
        losses.append(float(GlobalBatch(model, optimizer, micro_rows, SilentReporter()).gradients(rows)))
        norms.append(float(optimizer.step(0.0)))
    assert losses == pytest.approx([losses[0]] * 3, rel=1e-5)
    assert norms == pytest.approx([norms[0]] * 3, rel=1e-4)


class OutOfMemoryAbove:
    """A model whose memory ends above so many tokens."""

    def __init__(self, model: TrainableModel, tokens: int) -> None:
        self._model, self._tokens = model, tokens
        self.device = model.device

    def loss(self, batch: Any, normaliser: float) -> torch.Tensor:
        if batch.tokens > self._tokens:
            raise torch.cuda.OutOfMemoryError("full")
        return self._model.loss(batch, normaliser)


def test_full_memory_halves_the_micro_batch_once_for_all_and_keeps_the_step(micro_model: Path) -> None:
    config = tiny_run(micro_model)
    model = load_trainable(micro_model, config, CPU)
    rows = [as_row(packed_row(counting_documents(1, seed, 10))) for seed in range(4)]
    optimizer = MasterAdamW(model.trainable, config.training)
    expected = float(GlobalBatch(model, optimizer, 4, SilentReporter()).gradients(rows))
    optimizer.discard_gradients()
    report = SilentReporter()
    small: Any = OutOfMemoryAbove(model, 20)
    batch = GlobalBatch(small, optimizer, 4, report)
    assert float(batch.gradients(rows)) == pytest.approx(expected, rel=1e-5)
    assert batch.tokens == 40
    assert report.decisions == {"per_device_train_batch_size": 2}
    assert GlobalBatch(small, optimizer, 4, report).micro_rows == 2
    with pytest.raises(RunFailed, match="does not hold one row"):
        GlobalBatch(OutOfMemoryAbove(model, 5), optimizer, 1, SilentReporter()).gradients(rows)  # type: ignore[arg-type]


def test_bfloat16_adapters_learn_through_their_float32_masters() -> None:
    weight = torch.nn.Parameter(torch.ones(4, dtype=torch.bfloat16))
    optimizer = MasterAdamW({"w": weight}, tiny_run(Path("m"), training={"max_grad_norm": 100.0}).training)
    for _ in range(40):
        weight.grad = torch.ones_like(weight)
        optimizer.collect_gradients()
        optimizer.step(1e-4)
    assert optimizer.weights()["w"].dtype == torch.float32
    torch.testing.assert_close(optimizer.weights()["w"], torch.full((4,), 1 - 40e-4))
    assert float(weight[0].detach()) < 1.0


def test_a_parameter_without_a_gradient_survives_a_restore_and_the_next_checkpoint() -> None:
    settings = tiny_run(Path("m")).training

    def stepped(used: torch.nn.Parameter, unused: torch.nn.Parameter, optimizer: MasterAdamW) -> MasterAdamW:
        used.grad = torch.ones_like(used)
        optimizer.collect_gradients()
        optimizer.step(1e-2)
        return optimizer

    def fresh() -> tuple[torch.nn.Parameter, torch.nn.Parameter, MasterAdamW]:
        used, unused = (torch.nn.Parameter(torch.ones(2)) for _ in range(2))
        return used, unused, MasterAdamW({"used": used, "unused": unused}, settings)

    undisturbed = stepped(*fresh())
    used, unused, restored = fresh()
    restored.restore(undisturbed.weights(), undisturbed.moments())
    assert restored.moments().keys() == {"used/exp_avg", "used/exp_avg_sq", "used/step"}
    unused.grad = torch.ones_like(unused)
    stepped(used, unused, restored)
    assert "unused/exp_avg" in restored.moments()
