"""Held-out places: spread over files and kinds, bodies without their signatures, nothing that training has seen."""

from __future__ import annotations

from collections import Counter
from functools import partial
from itertools import islice, pairwise

import pytest

from duotune.config.evaluation import EvaluationConfig
from duotune.data.contamination import TrainingLines
from duotune.data.items import MOST_PER_FILE, Hole, TestFile, fim_holes, signature_holes
from duotune.data.spans import Span
from duotune.data.syntax import parse
from support.preparing import MODULES, STANDARD_LIBRARY

FUNCTIONS = {
    "Python": ('def f(a):\n    """Doc."""\n    # why\n    return a\n', "# why\n    return a"),
    "JavaScript": ("class A {\n  f(a) {\n    return a;\n  }\n}\nconst g = (x) => x;\n", "return a;"),
    "TypeScript": ("function f(a: number): number {\n  return a;\n}\n", "return a;"),
    "TSX": ("const F = (a: number) => {\n  return <b>{a}</b>;\n};\n", "return <b>{a}</b>;"),
    "Java": ("class A {\n  int f(int a) {\n    return a;\n  }\n}\n", "return a;"),
    "Go": ("package a\n\nfunc F(a int) int {\n\treturn a\n}\n", "return a"),
    "Rust": ("fn f(a: i32) -> i32 {\n    a + 1\n}\n", "a + 1"),
    "C": ("int f(int a)\n{\n    return a;\n}\n", "return a;"),
    "C++": ("int A::f(int a) const {\n    return a;\n}\n", "return a;"),
    "C#": ("class A {\n    int F(int a) {\n        return a;\n    }\n}\n", "return a;"),
    "Ruby": ("class A\n  def f(a)\n    a + 1\n  end\nend\n", "a + 1"),
    "PHP": ("<?php\nfunction f($a) {\n    return $a;\n}\n", "return $a;"),
}


def library_files(names: list[str]) -> list[TestFile]:
    texts = [(STANDARD_LIBRARY / f"{name}.py").read_text() for name in names]
    return [
        TestFile("p", f"{n}.py", "Python", "c", n, partial(str, text)) for n, text in zip(names, texts, strict=True)
    ]


@pytest.mark.parametrize("language", FUNCTIONS)
def test_a_body_is_what_is_between_signature_and_end(language: str) -> None:
    text, body = FUNCTIONS[language]
    tree = parse(text, language)
    assert tree is not None
    assert [text[span.start : span.end] for span in tree.function_bodies()] == [body]


def test_a_function_that_is_only_a_docstring_or_does_not_parse_has_no_body() -> None:
    tree = parse('def f():\n    """Doc."""\n\ndef g(:\n    return 1\n', "Python")
    assert tree is not None
    assert list(tree.function_bodies()) == []


def test_completions_are_spread_over_files_and_kinds() -> None:
    files = library_files(MODULES)
    holes = list(islice(fim_holes(files, EvaluationConfig(fim_items=30)), 30))
    assert max(Counter(hole.file.path for hole in holes).values()) == 1
    kinds = Counter(hole.kind for hole in holes)
    assert 12 <= kinds["rest-of-line"] <= 18
    assert min(kinds["lines"], kinds["node"]) >= 5
    before = [len(hole.file.text[: hole.span.start]) for hole in holes]
    assert sum(length >= 200 for length in before) >= 27
    assert all(sum(map(len, hole.gold.split())) >= (3 if hole.kind == "rest-of-line" else 8) for hole in holes)


def test_few_files_give_more_places_each_and_none_overlap() -> None:
    holes = list(fim_holes(library_files(["argparse"]), EvaluationConfig(fim_items=20)))
    assert 3 < len(holes) <= MOST_PER_FILE
    spans = sorted((hole.span.start, hole.span.end) for hole in holes)
    assert all(one[1] <= other[0] for one, other in pairwise(spans))


def test_places_are_the_same_whatever_the_order_of_files() -> None:
    files = library_files(MODULES[:8])
    evaluation = EvaluationConfig(fim_items=20)
    assert list(fim_holes(files, evaluation)) == list(fim_holes(files[::-1], evaluation))
    assert list(signature_holes(files, evaluation)) == list(signature_holes(files[::-1], evaluation))
    assert list(fim_holes(files, evaluation)) != list(fim_holes(files, EvaluationConfig(fim_items=20, seed=1)))


def hole_at(text: str, gold: str) -> Hole:
    place = text.index(gold)
    tree = parse(text, "Python")
    assert tree is not None
    span = tree.node_around(place, len(gold), len(gold))
    assert span is not None
    return Hole(TestFile("p", "a.py", "Python", "c", "x", lambda: text), "fim", "node", span)


def test_places_whose_lines_occur_in_training_are_not_clean() -> None:
    lines = [f"value_{number} = compute(value_{number - 1}, position={number})" for number in range(1, 30)]
    text = "\n".join(lines) + "\n"
    hole = hole_at(text, "compute(value_14, position=15)")
    passage = "\n\n".join(f"    {line}" for line in lines[10:16])
    elsewhere = "\n".join(lines[20:])
    only_target = f"if ready:\n    {lines[14]}\n"
    assert not TrainingLines([hole], ["x = 1\n", f"def f():\n{passage}\n"]).clean(hole)
    assert not TrainingLines([hole], [only_target]).clean(hole)
    assert TrainingLines([hole], [elsewhere, "x = 1\n"]).clean(hole)


def test_windows_touch_every_line_of_a_target_and_no_line_beyond_its_surroundings() -> None:
    lines = [f"x{number} = {number}" for number in range(40)]
    text = "\n".join(lines) + "\n"
    gold = "\n".join(lines[15:20])
    span = Span(text.index(gold), text.index(gold) + len(gold))
    hole = Hole(TestFile("p", "a.py", "Python", "c", "x", lambda: text), "fim", "lines", span)
    for begin in range(0, 34):
        touches = begin <= 19 and begin + 5 >= 15
        assert TrainingLines([hole], ["\n".join(lines[begin : begin + 6])]).clean(hole) is not touches


def test_a_short_line_alone_does_not_make_a_place_unclean() -> None:
    text = "".join(f"row_{number} = {number}\n" for number in range(30))
    hole = hole_at(text, "row_14 = 14")
    assert TrainingLines([hole], ["row_14 = 14\n"]).clean(hole)
