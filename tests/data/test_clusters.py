"""Near-duplicates are found, and what is not one is left alone."""

from __future__ import annotations

import numpy as np
import pytest

from duotune.data import leakage
from duotune.data.clusters import linked_pairs, near_duplicates
from duotune.data.content import content_hash
from duotune.data.leakage import crossing, leaking
from duotune.data.similarity import jaccard, shingles, signature_matrix, signatures


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


def test_leaks_are_found_without_the_clusters_hashing() -> None:
    texts = [words(0, 504), words(5000, 504), words(9000, 504), "x = 1", words(60, 504), "x = 1"]
    sets = [shingles(text) for text in texts]
    contents = [content_hash(text) for text in texts]
    assert jaccard(sets[0], sets[4]) > 0.7
    assert leaking([0, 1, 2, 3], [4, 5], signatures(sets), contents, sets.__getitem__) == [0, 3]


@pytest.mark.parametrize("run", [1, 100, 10**6])
def test_files_that_cross_the_split_are_counted_from_their_texts_alone(
    run: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leakage, "_RUN_SHINGLES", run)
    texts = [words(0, 504), words(5000, 504), "x = 1", words(60, 504), words(9000, 504), words(9050, 504), "x = 1"]
    sets = [shingles(text) for text in texts]
    contents = [content_hash(text) for text in texts]
    train, validation, test = [0, 1, 2], [3, 4], [5, 6]

    def quiet(done: int, total: int) -> None:
        assert 0 < done <= total

    assert crossing([train, validation, test], contents, sets.__getitem__, quiet) == 3  # 0 and 3, 4 and 5, 2 and 6
    assert crossing([test, validation, train], contents, sets.__getitem__, quiet) == 3
    assert crossing([[0, 2], [1], [4]], contents, sets.__getitem__, quiet) == 0
    assert crossing([[0, 2], [], [6]], contents, sets.__getitem__, quiet) == 1
    assert crossing([[0], [], []], contents, sets.__getitem__, quiet) == 0
