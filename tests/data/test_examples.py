"""Training examples: targets are the middles, shares hold, control tokens come from the renderer alone."""

from __future__ import annotations

from collections import Counter

import pytest

from duotune.config.run import DataConfig, Recipes
from duotune.data.cuts import cut, visible
from duotune.data.dice import Dice
from duotune.data.examples import ExampleMaker, Text
from duotune.data.syntax import Span, parse
from duotune.data.windows import context, pieces
from duotune.errors import ModelError
from duotune.models.tokenizer import CodeTokenizer
from support.preparing import MODULES, STANDARD_LIBRARY

LENGTH = 256


def texts() -> list[Text]:
    sources = [(STANDARD_LIBRARY / f"{name}.py").read_text() for name in MODULES]
    return [Text(index, source, "Python", str(index)) for index, source in enumerate(sources)]


def data(fim: float, code: float) -> DataConfig:
    return DataConfig(sequence_length=LENGTH, recipes=Recipes(fim=fim, code=code))


def test_middles_with_their_end_are_the_targets(tokenizer: CodeTokenizer) -> None:
    all_texts = texts()
    documents = ExampleMaker(tokenizer, data(1, 0)).documents(all_texts)
    markers = [tokenizer.control_id(f"<|fim_{name}|>") for name in ("prefix", "suffix", "middle")]
    end = tokenizer.control_id("<|endoftext|>")
    for document in documents:
        prompt, target = document.ids[: document.prompt_length], document.ids[document.prompt_length :]
        assert [i for i in prompt if tokenizer.is_control(i)] == markers
        assert prompt[-1] == markers[2]
        assert target[-1] == end
        split = prompt.index(markers[1] or 0)
        whole = tokenizer.decode(prompt[1:split]) + tokenizer.decode(target[:-1]) + tokenizer.decode(prompt[split:-1])
        assert whole in all_texts[document.file].text


def test_plain_code_is_the_whole_file_in_order_and_only_its_last_piece_ends(tokenizer: CodeTokenizer) -> None:
    all_texts = texts()
    documents = ExampleMaker(tokenizer, data(0, 1)).documents(all_texts)
    for text in all_texts:
        own = [document for document in documents if document.file == text.file]
        assert "".join(tokenizer.decode(document.ids) for document in own) == text.text
        assert [document.ends for document in own] == [False] * (len(own) - 1) + [True]


def test_rows_are_never_exceeded_and_shares_of_the_text_hold(tokenizer: CodeTokenizer) -> None:
    documents = ExampleMaker(tokenizer, data(0.7, 0.3)).documents(texts())
    tokens: Counter[str] = Counter()
    for document in documents:
        assert len(document.ids) <= LENGTH
        tokens[document.recipe] += len(document.ids)
    assert tokens["fim"] / tokens.total() == pytest.approx(0.7, abs=0.06)
    assert {document.file for document in documents} == set(range(len(MODULES)))


def test_control_tokens_spelled_in_a_file_stay_text(tokenizer: CodeTokenizer) -> None:
    hostile = "".join(f'x{n} = "<|fim_middle|><|endoftext|><|fim_prefix|><|file_sep|>"  # {n}\n' for n in range(40))
    documents = ExampleMaker(tokenizer, data(0.5, 0.5)).documents([Text(0, hostile, "Python", "seed")])
    assert {document.recipe for document in documents} == {"fim", "code"}
    for document in documents:
        controls = sum(tokenizer.is_control(token) for token in document.ids)
        assert controls == (4 if document.recipe == "fim" else 1)
        assert document.recipe == "fim" or "<|fim_middle|><|endoftext|>" in tokenizer.decode(document.ids)


def test_examples_depend_on_seed_and_content_alone(tokenizer: CodeTokenizer) -> None:
    maker, files = ExampleMaker(tokenizer, data(0.7, 0.3)), texts()[:4]
    together = maker.documents(files)
    apart = [document for text in reversed(files) for document in maker.documents([text])]
    assert sorted(apart, key=lambda document: document.file) == together
    other = DataConfig(sequence_length=LENGTH, seed=1)
    assert ExampleMaker(tokenizer, other).documents(files) != together


def test_a_model_without_the_tokens_is_refused_the_recipe_and_nothing_else(
    tokenizer: CodeTokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("duotune.models.prompts.detect_fim", lambda tokenizer: None)
    with pytest.raises(ModelError, match="cannot fill in the middle"):
        ExampleMaker(tokenizer, data(0.5, 0.5))
    assert ExampleMaker(tokenizer, data(0, 1)).documents(texts()[:1])


def test_cuts_begin_inside_lines_and_end_where_their_kind_says() -> None:
    text = (STANDARD_LIBRARY / "argparse.py").read_text()
    tree = parse(text, "Python")
    for kind in ("rest-of-line", "lines", "node", "span"):
        spans = [cut(kind, text, tree, Dice(kind, number)) for number in range(60)]
        middles = [text[span.start : span.end] for span in spans if span is not None]
        assert len(set(middles)) > 40
        assert all(4 <= len(middle) <= 600 and visible(middle) >= 3 for middle in middles)
        if kind == "rest-of-line":
            assert all(span is None or text[span.end] == "\n" for span in spans)
            begins_line = [span is not None and text[: span.start].endswith((" ", "\n")) for span in spans]
            assert sum(begins_line) < 40
        if kind == "lines":
            assert all(2 <= middle.count("\n") + 1 <= 16 and not middle[0].isspace() for middle in middles)


@pytest.mark.parametrize("source", ["x = 'é'\ny = ['日本', x]\nprint(x, y, sep=', ')\n" * 10, "x = 1\n" * 40])
def test_nodes_of_text_beyond_ascii_are_counted_in_characters(source: str) -> None:
    tree = parse(source, "Python")
    assert tree is not None
    place = source.rindex("x")
    span = tree.node_around(place, 3, 60)
    assert span is not None
    assert source[span.start : span.end] in ("(x, y, sep=', ')", "x = 1")


def test_context_ends_at_lines_and_gives_unused_room_to_the_other_side() -> None:
    text = "".join(f"line number {n}\n" for n in range(100, 200))
    place = text.index("150")
    before, after = context(text, Span(place, place + 3), 200, 0.75)
    assert before.startswith("line number")
    assert before.endswith("line number ")
    assert after.endswith("\n")
    assert 130 <= len(before) <= 150
    first, rest = context(text, Span(0, 4), 200, 0.75)
    assert first == ""
    assert 180 <= len(rest) <= 200


def test_pieces_are_cut_at_lines_and_lose_nothing() -> None:
    text = "short\n" * 50 + "x" * 500 + "\nend\n"
    cut_up = pieces(text, 100)
    assert "".join(cut_up) == text
    assert max(map(len, cut_up)) <= 100
    assert all(piece.endswith("\n") for piece in cut_up[:3])
