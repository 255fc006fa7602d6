"""Figures by language and project."""

from __future__ import annotations

import pytest

from duotune.evaluation.results import Pair
from duotune.evaluation.score import summarise, summarise_groups
from support.scored import scored_item

ITEMS = [
    scored_item(number, edit_similarity=Pair(base=0.1, adapter=0.1 + 0.1 * number)).model_copy(
        update={"language": "Go" if number == 5 else "Python", "project": f"p{number % 2}"}
    )
    for number in range(6)
]


def test_every_item_is_in_one_group_and_the_largest_comes_first() -> None:
    groups = summarise_groups(ITEMS, seed=0)
    assert [(name, found.n) for name, found in groups.languages.items()] == [("Python", 5), ("Go", 1)]
    assert [(name, found.n) for name, found in groups.projects.items()] == [("p0", 3), ("p1", 3)]
    assert groups.languages["Python"].metrics["edit_similarity"].difference == pytest.approx(0.2)


def test_a_group_is_summarised_as_a_set_is() -> None:
    python = [item for item in ITEMS if item.language == "Python"]
    assert summarise_groups(ITEMS, seed=7).languages["Python"] == summarise(python, seed=7)
