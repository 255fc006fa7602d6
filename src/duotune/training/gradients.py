"""The gradient of one global batch, whatever the memory makes of its micro-batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch

from duotune.errors import RunFailed
from duotune.runs.reporter import Reporter
from duotune.training.batches import collate, label_weight
from duotune.training.model import TrainableModel
from duotune.training.optimizer import MasterAdamW
from duotune.training.rows import Row

MICRO_BATCH_DECISION = "per_device_train_batch_size"


class GlobalBatch:
    """Computes losses and gradients of many rows in micro-batches of a few.

    When a GPU's memory ends, the micro-batch is halved for good, which is recorded once so that a resumed run does
    the same; the global batch, and so the training, stays what it was.

    Args:
        model: The model.
        optimizer: Receives the gradients.
        micro_rows: Rows per forward pass.
        report: Remembers a halved micro-batch.
    """

    def __init__(self, model: TrainableModel, optimizer: MasterAdamW, micro_rows: int, report: Reporter) -> None:
        self._model, self._optimizer, self._report = model, optimizer, report
        recalled = report.recall(MICRO_BATCH_DECISION)
        self.micro_rows = recalled if isinstance(recalled, int) else micro_rows
        self.tokens = 0

    def gradients(self, rows: Sequence[Row]) -> torch.Tensor:
        """Put the gradient of the rows' mean loss per label weight into the optimizer and return that loss."""
        weight = label_weight(rows)
        while True:
            try:
                return self._accumulate(rows, weight)
            except torch.cuda.OutOfMemoryError as error:
                if self.micro_rows == 1:
                    raise RunFailed(
                        "The GPU's memory does not hold one row of this model.",
                        'Lower data.sequence_length or lora.r, or set model.quantization = "nf4".',
                    ) from error
            self._halve()

    def _accumulate(self, rows: Sequence[Row], weight: float) -> torch.Tensor:
        loss = torch.zeros((), dtype=torch.float64, device=self._model.device)
        tokens = 0
        for part in self._parts(rows):
            batch = collate(part, self._model.device)
            if batch is None:
                continue
            part_loss = self._model.loss(batch, weight)
            torch.autograd.backward(part_loss)
            self._optimizer.collect_gradients()
            loss += part_loss.detach()
            tokens += batch.tokens
        self.tokens += tokens
        return loss

    @torch.no_grad()
    def mean_loss(self, rows: Sequence[Row]) -> float:
        """Mean loss per label weight, without gradients."""
        total = torch.zeros((), dtype=torch.float64, device=self._model.device)
        weight = 0.0
        for part in self._parts(rows):
            batch = collate(part, self._model.device)
            if batch is not None:
                total += self._model.loss(batch, 1.0)
                weight += batch.weight
        return float(total) / weight if weight else 0.0

    def _parts(self, rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
        for first in range(0, len(rows), self.micro_rows):
            yield rows[first : first + self.micro_rows]

    def _halve(self) -> None:
        self._optimizer.discard_gradients()
        torch.cuda.empty_cache()
        self.micro_rows = max(1, self.micro_rows // 2)
        self._report.record(MICRO_BATCH_DECISION, self.micro_rows)
        self._report.warning(
            f"The GPU's memory was full: rows per forward pass are now {self.micro_rows}, the step stays the same size."
        )
