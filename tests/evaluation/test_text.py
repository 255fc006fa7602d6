"""Every text metric on answers whose value is known."""

import pytest

from duotune.evaluation.text import bad_reason, edit_similarity, exact_match, headline, normalised
from support.held_out import item


@pytest.mark.parametrize(
    ("answer", "same"),
    [
        ("    return 1", True),
        ("\n    return 1  \r\n\n", True),
        ("return 1", False),
        ("    return 1\n    return 2", False),
        ("", False),
    ],
)
def test_exact_match_forgives_blank_edges_and_trailing_spaces_and_nothing_else(answer: str, same: bool) -> None:
    assert exact_match(answer, "    return 1\n") == float(same)


def test_normalisation_composes_characters_and_keeps_inner_blank_lines() -> None:
    assert normalised("e\u0301 \r\n\n b\n") == "é\n\n b"


@pytest.mark.parametrize(
    ("answer", "gold", "similarity"),
    [("abcd", "abcd", 1.0), ("abcx", "abcd", 0.75), ("ab", "abcd", 0.5), ("", "abcd", 0.0), ("abcdabcd", "abcd", 0.5)],
)
def test_edit_similarity_of_known_distances(answer: str, gold: str, similarity: float) -> None:
    assert edit_similarity(answer, gold) == pytest.approx(similarity)


def test_only_the_first_line_counts_where_the_rest_of_a_line_was_asked_for() -> None:
    assert headline(item(kind="rest-of-line"), "x = 1\ny = 2") == "x = 1"
    assert headline(item(kind="rest-of-line"), "\nx = 1") == ""
    assert headline(item(kind="node"), "x = 1\ny = 2") == "x = 1\ny = 2"


GOOD = "    total = sum(values)\n    return total\n"
SUFFIX = "\n\ndef following_function(argument):\n    return argument * 2\n"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (GOOD, None),
        ("", "empty"),
        (" \n\t", "empty"),
        ("):\n", "empty"),
        ("    values.append(1)\n" * 4, "loop"),
        ("    values.append(1)\n" * 3, None),
        ("    }\n" * 6 + "    done = 1\n", None),
        ("ab" * 200, "loop"),
        ("```python\nx = 1\n```", "not code"),
        ("Sure, here is the code:\nx = 1", "not code"),
        ("Here's the function", "not code"),
        (f"    return 1\n{SUFFIX}", "suffix echo"),
        ("    return 1\ndef following_function(argument):\n    return 3\n", None),
    ],
)
def test_what_makes_a_response_bad(answer: str, reason: str | None) -> None:
    question = item(gold="    return values\n", suffix=SUFFIX)
    assert bad_reason(question, answer, stopped=True, has_control_token=False) == reason


def test_an_answer_that_does_not_stop_or_holds_a_control_token_is_bad() -> None:
    assert bad_reason(item(), GOOD, stopped=False, has_control_token=False) == "truncated"
    assert bad_reason(item(), GOOD, stopped=True, has_control_token=True) == "not code"


def test_what_the_author_did_too_is_not_bad() -> None:
    rows = "    (0, 0, 0, 0),\n" * 30
    assert bad_reason(item(gold=rows), rows, stopped=True, has_control_token=False) is None
    assert bad_reason(item(gold="):"), "):", stopped=True, has_control_token=False) is None
    assert bad_reason(item(gold="```\n"), "```\nx", stopped=True, has_control_token=False) is None


def test_closing_brackets_after_the_hole_are_no_echo() -> None:
    question = item(suffix="\n    }\n}\n", gold="return 1;")
    assert bad_reason(question, "    if (x) {\n    }\n}\n", stopped=True, has_control_token=False) is None
