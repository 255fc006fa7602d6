"""How many steps a training has, and when it validates and saves: decided before the first step."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from duotune.config.training import TrainingConfig

VALIDATIONS = 10
LEAST_VALIDATIONS = 4
# Fewer rows' mean loss jumps about by more than a few steps change it, and early stopping would follow the noise.
LEAST_VALIDATION_ROWS = 24
# Of the rows that are trained on: ten validations, forward only, then cost about a tenth of the training.
VALIDATION_SHARE = 0.02
# Of a training's time, the first validation included.
VALIDATION_BUDGET = 0.2
# Of a row's training: the base is frozen, so that the way back costs about as much as the way there, or more.
FORWARD_SHARE = 0.5
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
        validation_rows: Rows of each validation.
    """

    steps: int
    rows: int
    eval_steps: int
    save_steps: int
    validation_rows: int


@dataclass(frozen=True)
class Limit:
    """What a time budget has room for; decided once, because a resumed run must do the same.

    Attributes:
        steps: Optimizer steps.
        eval_steps: Steps between validation losses.
        validation_rows: Rows of each validation.
    """

    steps: int
    eval_steps: int
    validation_rows: int


def rows_per_step(settings: TrainingConfig) -> int:
    """Rows of one global batch."""
    return settings.per_device_train_batch_size * settings.gradient_accumulation_steps


def rows_wanted(settings: TrainingConfig, rows: int) -> int:
    """Rows to train on by `max_steps` or, when that is 0, by the epochs."""
    if settings.max_steps:
        return settings.max_steps * rows_per_step(settings)
    return max(1, round(settings.num_train_epochs * rows))


def set_pace(settings: TrainingConfig, rows: int, held_back: int = 0, limit: Limit | None = None) -> Pace:
    """Steps and intervals for `rows` rows and `held_back` rows to validate with, inside the limit."""
    wanted = rows_wanted(settings, rows)
    if limit is not None:
        wanted = min(wanted, limit.steps * rows_per_step(settings))
    steps = math.ceil(wanted / rows_per_step(settings))
    if limit is not None:
        eval_steps, checked = limit.eval_steps, limit.validation_rows
    else:
        checked = validation_rows(held_back, wanted)
        count = validations(wanted, FORWARD_SHARE * checked, LEAST_VALIDATIONS)
        eval_steps = settings.eval_steps or math.ceil(steps / count)
    return Pace(steps, wanted, eval_steps, settings.save_steps or eval_steps, checked)


def validation_rows(available: int, trained: int) -> int:
    """Rows of each validation: all of them, or so many that validation stays a small part of the time."""
    return min(available, max(LEAST_VALIDATION_ROWS, math.ceil(VALIDATION_SHARE * trained)))


def validations(training: float, each: float, least: int) -> int:
    """Validations after the first: ten, or as many as a fifth of the training pays for, but not below `least`.

    Args:
        training: What the training costs, in any unit.
        each: What a validation costs, in the same unit.
        least: Fewest.
    """
    if each <= 0:
        return VALIDATIONS
    return min(VALIDATIONS, max(least, int(VALIDATION_BUDGET * training / each) - 1))


def limit_to(settings: TrainingConfig, rows: int, held_back: int, seconds_left: float, seconds_per_row: float) -> Limit:
    """Steps and validations that fit into the time: a fifth of it, at most, is for validations.

    Where even the first and the last validation would take more, they get fewer rows; at least one step stays.
    """
    row_check = FORWARD_SHARE * seconds_per_row
    wanted = rows_wanted(settings, rows)
    reachable = min(wanted, int(seconds_left / seconds_per_row))
    affordable = max(1, int(VALIDATION_BUDGET * seconds_left / 2 / row_check))
    checked = min(validation_rows(held_back, reachable), affordable)
    each = checked * row_check
    count = validations(seconds_left, each, least=1)
    possible = steps_within(settings, seconds_left - each, seconds_per_row, each, count)
    steps = min(possible, math.ceil(wanted / rows_per_step(settings)))
    return Limit(steps, settings.eval_steps or math.ceil(steps / count), checked)


def steps_within(
    settings: TrainingConfig,
    seconds_left: float,
    seconds_per_row: float,
    seconds_per_validation: float,
    count: int = VALIDATIONS,
) -> int:
    """Steps that fit into the time, at least one, with the validations (`count` of them) between them paid for."""
    seconds_per_step = rows_per_step(settings) * seconds_per_row
    if settings.eval_steps:
        seconds_per_step += seconds_per_validation / settings.eval_steps
    else:
        seconds_left -= count * seconds_per_validation
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
