"""Turns packed rows into micro-batches, and decides which rows make up a step."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from duotune.training.attention import Documents
from duotune.training.rows import PackedRows, Row

IGNORED = -100


@dataclass(frozen=True)
class MicroBatch:
    """Whole documents laid end to end in one sequence of T tokens, and the positions that predict a label.

    Attributes:
        input_ids: Shape [1, T].
        position_ids: Shape [1, T], from 0 in each document.
        documents: Where each document begins and ends.
        predicting: Positions whose next token is a label, shape [labels].
        targets: That next token, shape [labels].
        weights: Its weight in the loss, float32, shape [labels].
        weight: Sum of `weights`.
    """

    input_ids: torch.Tensor
    position_ids: torch.Tensor
    documents: Documents
    predicting: torch.Tensor
    targets: torch.Tensor
    weights: torch.Tensor
    weight: float

    @property
    def tokens(self) -> int:
        """Tokens that are computed on; padding is not among them."""
        return self.input_ids.shape[1]


@dataclass(frozen=True)
class _Flat:
    input_ids: npt.NDArray[np.int64]
    targets: npt.NDArray[np.int64]
    weights: npt.NDArray[np.float32]
    lengths: npt.NDArray[np.int64]


def label_weight(rows: Sequence[Row]) -> float:
    """Sum of the loss weights of all labels in the rows: what a step's gradient is normalised by."""
    return float(sum(_flatten(row).weights.sum(dtype=np.float64) for row in rows))


def collate(rows: Sequence[Row], device: torch.device) -> MicroBatch | None:
    """Lay the documents of the rows end to end on the device; None when none of them has a label.

    Documents without a label (padding is one) are left out: attention never leaves a document, so they cannot
    change the loss or its gradient.
    """
    parts = [_flatten(row) for row in rows]
    lengths = np.concatenate([part.lengths for part in parts])
    if lengths.size == 0:
        return None
    targets = np.concatenate([part.targets for part in parts])
    weights = np.concatenate([part.weights for part in parts])
    starts = np.concatenate([[0], np.cumsum(lengths)])
    positions = np.arange(starts[-1]) - np.repeat(starts[:-1], lengths)
    predicting = np.flatnonzero(weights)

    def place(array: npt.NDArray[np.generic]) -> torch.Tensor:
        tensor = torch.from_numpy(np.ascontiguousarray(array))
        return tensor.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else tensor

    return MicroBatch(
        input_ids=place(np.concatenate([part.input_ids for part in parts]))[None],
        position_ids=place(positions)[None],
        documents=Documents(tuple(int(n) for n in lengths), place(starts.astype(np.int32)), int(lengths.max())),
        predicting=place(predicting),
        targets=place(targets[predicting]),
        weights=place(weights[predicting]),
        weight=float(weights.sum(dtype=np.float64)),
    )


def _flatten(row: Row) -> _Flat:
    """The row's labelled documents, with targets and weights moved to the position that predicts them."""
    lengths = row.document_lengths.astype(np.int64)
    starts = np.cumsum(lengths) - lengths
    labels = row.labels.astype(np.int64)
    weights = np.where(labels == IGNORED, 0, row.loss_weights).astype(np.float32)
    # A document's first token has no predecessor: without this the last token of the document before would predict it.
    weights[starts[lengths > 0]] = 0
    weights, targets = np.append(weights[1:], np.float32(0)), np.append(labels[1:], IGNORED)
    document = np.repeat(np.arange(lengths.size), lengths)
    labelled = np.bincount(document, weights=weights != 0, minlength=lengths.size) > 0
    keep = labelled[document]
    return _Flat(row.input_ids[keep].astype(np.int64), targets[keep], weights[keep], lengths[labelled])


class RowOrder:
    """Which rows each step trains on: all rows once per epoch, in an order that only the seed decides.

    The epochs' permutations form one endless stream; step s takes the s-th run of `rows_per_step` rows, so the step
    number is the whole cursor, and halving the micro-batch moves nothing.

    Args:
        rows: Rows in the training split.
        rows_per_step: Rows of one global batch.
        seed: Decides the order.
        total_rows: Rows after which training ends; the last step may be smaller.
    """

    def __init__(self, rows: int, rows_per_step: int, seed: int, total_rows: int) -> None:
        self.rows, self.rows_per_step, self.seed, self.total_rows = rows, rows_per_step, seed, total_rows
        self._epoch = -1
        self._permutation: npt.NDArray[np.int64] = np.empty(0, np.int64)

    @property
    def steps(self) -> int:
        """Steps until `total_rows` are used."""
        return math.ceil(self.total_rows / self.rows_per_step)

    def step(self, number: int) -> list[int]:
        """Row indices of step `number`, counted from 0."""
        first = number * self.rows_per_step
        return [self._at(place) for place in range(first, min(first + self.rows_per_step, self.total_rows))]

    def epoch(self, steps_done: int) -> float:
        """Passes over the data after so many steps."""
        return min(steps_done * self.rows_per_step, self.total_rows) / self.rows

    def _at(self, place: int) -> int:
        epoch, index = divmod(place, self.rows)
        if epoch != self._epoch:
            generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence([self.seed, epoch])))
            self._epoch, self._permutation = epoch, generator.permutation(self.rows)
        return int(self._permutation[index])


def spread(rows: PackedRows, count: int) -> list[int]:
    """Indices of at most `count` rows, evenly over the split."""
    if count >= len(rows):
        return list(range(len(rows)))
    return [int(index) for index in np.linspace(0, len(rows) - 1, count).round()]
