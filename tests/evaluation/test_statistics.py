"""Intervals and tests against known values and simulations."""

import numpy as np
import pytest

from duotune.evaluation.statistics import (
    Table,
    bootstrap_means,
    holm,
    interval,
    mcnemar,
    sign_flip,
    t_interval,
    t_quantile,
    two_sided,
)


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


@pytest.mark.parametrize(
    ("freedom", "quantile"), [(1, 12.706), (2, 4.303), (3, 3.182), (4, 2.776), (7, 2.365), (30, 2.042), (5000, 1.960)]
)
def test_t_quantiles_are_those_of_the_tables(freedom: int, quantile: float) -> None:
    assert t_quantile(0.975, freedom) == pytest.approx(quantile, rel=0.005)


def test_sign_flips_are_exact_for_few_files_and_tossed_for_many() -> None:
    values = np.array([[0.3, 0.3], [0.1, -0.1], [0.2, 0.2]])
    assert sign_flip(values, ["a", "b", "c"], 0).tolist() == [2 / 8, 4 / 8]
    assert sign_flip(np.array([[0.3], [0.3], [0.1]]), ["a", "a", "b"], 0).tolist() == [2 / 4]
    many = sign_flip(np.full((40, 2), [0.1, 0.0]), [str(n) for n in range(40)], 0)
    assert many.tolist() == [pytest.approx(1 / 10_001), 1.0]


def neutral(files: int, trials: int) -> tuple[Table, list[str]]:
    """Differences without an effect, five items to a file that resemble each other; one trial a column."""
    generator = np.random.default_rng(files)
    shared = generator.standard_normal((files, trials)) * generator.exponential(1, (files, trials))
    values = shared.repeat(5, 0) + generator.standard_normal((files * 5, trials))
    return values, [str(n // 5) for n in range(files * 5)]


@pytest.mark.parametrize("files", [8, 20])
def test_chance_is_hardly_ever_taken_for_a_difference_however_few_the_files(files: int) -> None:
    values, names = neutral(files, trials=1000)
    assert np.mean(sign_flip(values, names, 0) <= 0.05) <= 0.055
    low, high = t_interval(values, names)
    assert np.mean((low <= 0) & (high >= 0)) >= 0.94
    alone = bootstrap_means(values[:, :300], names, 0, resamples=1000)
    assert np.mean([two_sided(column) <= 0.05 for column in alone.T]) > 0.06
