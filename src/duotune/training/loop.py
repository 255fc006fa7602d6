"""The training loop: steps, validations, checkpoints."""

from __future__ import annotations

import math
import resource
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from duotune.config.run import RunConfig
from duotune.errors import RunFailed
from duotune.runs.reporter import Reporter, Stopped
from duotune.training import checkpoints
from duotune.training.adapter_files import adapter_config, public_base_name
from duotune.training.batches import RowOrder, spread
from duotune.training.checkpoints import Checkpoint, TrainingState
from duotune.training.gradients import GlobalBatch
from duotune.training.model import load_trainable
from duotune.training.optimizer import MasterAdamW, learning_rate
from duotune.training.pace import VALIDATIONS, Limit, Pace, limit_to, measure_seconds_per_row, rows_per_step, set_pace
from duotune.training.rows import PackedRows, Row

STEPS_DECISION, EVAL_STEPS_DECISION, VALIDATION_ROWS_DECISION = "total_steps", "eval_steps", "validation_rows"
SECONDS_BETWEEN_METRICS = 1.0
Watch = Callable[[Any, torch.device], Mapping[str, float]]
"""Asks the causal model on its device, and answers with figures by name."""


class Training:
    """One training run on one device.

    Args:
        dataset: Fingerprint of the data.
        rows: The training split.
        validation: The validation split; it may be empty.
        model: Directory of the base model.
        config: The run.
        root: Directory of the checkpoints.
        report: Hears of progress, and may ask to stop.
        device: Where to compute.
        watch: Asked at each validation what the model answers; for people, nothing depends on it.
    """

    def __init__(
        self,
        dataset: str,
        rows: PackedRows,
        validation: PackedRows,
        model: Path,
        config: RunConfig,
        root: Path,
        report: Reporter,
        device: torch.device,
        watch: Watch | None = None,
    ) -> None:
        self._started = time.perf_counter()
        self._rows, self._settings, self._root, self._report = rows, config.training, root, report
        self._dataset, self._device, self._watch = dataset, device, watch
        self._model = load_trainable(model, config, device)
        self._optimizer = MasterAdamW(self._model.trainable, self._settings)
        self._batch = GlobalBatch(self._model, self._optimizer, self._settings.per_device_train_batch_size, report)
        self._adapter_config = adapter_config(self._model.peft, public_base_name(config.model.path))
        self._held_back = validation
        self._validation: list[Row] = []
        self._best: dict[str, torch.Tensor] | None = None
        self._loss_sum = torch.zeros((), dtype=torch.float64, device=device)
        self._metrics_at = self._window_from = -math.inf
        self._window_tokens = 0

    def run(self, last: Checkpoint | None) -> Checkpoint:
        """Train from the checkpoint, or from the start, to the end; returns the last checkpoint.

        Raises:
            Stopped: When the reporter asked to stop, after a checkpoint.
            RunFailed: If the loss is not finite or memory ends.
        """
        pace = self._pace()
        self._validation = [self._held_back[index] for index in spread(self._held_back, pace.validation_rows)]
        state = self._begin() if last is None else self._restore(last)
        order = RowOrder(len(self._rows), rows_per_step(self._settings), self._settings.seed, pace.rows)
        self._report.progress("train", state.step, pace.steps, "steps")
        self._restart_window()
        while not state.finished:
            state = self._step(state, order, pace)
            due = state.step % pace.eval_steps == 0 or state.step == pace.steps
            if due:
                state = self._validate(state)
            early = 0 < self._settings.early_stopping_patience <= state.worse_validations
            state = state.model_copy(update={"finished": state.step == pace.steps or early})
            self._report.progress("train", state.step, pace.steps, "steps")
            stop = self._report.stop_requested
            if due or stop or state.finished or state.step % pace.save_steps == 0:
                last = self._save(state)
            if stop and not state.finished:
                raise Stopped
        assert last is not None
        if state.best_step == 0 and self._validation:
            self._report.warning("No step lowered the validation loss, so the adapter is left as it began: no change.")
        return last

    def _begin(self) -> TrainingState:
        self._best = self._optimizer.weights()
        self._tell_answers(0)
        if not self._validation:
            return TrainingState(dataset=self._dataset)
        loss = self._validation_loss(0)
        return TrainingState(dataset=self._dataset, best_validation_loss=loss, initial_validation_loss=loss)

    def _restore(self, last: Checkpoint) -> TrainingState:
        self._optimizer.restore(last.weights(), last.moments())
        self._best = last.best()
        self._loss_sum.fill_(last.state.loss_sum)
        self._batch.tokens = last.state.tokens
        self._started -= last.state.seconds
        return last.state

    def _pace(self) -> Pace:
        """The steps of this run: by the configuration, and under a time budget by a measurement, taken once."""
        rows, held_back = len(self._rows), len(self._held_back)
        if not self._settings.max_minutes:
            return set_pace(self._settings, rows, held_back)
        limit = self._recalled_limit()
        if limit is None:
            # Measured before the first step and not during the first steps, because the warm-up needs their number.
            seconds_per_row = measure_seconds_per_row(self._rehearse)
            watching = (VALIDATIONS + 1) * self._seconds_of_answers()
            left = 60 * self._settings.max_minutes - (time.perf_counter() - self._started) - watching
            limit = limit_to(self._settings, rows, held_back, left, seconds_per_row)
            self._report.record(EVAL_STEPS_DECISION, limit.eval_steps)
            self._report.record(VALIDATION_ROWS_DECISION, limit.validation_rows)
            self._report.record(STEPS_DECISION, limit.steps)  # last, because it stands for all three
        return set_pace(self._settings, rows, held_back, limit)

    def _recalled_limit(self) -> Limit | None:
        names = (STEPS_DECISION, EVAL_STEPS_DECISION, VALIDATION_ROWS_DECISION)
        steps, eval_steps, checked = map(self._report.recall, names)
        if isinstance(steps, int) and isinstance(eval_steps, int) and isinstance(checked, int):
            return Limit(steps, eval_steps, checked)
        return None

    def _rehearse(self, number: int) -> int:
        rows = self._batch.micro_rows
        places = [(number * rows + index) * 7919 % len(self._rows) for index in range(rows)]
        loss = self._batch.gradients([self._rows[place] for place in places])
        self._optimizer.discard_gradients()
        self._batch.tokens = 0
        loss.item()  # waits for the device, so that the clock tells the truth
        return rows

    def _step(self, state: TrainingState, order: RowOrder, pace: Pace) -> TrainingState:
        # Dropout of a step depends on the seed and the step alone, so no generator's state has to be carried over.
        torch.manual_seed(_step_seed(self._settings.seed, state.step))
        self._model.set_dropout(True)
        tokens_before = self._batch.tokens
        loss = self._batch.gradients([self._rows[index] for index in order.step(state.step)])
        rate = learning_rate(self._settings, state.step, pace.steps)
        norm = self._optimizer.step(rate)
        self._loss_sum += loss
        self._window_tokens += self._batch.tokens - tokens_before
        step = state.step + 1
        self._tell(step, loss, norm, rate, order.epoch(step), last=step == pace.steps)
        return state.model_copy(update={"step": step, "tokens": self._batch.tokens})

    def _tell(self, step: int, loss: torch.Tensor, norm: torch.Tensor, rate: float, epoch: float, last: bool) -> None:
        """Report the step; on a GPU at most once a second, since reading a number makes the host wait for it."""
        now = time.perf_counter()
        if self._device.type == "cuda" and not last and now - self._metrics_at < SECONDS_BETWEEN_METRICS:
            return
        values = {"loss": float(loss), "gradient_norm": float(norm)}
        if not all(map(math.isfinite, values.values())):
            raise _diverged(step)
        now = time.perf_counter()
        values["learning_rate"], values["epoch"] = rate, epoch
        values["tokens_per_second"] = self._window_tokens / max(now - self._window_from, 1e-9)
        values["peak_memory_bytes"] = float(peak_memory_bytes(self._device))
        self._report.metrics(step, values)
        if now - self._window_from >= SECONDS_BETWEEN_METRICS:
            self._restart_window()
        self._metrics_at = now

    def _restart_window(self) -> None:
        self._window_from, self._window_tokens = time.perf_counter(), 0

    def _mean_validation_loss(self) -> float:
        self._model.set_dropout(False)
        return self._batch.mean_loss(self._validation)

    def _validation_loss(self, step: int) -> float:
        loss = self._mean_validation_loss()
        if not math.isfinite(loss):
            raise _diverged(step)
        self._report.metrics(step, {"validation_loss": loss}, always=True)
        return loss

    def _tell_answers(self, step: int) -> None:
        """Report what the model answers now."""
        if answers := self._answers():
            self._report.metrics(step, answers, always=True)

    def _answers(self) -> Mapping[str, float]:
        """What the model answers now; empty where nobody asks. A GPU whose memory does not hold it is asked no more."""
        if self._watch is None:
            return {}
        try:
            with self._model.answering() as causal:
                return self._watch(causal, self._device)
        except torch.cuda.OutOfMemoryError:
            self._watch = None
            torch.cuda.empty_cache()
            self._report.warning("The GPU's memory does not hold answers beside the training: there are no curves.")
            return {}

    def _seconds_of_answers(self) -> float:
        begun = time.perf_counter()
        self._answers()
        return time.perf_counter() - begun

    def _validate(self, state: TrainingState) -> TrainingState:
        self._tell_answers(state.step)
        if not self._validation:
            self._best = self._optimizer.weights()
            return state.model_copy(update={"best_step": state.step})
        loss = self._validation_loss(state.step)
        self._restart_window()
        assert state.best_validation_loss is not None
        if loss < state.best_validation_loss:
            self._best = self._optimizer.weights()
            update = {"best_step": state.step, "best_validation_loss": loss, "worse_validations": 0}
        else:
            update = {"worse_validations": state.worse_validations + 1}
        return state.model_copy(update=update)

    def _save(self, state: TrainingState) -> Checkpoint:
        loss_sum = float(self._loss_sum)
        if not math.isfinite(loss_sum):
            raise _diverged(state.step)
        peak = max(state.peak_memory_bytes, peak_memory_bytes(self._device))
        state = state.model_copy(
            update={
                "loss_sum": loss_sum,
                "seconds": time.perf_counter() - self._started,
                "peak_memory_bytes": peak,
            }
        )
        best = None if state.best_step == state.step else self._best
        saved = checkpoints.save(
            self._root, state, self._adapter_config, self._optimizer.weights(), best, self._optimizer.moments()
        )
        self._report.checkpoint(state.step, saved.directory)
        return saved


def _step_seed(seed: int, step: int) -> int:
    return int(np.random.SeedSequence([seed, step]).generate_state(1, np.uint64)[0])


def peak_memory_bytes(device: torch.device) -> int:
    """Most memory that tensors took on the GPU, or that the process took, so far in this attempt."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _diverged(step: int) -> RunFailed:
    return RunFailed(
        f"The loss at step {step} is not a finite number.", "Lower training.learning_rate, then start the run again."
    )
