"""The split holds clusters together, keeps what was recorded, and gives every project its share."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from duotune.catalog.splits import RecordedSplit
from duotune.data.split import Assignment, assign
from duotune.errors import UsageError
from support.splitting import candidate, distinct, splits, words


def test_fractions_hold_over_all_and_per_project_and_language() -> None:
    files = [*distinct(200, "a"), *distinct(100, "b"), *distinct(100, "b", "C")]
    given = assign(files, [], validation_fraction=0.1, test_fraction=0.05, seed=0)
    assert splits(given) == {"train": 340, "validation": 40, "test": 20}
    of_c = Counter(g.split for g, file in zip(given.assignments, files, strict=True) if file.language == "C")
    assert of_c["test"] in (4, 5, 6)
    assert of_c["validation"] in (9, 10, 11)


@given(count=st.integers(3, 60), seed=st.integers(0, 5))
@settings(max_examples=30, deadline=None)
def test_small_projects_hold_some_files_out_and_train_on_most(count: int, seed: int) -> None:
    counts = splits(assign(distinct(count), [], validation_fraction=0.05, test_fraction=0.05, seed=seed))
    least = 2 if count >= 10 else 1
    assert counts["test"] >= least <= counts["validation"]
    assert counts["train"] >= 1


def test_fewer_than_three_distinct_files_are_refused() -> None:
    with pytest.raises(UsageError, match="Only 2 files of distinct content"):
        assign([*distinct(2), candidate("a Python 0", "b", kept=False)], [], 0.1, 0.1, 0)


def test_near_duplicates_share_cluster_and_split_whatever_the_order() -> None:
    near = [candidate(words(0)), candidate(words(10)), candidate(words(20))]
    others = distinct(30)
    given = assign([*near, *others], [], 0.3, 0.3, 0).assignments
    assert len(set(given[:3])) == 1
    turned = assign([*reversed(others), *reversed(near)], [], 0.3, 0.3, 0).assignments
    assert turned[-1] == given[0]
    assert turned[29::-1] == given[3:]


def test_a_recorded_split_holds_for_the_same_content_and_for_near_copies() -> None:
    files = [candidate(words(number * 1000)) for number in range(40)]
    first = assign(files, [], 0.1, 0.1, 0)
    assert assign(files, first.records, 0.1, 0.1, 0) == first
    changed = [candidate(words(number * 1000 + 5)) for number in range(40)]
    new = [candidate(words(90_000 + number * 1000)) for number in range(40)]
    assert assign([*changed, *new], first.records, 0.1, 0.1, seed=7).assignments[:40] == first.assignments


def test_a_larger_fraction_takes_from_what_was_trained_on_but_gives_nothing_back() -> None:
    files = distinct(100)
    first = assign(files, [], 0.05, 0.05, 0)
    larger = assign(files, first.records, 0.05, 0.2, 0)
    assert splits(larger)["test"] >= 16
    assert {c.content for c, g in zip(files, first.assignments, strict=True) if g.split == "test"} <= {
        c.content for c, g in zip(files, larger.assignments, strict=True) if g.split == "test"
    }
    assert assign(files, larger.records, 0.05, 0.05, 0).assignments == larger.assignments


def test_content_recorded_apart_goes_to_test_when_it_turns_out_to_be_near() -> None:
    old = [candidate(words(0)), candidate(words(120))]
    recorded = [
        RecordedSplit(old[0].content, "first", "train", old[0].signature),
        RecordedSplit(old[1].content, "second", "test", old[1].signature),
    ]
    between = candidate(words(60))
    given = assign([between, *distinct(10)], recorded, 0.1, 0.1, 0)
    assert given.assignments[0] == Assignment("second", "test")
    alone = assign([old[0], *distinct(10)], given.records, 0.1, 0.1, 0)
    assert alone.assignments[0] == Assignment("second", "test")
