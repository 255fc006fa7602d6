"""In every parsed language: a function's signature and body, and the code that a comment speaks of."""

from __future__ import annotations

import pytest

from duotune.data.grammars import GRAMMARS
from duotune.data.syntax import parse
from support.parsed import SAMPLES, Sample


def test_every_grammar_has_a_sample() -> None:
    assert {sample.language for sample in SAMPLES} == set(GRAMMARS)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.language)
@pytest.mark.parametrize("beyond_ascii", [False, True])
def test_function_is_cut_into_signature_and_body(sample: Sample, beyond_ascii: bool) -> None:
    text = sample.source
    if beyond_ascii:
        line = {"Python": "# ", "Ruby": "# "}.get(sample.language, "// ")
        text = text.replace("<?php\n", f"<?php\n{line}é 日本\n") if "<?php" in text else f"{line}é 日本 😀\n\n{text}"
    tree = parse(text, sample.language)
    assert tree is not None
    function = next(tree.functions())
    body = text[function.body.start : function.body.end]
    assert text[function.head : function.body.start].startswith(sample.head)
    assert body.startswith(sample.body[0])
    assert body.endswith(sample.body[1])
    assert next(iter(tree.function_bodies())) == function.body


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.language)
def test_comment_is_followed_by_the_code_it_speaks_of(sample: Sample) -> None:
    text = sample.source
    tree = parse(text, sample.language)
    assert tree is not None
    found = {text[s.head : s.body.start].rstrip(): text[s.body.start : s.body.end] for s in tree.described()}
    code = next(code for comment, code in found.items() if comment.startswith(sample.comment))
    assert code.startswith(sample.code[0])
    assert code.endswith(sample.code[1])


def test_docstrings_of_python_speak_of_the_rest_of_their_definition() -> None:
    text = SAMPLES[0].source
    tree = parse(text, "Python")
    assert tree is not None
    found = {text[s.head : s.body.start].rstrip(): text[s.body.start : s.body.end] for s in tree.described()}
    assert found['"""Entries of one account, newest first."""'].startswith("@lru_cache")
    assert found['"""Sum of all entries in one currency."""'].startswith("entries = [e for")


@pytest.mark.parametrize(
    "comment",
    [
        "# type: ignore",
        "# pylint: disable=all of these",
        "# ---------------- helpers for this module ----------------",
        "# Copyright 2024 by the whole company",
        "# total = compute(all of it);",
        "# short label",
        "total = 1  # this comment stands after code",
    ],
)
def test_comments_that_describe_nothing_are_passed_over(comment: str) -> None:
    tree = parse(f"import os\n\n{comment}\ntotal = sum(values)\n", "Python")
    assert tree is not None
    assert list(tree.described()) == []


def test_described_statements_end_at_a_blank_line_a_comment_or_a_definition_s_end() -> None:
    text = (
        "# Opens the two files that are compared.\none = open(a)\nother = open(b)\n\nrest = 1\n"
        "# Compares them line by line.\nfor line in one:\n    check(line)\nafter = 2\n"
        "# A comment above a blank line is about the file.\n\nx = 1\n"
    )
    tree = parse(text, "Python")
    assert tree is not None
    codes = [text[section.body.start : section.body.end] for section in tree.described()]
    assert codes == ["one = open(a)\nother = open(b)", "for line in one:\n    check(line)"]


def test_broken_functions_are_passed_over() -> None:
    tree = parse("# A function that does not end here.\nfunction f( {\n  return 1;\n", "JavaScript")
    assert tree is not None
    assert list(tree.functions()) == []
    assert list(tree.described()) == []


def test_language_without_a_grammar_has_no_tree() -> None:
    assert parse("fun f() = 1\n", "Kotlin") is None


@pytest.mark.parametrize("line", ["(" * 900, "{[(" * 300, "f(() => {" * 100])
def test_file_that_is_nothing_but_open_brackets_is_given_up(line: str) -> None:
    """Walks over such a tree take time with the square of its length: hours for a file of one megabyte."""
    text = f"{line}\n" * 400
    for language in ("Python", "JavaScript"):
        tree = parse(text, language)
        assert tree is not None
        assert list(tree.described()) == []
        assert len(list(tree.functions())) <= text.count("=>")
        assert tree.node_around(len(text) // 2, 100, 400) is None
