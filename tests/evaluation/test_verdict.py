"""The verdict's rule, case by case."""

import numpy as np
import pytest

from duotune.evaluation.results import METRICS, Metric, Pair, SetResult
from duotune.evaluation.score import summarise
from duotune.evaluation.verdict import LEAST_FILES, decide
from support.scored import scored_item


def a_set(n: int = 100, files: int = 40, **changed: tuple[float, tuple[float, float], float]) -> SetResult:
    metrics = {
        name: Metric(base=0.5, adapter=0.5, difference=0.0, interval=(-0.02, 0.02), p_value=0.9) for name in METRICS
    }
    for name, (difference, interval, p_value) in changed.items():
        metrics[name] = Metric(
            base=0.5, adapter=0.5 + difference, difference=difference, interval=interval, p_value=p_value
        )
    return SetResult(n=n, files=files, metrics=metrics, bad_reasons={})


UP = (0.05, (0.03, 0.07), 0.0002)
DOWN = (-0.05, (-0.07, -0.03), 0.0002)


@pytest.mark.parametrize(
    ("fim", "verdict"),
    [
        (a_set(), "no evidence"),
        (a_set(n=19, exact_match=DOWN), "too few"),
        (a_set(files=7, exact_match=UP), "too few"),
        (a_set(gold_loss=DOWN), "better"),
        (a_set(exact_match=UP), "better"),
        (a_set(edit_similarity=UP), "better"),
        (a_set(gold_loss=UP), "no evidence"),
        (a_set(cosine_similarity=UP), "no evidence"),
        (a_set(exact_match=DOWN), "harmful"),
        (a_set(edit_similarity=DOWN), "harmful"),
        (a_set(bad_responses=UP), "harmful"),
        (a_set(bad_responses=DOWN), "no evidence"),
        (a_set(bad_responses=(0.008, (0.004, 0.012), 0.0002)), "no evidence"),
        (a_set(gold_loss=DOWN, bad_responses=UP), "harmful"),
        (a_set(exact_match=(0.04, (0.001, 0.08), 0.045)), "no evidence"),
        (a_set(exact_match=(-0.04, (-0.08, -0.001), 0.045)), "no evidence"),
    ],
)
def test_the_rule(fim: SetResult, verdict: str) -> None:
    assert decide({"fim": fim})[0] == verdict


def test_a_set_that_is_too_small_neither_helps_nor_harms_another() -> None:
    verdict, reason = decide({"fim": a_set(gold_loss=DOWN), "signature": a_set(n=3, exact_match=DOWN)})
    assert verdict == "better"
    assert "gold loss on fim" in reason
    assert decide({"fim": a_set(gold_loss=DOWN), "signature": a_set(exact_match=DOWN)})[0] == "harmful"
    assert decide({})[0] == "too few"


def test_neutral_adapters_are_hardly_ever_condemned_and_clear_gains_are_seen() -> None:
    generator = np.random.default_rng(0)
    verdicts = []
    for trial in range(60):
        items = []
        for number in range(120):
            known = generator.random()
            base, adapter = (float(generator.random() < known) for _ in range(2))
            pair = Pair(base=base, adapter=adapter)
            items.append(scored_item(number, files=40, exact_match=pair, edit_similarity=pair))
        verdicts.append(decide({"fim": summarise(items, trial)})[0])
    assert verdicts.count("harmful") <= 4
    assert verdicts.count("no evidence") >= 50
    gaining = [
        scored_item(number, files=40, gold_loss=Pair(base=2.0, adapter=2.0 - generator.random()))
        for number in range(60)
    ]
    assert decide({"fim": summarise(gaining, 0)})[0] == "better"


def test_neutral_adapters_are_hardly_ever_condemned_at_the_least_number_of_files() -> None:
    generator = np.random.default_rng(1)
    verdicts = []
    for trial in range(120):
        leaning = generator.normal(0, 0.2, LEAST_FILES)
        items = []
        for number in range(3 * LEAST_FILES):
            wrong = generator.random() < 0.5
            change = leaning[number % LEAST_FILES] + generator.normal(0, 0.1)
            similarity = Pair(base=0.5, adapter=0.5 + change)
            match = Pair(base=float(wrong), adapter=float(wrong if generator.random() < 0.7 else not wrong))
            items.append(scored_item(number, LEAST_FILES, edit_similarity=similarity, exact_match=match))
        verdicts.append(decide({"fim": summarise(items, trial)})[0])
    assert verdicts.count("harmful") <= 6
    assert verdicts.count("no evidence") >= 105


def test_a_clear_loss_is_shown_at_the_least_number_of_files() -> None:
    losing = [
        scored_item(number, LEAST_FILES, edit_similarity=Pair(base=0.8, adapter=0.5 + 0.01 * (number % 5)))
        for number in range(24)
    ]
    assert decide({"fim": summarise(losing, 0), "signature": summarise(losing, 1)})[0] == "harmful"


def test_single_figures_that_look_worse_are_named_beside_a_good_verdict() -> None:
    worse = (0.09, (0.012, 0.171), 0.03)
    verdict, reason = decide({"fim": a_set(gold_loss=DOWN, bad_responses=worse), "signature": a_set()})
    assert verdict == "better"
    assert reason == (
        "A gain is shown: gold loss on fim changed by -0.050. Looks worse: bad responses on fim (+0.012 to +0.171). "
        "Among so many figures one alone decides nothing: look at the examples."
    )
    assert "Looks worse: gold loss on fim (+0.030 to +0.070)." in decide({"fim": a_set(gold_loss=UP)})[1]
    good = decide({"fim": a_set(gold_loss=DOWN, exact_match=UP, bad_responses=DOWN)})[1]
    assert good.startswith("A gain is shown and no loss: ")
    assert "worse" not in good


def test_of_many_figures_that_look_worse_the_first_are_named() -> None:
    sets = {"fim": a_set(gold_loss=DOWN), "signature": a_set(n=19, exact_match=DOWN, cosine_similarity=DOWN)}
    reason = decide(sets)[1]
    assert "exact match on signature (-0.070 to -0.030), cosine similarity on signature (" in reason
    assert "A gain is shown: " in reason
    assert " and 1 more." in decide({**sets, "lines": a_set(n=19, gold_loss=UP)})[1]
    alone = decide({"fim": a_set(gold_loss=DOWN), "one file shows no spread": a_set(files=1, exact_match=DOWN)})[1]
    assert "Looks worse" not in alone
