"""The items of an evaluation: read back whole, chosen, ranked."""

from __future__ import annotations

from pathlib import Path

import pytest

from duotune.errors import HostError
from duotune.evaluation.examples import GROUPS, bad_reason, chosen, gain, read_groups, read_results
from duotune.evaluation.results import ItemResult, Pair
from duotune.evaluation.score import summarise_groups
from support.scored import scored_item


def item(number: int, similarity: float, adapters: float | None, **changes: object) -> ItemResult:
    made = scored_item(number, edit_similarity=Pair(base=similarity, adapter=adapters))
    return made.model_copy(update=changes)


WON = item(1, 0.2, 0.9)
LOST = item(2, 0.8, 0.1)
SAME = item(3, 0.5, 0.5, bad_reasons=(None, "loop"))
LITTLE = item(4, 0.5, 0.6, bad_reasons=("empty", None))


def test_the_best_come_first_or_the_worst() -> None:
    items = [SAME, LOST, WON, LITTLE]
    assert chosen(items, "all") == [WON, LITTLE, SAME, LOST]
    assert chosen(items, "all", worst_first=True) == [LOST, SAME, LITTLE, WON]


def test_won_lost_and_bad_are_told_by_the_adapters_answers() -> None:
    items = [SAME, LOST, WON, LITTLE]
    assert chosen(items, "won") == [WON, LITTLE]
    assert chosen(items, "lost") == [LOST]
    assert chosen(items, "bad") == [SAME], "the base model's empty answer is not the adapter's"


def test_without_an_adapter_the_base_model_is_judged_and_gains_nothing() -> None:
    alone = item(5, 0.4, None, adapter=None, bad_reasons=("truncated", None))
    assert gain(alone) == 0.0
    assert bad_reason(alone) == "truncated"


def test_groups_are_read_back_and_there_are_none_where_they_are_damaged(tmp_path: Path) -> None:
    file = tmp_path / GROUPS
    assert read_groups(file) is None
    groups = summarise_groups([WON, LOST.model_copy(update={"language": "Go"}), LITTLE], seed=0)
    file.write_text(groups.model_dump_json())
    assert read_groups(file) == groups
    file.write_text("{")
    assert read_groups(file) is None


def test_items_are_read_back_and_damaged_lines_counted(tmp_path: Path) -> None:
    file = tmp_path / "items.jsonl"
    file.write_text(f'{WON.model_dump_json()}\n{{"id": "torn"\n{LOST.model_dump_json()}\n')
    breaths: list[None] = []
    assert read_results(file, lambda: breaths.append(None)) == ([WON, LOST], 1)
    assert len(breaths) == 3


def test_items_that_are_not_there_are_an_error_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(HostError, match=r"items\.jsonl cannot be read"):
        read_results(tmp_path / "items.jsonl")
