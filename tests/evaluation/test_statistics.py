"""Intervals and tests against known values and simulations."""

import numpy as np
import pytest

from duotune.evaluation.statistics import bootstrap_means, holm, interval, mcnemar, two_sided


def test_the_interval_of_one_item_per_file_is_near_the_normal_one() -> None:
    values = np.random.default_rng(0).normal(0.3, 1.0, (400, 1))
    low, high = interval(bootstrap_means(values, [str(n) for n in range(400)], seed=0)[:, 0])
    half = 1.96 * values.std() / 20
    assert low == pytest.approx(values.mean() - half, abs=0.01)
    assert high == pytest.approx(values.mean() + half, abs=0.01)


def test_intervals_cover_the_truth_though_items_of_a_file_resemble_each_other() -> None:
    generator = np.random.default_rng(1)
    files = [str(n // 5) for n in range(250)]
    by_file = by_item = 0
    for trial in range(200):
        values = (generator.normal(0, 0.55, 50).repeat(5) + generator.normal(0, 0.84, 250))[:, None]
        low, high = interval(bootstrap_means(values, files, trial, resamples=1000)[:, 0])
        by_file += low <= 0 <= high
        low, high = interval(bootstrap_means(values, [str(n) for n in range(250)], trial, resamples=1000)[:, 0])
        by_item += low <= 0 <= high
    assert 0.90 <= by_file / 200 <= 0.99
    assert by_item / 200 < 0.87


def test_the_same_seed_gives_the_same_interval_and_files_weigh_by_their_items() -> None:
    values = np.array([[1.0], [1.0], [1.0], [0.0]])
    files = ["a", "a", "a", "b"]
    first, second = (bootstrap_means(values, files, seed=4) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert set(first[:, 0].round(6)) == {0.0, 0.75, 1.0}


def test_p_values_are_small_for_a_clear_effect_and_one_for_none() -> None:
    clear = bootstrap_means(np.full((30, 1), 0.2), [str(n) for n in range(30)], 0)[:, 0]
    assert two_sided(clear) < 0.001
    assert two_sided(np.zeros(10_000)) == 1.0


@pytest.mark.parametrize(("gained", "lost", "p_value"), [(5, 0, 0.0625), (10, 2, 0.03857), (3, 3, 1.0), (0, 0, 1.0)])
def test_mcnemar_equals_the_exact_binomial_values(gained: int, lost: int, p_value: float) -> None:
    base = np.array([0.0] * gained + [1.0] * lost + [1.0] * 4 + [0.0] * 4)
    adapter = np.array([1.0] * gained + [0.0] * lost + [1.0] * 4 + [0.0] * 4)
    assert mcnemar(base, adapter) == pytest.approx(p_value, abs=1e-4)


def test_holm_stops_at_the_first_that_fails() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == [True, False, False, True]
    assert holm([0.02, 0.02, 0.9]) == [False, False, False]
    assert holm([]) == []
