"""How many steps a training has, and when it validates and saves: decided before the first step."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from duotune.config.run import TrainingConfig

VALIDATIONS = 10
LEAST_VALIDATION_ROWS = 8
# Of the rows that are trained on: ten validations, forward only, then cost about a tenth of the training.
VALIDATION_SHARE = 0.02
WARM_UP_BATCHES = 1
MEASURED_BATCHES = (3, 8)
MEASURED_SECONDS = 5.0


@dataclass(frozen=True)
class Pace:
    """Steps of a training and what happens between them.

    Attributes:
        steps: Optimizer steps in all.
        rows: Rows that are trained on; the last step may have fewer than the others.
        eval_steps: Steps between validation losses.
        save_steps: Steps between checkpoints.
    """

    steps: int
    rows: int
    eval_steps: int
    save_steps: int


def rows_per_step(settings: TrainingConfig) -> int:
    """Rows of one global batch."""
    return settings.per_device_train_batch_size * settings.gradient_accumulation_steps


def rows_wanted(settings: TrainingConfig, rows: int) -> int:
    """Rows to train on by `max_steps` or, when that is 0, by the epochs."""
    if settings.max_steps:
        return settings.max_steps * rows_per_step(settings)
    return max(1, round(settings.num_train_epochs * rows))


def set_pace(settings: TrainingConfig, rows: int, most_steps: int | None = None) -> Pace:
    """Steps and intervals for `rows` rows, of at most `most_steps` steps."""
    wanted = rows_wanted(settings, rows)
    if most_steps is not None:
        wanted = min(wanted, most_steps * rows_per_step(settings))
    steps = math.ceil(wanted / rows_per_step(settings))
    eval_steps = settings.eval_steps or max(1, math.ceil(steps / VALIDATIONS))
    return Pace(steps, wanted, eval_steps, settings.save_steps or eval_steps)


def validation_rows(settings: TrainingConfig, available: int, trained: int) -> int:
    """Rows of each validation: all of them, or so many that validation stays a small part of the time."""
    return min(available, max(LEAST_VALIDATION_ROWS, math.ceil(VALIDATION_SHARE * trained)))


def steps_within(
    settings: TrainingConfig, seconds_left: float, seconds_per_row: float, seconds_per_validation: float
) -> int:
    """Steps that fit into the time, at least one, with the validations and checkpoints between them paid for."""
    seconds_per_step = rows_per_step(settings) * seconds_per_row
    if settings.eval_steps:
        seconds_per_step += seconds_per_validation / settings.eval_steps
    else:
        seconds_left -= VALIDATIONS * seconds_per_validation
    return max(1, int(seconds_left / seconds_per_step))


def measure_seconds_per_row(run: Callable[[int], int], clock: Callable[[], float] = time.perf_counter) -> float:
    """Time forward and backward passes until the figure is worth something.

    Args:
        run: Runs the n-th pass to its end, without a step of the optimizer, and returns its number of rows.
        clock: Seconds.
    """
    for number in range(WARM_UP_BATCHES):
        run(number)
    least, most = MEASURED_BATCHES
    started, rows = clock(), 0
    for number in range(most):
        rows += run(WARM_UP_BATCHES + number)
        if number + 1 >= least and clock() - started >= MEASURED_SECONDS:
            break
    return (clock() - started) / rows
