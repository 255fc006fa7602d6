"""Near-duplicates are found, and what is not one is left alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from duotune.data import leakage
from duotune.data.clusters import linked_pairs, near_duplicates
from duotune.data.content import content_hash
from duotune.data.leakage import crossing, leaking
from duotune.data.similarity import THRESHOLD, Shingles, jaccard, shingles, signature_matrix, signatures


def words(start: int, count: int) -> str:
    return " ".join(f"word{number}" for number in range(start, start + count))


def test_similarity_is_that_of_five_word_sequences() -> None:
    left, right = shingles(words(0, 104)), shingles(words(20, 104))
    assert len(left) == len(right) == 100
    assert jaccard(left, right) == pytest.approx(80 / 120)
    assert jaccard(left, shingles(words(1000, 104))) == 0


def test_layout_and_punctuation_do_not_hide_a_copy() -> None:
    code = "def add(first, second):\n    total = first + second\n    return total or other(first, second, third)\n"
    assert jaccard(shingles(code), shingles(code.replace("    ", "\t").replace("\n", "\r\n"))) == 1
    assert content_hash("a = 1  \nb = 2\n\n") == content_hash("a = 1\nb = 2")


def test_texts_too_short_for_a_signature_never_collide() -> None:
    short = ["one two three", "four five six"]
    signed = signatures([shingles(text) for text in short])
    assert signed == [b"", b""]
    assert list(linked_pairs(signed)) == []
    assert signature_matrix(signed)[1].shape == (0, 256)


def test_signatures_estimate_the_similarity() -> None:
    sets = [shingles(words(0, 1004)), shingles(words(100, 1004))]
    _, matrix = signature_matrix(signatures(sets))
    assert np.mean(matrix[0] == matrix[1]) == pytest.approx(jaccard(*sets), abs=0.1)


def test_a_chain_of_changes_keeps_its_ends() -> None:
    texts = [words(0, 1004), words(120, 1004), words(240, 1004), words(5000, 1004)]
    sets = [shingles(text) for text in texts]
    similarities = [jaccard(sets[0], sets[1]), jaccard(sets[1], sets[2]), jaccard(sets[0], sets[2])]
    assert similarities[0] > 0.7 < similarities[1]
    assert similarities[2] < 0.7
    assert near_duplicates(signatures(sets), sets.__getitem__, lambda later, earlier: True) == {1: 0}


def quiet(done: int, total: int) -> None:
    assert 0 < done <= total


def of_all(sets: Sequence[Shingles]) -> Callable[[Iterable[int]], Iterator[Shingles]]:
    return lambda positions: map(sets.__getitem__, positions)


def test_leaks_are_found_without_the_clusters_hashing() -> None:
    texts = [words(0, 504), words(5000, 504), words(9000, 504), "x = 1", words(60, 504), "x = 1"]
    sets = [shingles(text) for text in texts]
    contents = [content_hash(text) for text in texts]
    assert jaccard(sets[0], sets[4]) > 0.7
    assert leaking([0, 1, 2, 3], [4, 5], signatures(sets).__getitem__, contents, sets.__getitem__) == [0, 3]


@pytest.mark.parametrize("run", [1, 100, 10**6])
def test_files_that_cross_the_split_are_counted_from_their_texts_alone(
    run: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leakage, "_RUN_SHINGLES", run)
    texts = [words(0, 504), words(5000, 504), "x = 1", words(60, 504), words(9000, 504), words(9050, 504), "x = 1"]
    sets = [shingles(text) for text in texts]
    contents = [content_hash(text) for text in texts]
    train, validation, test = [0, 1, 2], [3, 4], [5, 6]

    def count(*splits: Sequence[int]) -> int:
        return crossing(splits, contents, of_all(sets), sets.__getitem__, quiet)

    assert count(train, validation, test) == 3  # 0 and 3, 4 and 5, 2 and 6
    assert count(test, validation, train) == 3
    assert count([0, 2], [1], [4]) == 0
    assert count([0, 2], [], [6]) == 1
    assert count([0], [], []) == 0


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(1, 30)), min_size=3, max_size=14),
    st.integers(1, 40),
    st.sampled_from([0, 20, 400]),
)
def test_no_crossing_pair_is_overlooked_whatever_the_sizes(
    ranges: list[tuple[int, int]], unit: int, whole: int
) -> None:
    """Beside the definition: all pairs, shingle by shingle."""
    sets = [shingles(words(start * unit, count * unit)) for start, count in ranges]
    contents = [str(position) for position in range(len(sets))]
    splits = [list(range(level, len(sets), 3)) for level in range(3)]
    expected = sum(
        any(jaccard(sets[position], sets[other]) >= THRESHOLD for split in splits[level + 1 :] for other in split)
        for level in range(2)
        for position in splits[level]
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(leakage, "_WHOLE", whole)
        patch.setattr(leakage, "_KNOWN", 2**10)
        assert crossing(splits, contents, of_all(sets), sets.__getitem__, quiet) == expected
