"""Steps, intervals and the time budget."""

import pytest

from duotune.config.run import TrainingConfig
from duotune.training.optimizer import learning_rate
from duotune.training.pace import measure_seconds_per_row, set_pace, steps_within, validation_rows


def test_epochs_decide_the_steps_and_the_last_step_takes_what_is_left() -> None:
    pace = set_pace(TrainingConfig(num_train_epochs=1.5, gradient_accumulation_steps=4), rows=15)
    assert (pace.steps, pace.rows) == (6, 22)


def test_max_steps_overrides_the_epochs_and_a_budget_caps_both() -> None:
    settings = TrainingConfig(max_steps=50, gradient_accumulation_steps=2)
    assert set_pace(settings, rows=10).steps == 50
    assert set_pace(settings, rows=10, most_steps=20).steps == 20
    assert set_pace(settings, rows=10, most_steps=900).steps == 50


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
    settings = TrainingConfig()
    assert validation_rows(settings, available=5, trained=100) == 5
    assert validation_rows(settings, available=50, trained=100) == 8
    assert validation_rows(settings, available=500, trained=10_000) == 200


@pytest.mark.parametrize("shape", ["cosine", "linear", "constant"])
def test_the_rate_rises_to_its_peak_and_falls_but_is_never_zero(shape: str) -> None:
    settings = TrainingConfig.model_validate({"learning_rate": 1e-3, "lr_scheduler_type": shape, "warmup_ratio": 0.1})
    rates = [learning_rate(settings, step, 100) for step in range(100)]
    assert 0 < rates[0] < rates[5] < rates[10] == 1e-3
    assert min(rates) > 0
    assert (rates[99] < 1e-4) == (shape != "constant")
    assert rates[10:] == sorted(rates[10:], reverse=True)
