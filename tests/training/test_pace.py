"""Steps, intervals and the time budget."""

import pytest

from duotune.config.training import TrainingConfig
from duotune.training.optimizer import learning_rate
from duotune.training.pace import (
    Limit,
    limit_to,
    measure_seconds_per_row,
    set_pace,
    steps_within,
    validation_rows,
)


def test_epochs_decide_the_steps_and_the_last_step_takes_what_is_left() -> None:
    pace = set_pace(TrainingConfig(num_train_epochs=1.5, gradient_accumulation_steps=4), rows=15)
    assert (pace.steps, pace.rows) == (6, 22)


def test_max_steps_overrides_the_epochs_and_a_budget_caps_both() -> None:
    settings = TrainingConfig(max_steps=50, gradient_accumulation_steps=2)
    assert set_pace(settings, rows=10).steps == 50
    assert set_pace(settings, rows=10, limit=Limit(20, 2, 0)).steps == 20
    assert set_pace(settings, rows=10, limit=Limit(900, 2, 0)).steps == 50


def test_about_ten_validations_unless_asked_otherwise() -> None:
    assert set_pace(TrainingConfig(max_steps=95), 10).eval_steps == 10
    pace = set_pace(TrainingConfig(max_steps=95, eval_steps=7), 10)
    assert (pace.eval_steps, pace.save_steps) == (7, 7)
    assert set_pace(TrainingConfig(max_steps=95, eval_steps=7, save_steps=3), 10).save_steps == 3


def test_a_budget_pays_for_its_validations() -> None:
    settings = TrainingConfig(per_device_train_batch_size=1, gradient_accumulation_steps=4)
    assert steps_within(settings, seconds_left=120, seconds_per_row=0.5, seconds_per_validation=2) == 50
    settings = TrainingConfig(per_device_train_batch_size=1, gradient_accumulation_steps=4, eval_steps=5)
    assert steps_within(settings, seconds_left=120, seconds_per_row=0.5, seconds_per_validation=5) == 40
    assert steps_within(settings, seconds_left=-3, seconds_per_row=0.5, seconds_per_validation=5) == 1


@pytest.mark.parametrize(("seconds", "passes"), [(0.1, 9), (1.0, 6), (30.0, 4)])
def test_a_measurement_ends_after_some_seconds_but_not_before_three_passes(seconds: float, passes: int) -> None:
    now, ran = [0.0], []

    def run(number: int) -> int:
        now[0] += seconds if number else 100.0
        ran.append(number)
        return 2

    assert measure_seconds_per_row(run, lambda: now[0]) == pytest.approx(seconds / 2)
    assert len(ran) == passes


def test_validation_stays_a_small_part_of_long_trainings_and_whole_on_short_ones() -> None:
    assert validation_rows(available=5, trained=100) == 5
    assert validation_rows(available=50, trained=100) == 24
    assert validation_rows(available=500, trained=10_000) == 200


def test_short_trainings_validate_less_often_and_not_with_fewer_rows() -> None:
    settings = TrainingConfig(per_device_train_batch_size=1, gradient_accumulation_steps=4)
    short, longer = set_pace(settings, rows=200, held_back=50), set_pace(settings, rows=2000, held_back=500)
    assert (short.steps, short.eval_steps, short.validation_rows) == (50, 13, 24)
    assert (longer.steps, longer.eval_steps, longer.validation_rows) == (500, 50, 40)


@pytest.mark.parametrize("minutes", [0.5, 1, 5, 30, 600])
@pytest.mark.parametrize("held_back", [0, 3, 50, 5000])
def test_validations_take_a_fifth_of_a_budget_at_most(minutes: float, held_back: int) -> None:
    settings = TrainingConfig(num_train_epochs=100)
    limit = limit_to(settings, 10_000, held_back, seconds_left=60 * minutes, seconds_per_row=2.0)
    done = 1 + -(-limit.steps // limit.eval_steps)
    checks = done * limit.validation_rows * 1.0
    assert checks <= 0.2 * 60 * minutes
    assert 0 < limit.steps * 4 * 2.0 + checks <= 60 * minutes
    assert limit.steps * 4 * 2.0 >= 0.75 * 60 * minutes - 8
    assert (limit.validation_rows == 0) == (held_back == 0)


def test_a_budget_that_is_spent_already_still_has_one_step() -> None:
    assert limit_to(TrainingConfig(), 100, 50, seconds_left=-5, seconds_per_row=2.0) == Limit(1, 1, 1)


@pytest.mark.parametrize("shape", ["cosine", "linear", "constant"])
def test_the_rate_rises_to_its_peak_and_falls_but_is_never_zero(shape: str) -> None:
    settings = TrainingConfig.model_validate({"learning_rate": 1e-3, "lr_scheduler_type": shape, "warmup_ratio": 0.1})
    rates = [learning_rate(settings, step, 100) for step in range(100)]
    assert 0 < rates[0] < rates[5] < rates[10] == 1e-3
    assert min(rates) > 0
    assert (rates[99] < 1e-4) == (shape != "constant")
    assert rates[10:] == sorted(rates[10:], reverse=True)
