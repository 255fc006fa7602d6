"""What must hold of every split, whatever the files: no cluster in two, nothing back from test, shares as asked for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from duotune.data.similarity import THRESHOLD, jaccard, shingles
from duotune.data.split import Candidate, Division, assign
from duotune.data.split_by_time import assign_by_time
from support.splitting import candidate, splits, words

LEVEL = {"train": 0, "validation": 1, "test": 2}
DAY = "2025-01-31"

# A file: its family (members are near-duplicates of each other), its place in it, its project, and whether it is late.
files = st.tuples(st.integers(0, 40), st.integers(0, 3), st.sampled_from("abc"), st.booleans())
pools = st.lists(files, min_size=12, max_size=60, unique_by=lambda file: file[:2])
fractions = st.sampled_from([(0.05, 0.05), (0.1, 0.2), (0.3, 0.3)])


def text_of(file: tuple[int, int, str, bool]) -> str:
    """Members of a family share 90 % of their shingles or more, of which hashing overlooks one pair in 10 million."""
    return words(file[0] * 10_000 + file[1] * 5)


def candidates_of(pool: Sequence[tuple[int, int, str, bool]]) -> list[Candidate]:
    return [candidate(text_of(file), project=file[2], late=file[3]) for file in pool]


def check_clusters(pool: Sequence[tuple[int, int, str, bool]], division: Division) -> None:
    """Families are whole, and no two near-duplicates are apart, measured on their texts."""
    found: defaultdict[int, set[str]] = defaultdict(set)
    by_cluster: defaultdict[str, set[str]] = defaultdict(set)
    for file, given_to in zip(pool, division.assignments, strict=True):
        found[file[0]].add(given_to.split)
        by_cluster[given_to.cluster].add(given_to.split)
    assert all(len(held) == 1 for held in found.values())
    assert all(len(held) == 1 for held in by_cluster.values())
    sets = [shingles(text_of(file)) for file in pool[:20]]
    for one, own in enumerate(sets):
        for other in range(one):
            if jaccard(own, sets[other]) >= THRESHOLD:
                assert division.assignments[one] == division.assignments[other]


@given(pool=pools, shares=fractions, seed=st.integers(0, 9))
@settings(max_examples=40, deadline=None)
def test_no_cluster_is_in_two_splits(
    pool: list[tuple[int, int, str, bool]], shares: tuple[float, float], seed: int
) -> None:
    if len({file[0] for file in pool}) < 3:
        return
    division = assign(candidates_of(pool), [], *shares, seed)
    check_clusters(pool, division)
    turned = assign(candidates_of(pool)[::-1], [], *shares, seed)
    assert {one.split for one in turned.assignments} == {one.split for one in division.assignments}


@given(pool=pools, grown=pools, shares=fractions, seeds=st.tuples(st.integers(0, 9), st.integers(0, 9)))
@settings(max_examples=40, deadline=None)
def test_nothing_comes_back_from_test_when_projects_grow(
    pool: list[tuple[int, int, str, bool]],
    grown: list[tuple[int, int, str, bool]],
    shares: tuple[float, float],
    seeds: tuple[int, int],
) -> None:
    if len({file[0] for file in pool}) < 3:
        return
    first = assign(candidates_of(pool), [], *shares, seeds[0])
    new = [file for file in grown if file[:2] not in {known[:2] for known in pool}]
    both = [*pool, *new]
    second = assign(candidates_of(both), first.records, *shares, seeds[1])
    check_clusters(both, second)
    for before, after in zip(first.assignments, second.assignments, strict=False):
        assert LEVEL[after.split] >= LEVEL[before.split]
        assert after.cluster == before.cluster


@given(pool=pools, seed=st.integers(0, 9))
@settings(max_examples=40, deadline=None)
def test_by_time_nothing_late_that_repeats_something_old_is_held_out(
    pool: list[tuple[int, int, str, bool]], seed: int
) -> None:
    late = {file[0] for file in pool} - {file[0] for file in pool if not file[3]}
    if len(late) < 2 or len({file[0] for file in pool}) < len(late) + 1:
        return
    division = assign_by_time(candidates_of(pool), [], 0.1, 0.2, seed, DAY)
    check_clusters(pool, division)
    held_out = {file[0] for file, g in zip(pool, division.assignments, strict=True) if g.split != "train"}
    assert held_out == late


@given(
    count=st.integers(100, 200),
    shares=st.tuples(st.sampled_from([0.05, 0.1, 0.2]), st.sampled_from([0.05, 0.1, 0.3])),
    seed=st.integers(0, 20),
)
@settings(max_examples=15, deadline=None)
def test_shares_are_near_what_was_asked_for(count: int, shares: tuple[float, float], seed: int) -> None:
    pool = [(family, member, "abc"[family % 3], False) for family in range(count) for member in range(1 + family % 2)]
    division = assign(candidates_of(pool), [], *shares, seed)
    for split, share in zip(("validation", "test"), shares, strict=True):
        assert abs(splits(division)[split] - share * len(pool)) <= 4
