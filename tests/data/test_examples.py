"""Training examples: answers are the targets, shares hold, control tokens come from the renderer alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pytest

from duotune.config.run import DataConfig, Recipes
from duotune.data.cuts import cut, visible
from duotune.data.dice import Dice
from duotune.data.examples import Document, ExampleMaker
from duotune.data.source_text import Text
from duotune.data.spans import Span
from duotune.data.syntax import parse
from duotune.data.windows import context, windows
from duotune.errors import ModelError
from duotune.models.prompts import Role
from duotune.models.tokenizer import CodeTokenizer
from support.preparing import MODULES, STANDARD_LIBRARY

LENGTH = 256
NONE = dict.fromkeys(("fim", "code", "signature", "metadata", "raw", "heading"), 0.0)
CODE = {"fim": 0.55, "code": 0.25, "signature": 0.15, "metadata": 0.05}


def texts(names: Sequence[str] = MODULES) -> list[Text]:
    sources = [(STANDARD_LIBRARY / f"{name}.py").read_text() for name in names]
    return [Text(index, source, "Python", str(index)) for index, source in enumerate(sources)]


def data(length: int = LENGTH, **shares: float) -> DataConfig:
    return DataConfig(sequence_length=length, recipes=Recipes.model_validate({**NONE, **shares}))


def spoken(tokenizer: CodeTokenizer, document: Document, *roles: Role) -> str:
    """The text of the tokens of some roles."""
    chosen = [token for token, role in zip(document.ids, document.roles, strict=True) if role in roles]
    return tokenizer.decode(chosen)


def test_answers_with_their_end_are_the_targets(tokenizer: CodeTokenizer) -> None:
    all_texts = texts()
    documents = ExampleMaker(tokenizer, data(fim=0.6, signature=0.3, metadata=0.1)).documents(all_texts)
    assert {document.recipe for document in documents} == {"fim", "signature", "metadata"}
    markers = [tokenizer.control_id(f"<|fim_{name}|>") for name in ("prefix", "suffix", "middle")]
    for document in documents:
        prompt_length = document.ids.index(markers[2] or 0) + 1
        prompt, target = document.ids[:prompt_length], document.ids[prompt_length:]
        assert [token for token in prompt if tokenizer.is_control(token)] == markers
        assert target[-1] == tokenizer.control_id("<|endoftext|>")
        assert set(document.roles[prompt_length:-1]) == {Role.TARGET}
        assert document.roles[-1] == Role.END
        assert {Role.TARGET, Role.END}.isdisjoint(document.roles[:prompt_length])
        split = prompt.index(markers[1] or 0)
        whole = tokenizer.decode(prompt[1:split]) + tokenizer.decode(target[:-1]) + tokenizer.decode(prompt[split:-1])
        assert whole in all_texts[document.file].text


def test_prompt_of_a_body_is_its_signature_and_of_a_middle_all_that_is_shown(tokenizer: CodeTokenizer) -> None:
    documents = ExampleMaker(tokenizer, data(512, fim=0.5, signature=0.5)).documents(texts())
    for document in documents:
        prompt = spoken(tokenizer, document, Role.PROMPT)
        if document.recipe == "signature":
            assert "def " in prompt
            assert len(prompt) < 700
            assert not spoken(tokenizer, document, Role.TARGET)[0].isspace()
        else:
            shown = [token for token in document.ids if not tokenizer.is_control(token)]
            answer = spoken(tokenizer, document, Role.TARGET)
            assert len(prompt) + len(answer) == len(tokenizer.decode(shown))


def test_files_to_be_joined_keep_their_text_and_have_no_control_tokens(tokenizer: CodeTokenizer) -> None:
    all_texts = texts()
    documents = ExampleMaker(tokenizer, data(code=1)).documents(all_texts)
    assert all(document.excerpt and set(document.roles) == {Role.TARGET} for document in documents)
    for text in all_texts:
        own = [document for document in documents if document.file == text.file]
        assert "".join(tokenizer.decode(document.ids) for document in own) == text.text
        assert [document.ends for document in own] == [False] * (len(own) - 1) + [True]
        assert not any(tokenizer.is_control(token) for document in own for token in document.ids)


def test_plain_documents_end_with_their_file_and_nowhere_else(tokenizer: CodeTokenizer) -> None:
    prose = "".join(f"Line {n} of a note about nothing in particular.\n" for n in range(200))
    documents = ExampleMaker(tokenizer, data(raw=1)).documents([Text(0, prose, "Markdown", "m")])
    assert "".join(tokenizer.decode(document.ids) for document in documents) == prose
    assert [document.roles.count(Role.END) for document in documents] == [0] * (len(documents) - 1) + [1]
    assert documents[-1].ids[-1] == tokenizer.control_id("<|endoftext|>")


def test_rows_are_never_exceeded_and_shares_of_the_text_hold(tokenizer: CodeTokenizer) -> None:
    documents = ExampleMaker(tokenizer, data(1024, **CODE)).documents(texts())
    tokens: Counter[str] = Counter()
    for document in documents:
        assert len(document.ids) == len(document.roles) <= 1024
        tokens[document.recipe] += len(document.ids)
    for recipe, share in CODE.items():
        assert tokens[recipe] / tokens.total() == pytest.approx(share, abs=0.06)
    assert {document.file for document in documents} == set(range(len(MODULES)))


def test_documents_and_code_have_recipes_of_their_own(tokenizer: CodeTokenizer) -> None:
    prose = "".join(f"# Part {n}\n\nA paragraph about part {n}, which says a few things.\n\n" for n in range(80))
    files = [Text(0, prose, "Markdown", "m"), Text(1, prose, "AsciiDoc", "a"), *texts(MODULES[:3])[2:]]
    documents = ExampleMaker(tokenizer, data(raw=0.5, heading=0.5, fim=1)).documents(files)
    recipes = {file: {d.recipe for d in documents if d.file == file} for file in (0, 1, 2)}
    assert recipes == {0: {"raw", "heading"}, 1: {"raw"}, 2: {"fim"}}
    sections = [d for d in documents if d.recipe == "heading"]
    assert all(spoken(tokenizer, d, Role.TARGET).startswith("A paragraph") for d in sections)
    assert all(spoken(tokenizer, d, Role.PROMPT).strip().startswith("# Part") for d in sections)
    assert ExampleMaker(tokenizer, data(fim=1)).documents(files[:2]) == []


def test_share_of_a_recipe_that_finds_nothing_goes_to_the_others(tokenizer: CodeTokenizer) -> None:
    flat = "".join(f"value_{n} = compute({n}, {n + 1})\n" for n in range(3000))
    maker = ExampleMaker(tokenizer, data(fim=0.3, code=0.3, signature=0.3, metadata=0.1))
    documents = maker.documents([Text(0, flat, "Python", "flat")])
    tokens: Counter[str] = Counter()
    for document in documents:
        tokens[document.recipe] += len(document.ids)
    assert set(tokens) == {"fim", "code"}
    assert tokens["fim"] / tokens.total() == pytest.approx(0.5, abs=0.08)
    assert tokens.total() == pytest.approx(len(tokenizer.encode(flat)), rel=0.08)


def test_file_in_which_nothing_can_be_asked_teaches_its_text_where_that_has_a_share(tokenizer: CodeTokenizer) -> None:
    flat = Text(0, "value = 1\n" * 10, "Kotlin", "flat")
    documents = ExampleMaker(tokenizer, data(signature=0.9, code=0.1)).documents([flat])
    assert [(document.recipe, tokenizer.decode(document.ids)) for document in documents] == [("code", flat.text)]
    assert ExampleMaker(tokenizer, data(signature=1)).documents([flat]) == []


def test_recipe_without_a_share_makes_nothing(tokenizer: CodeTokenizer) -> None:
    prose = "".join(f"# Part {n}\n\nA paragraph about part {n}, which says a few things.\n\n" for n in range(80))
    files = [Text(0, prose, "Markdown", "m"), Text(1, "Words without a heading.\n" * 9, "Markdown", "w"), *texts()[2:]]
    documents = ExampleMaker(tokenizer, data(heading=1, signature=1)).documents(files)
    assert {document.recipe for document in documents} == {"heading", "signature"}
    assert 1 not in {document.file for document in documents}


def test_control_tokens_spelled_in_a_file_stay_text(tokenizer: CodeTokenizer) -> None:
    hostile = "".join(f'x{n} = "<|fim_middle|><|endoftext|><|fim_prefix|><|file_sep|>"  # {n}\n' for n in range(40))
    documents = ExampleMaker(tokenizer, data(fim=0.5, code=0.5)).documents([Text(0, hostile, "Python", "seed")])
    assert {document.recipe for document in documents} == {"fim", "code"}
    for document in documents:
        controls = sum(tokenizer.is_control(token) for token in document.ids)
        assert controls == (4 if document.recipe == "fim" else 0)
        assert document.recipe == "fim" or "<|fim_middle|><|endoftext|>" in tokenizer.decode(document.ids)


def test_examples_depend_on_seed_and_content_alone(tokenizer: CodeTokenizer) -> None:
    maker, files = ExampleMaker(tokenizer, data(LENGTH, **CODE)), texts()[:4]
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
        ExampleMaker(tokenizer, data(fim=0.5, code=0.5))
    documents = ExampleMaker(tokenizer, data(code=0.3, signature=0.5, metadata=0.2)).documents(texts()[:8])
    assert {document.recipe for document in documents} == {"code", "signature", "metadata"}
    for document in documents:
        if document.recipe == "signature":
            shown = tokenizer.decode(document.ids)
            assert shown in texts()[document.file].text
            assert shown.endswith(spoken(tokenizer, document, Role.TARGET))


@pytest.mark.parametrize("length", [64, 100])
def test_shortest_rows_are_kept_to(tokenizer: CodeTokenizer, length: int) -> None:
    documents = ExampleMaker(tokenizer, data(length, **CODE)).documents(texts(MODULES[:6]))
    assert {document.recipe for document in documents} >= {"fim", "code"}
    assert max(len(document.ids) for document in documents) <= length


def test_cuts_begin_inside_lines_and_end_where_their_kind_says() -> None:
    text = (STANDARD_LIBRARY / "argparse.py").read_text()
    tree = parse(text, "Python")
    for kind in ("rest-of-line", "lines", "node", "span"):
        spans = [cut(kind, text, tree, Dice(kind, number)) for number in range(60)]
        middles = [text[span.start : span.end] for span in spans if span is not None]
        assert len(set(middles)) > 40
        assert all(4 <= len(middle) <= 400 and visible(middle) >= 3 for middle in middles)
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


def test_windows_are_cut_at_lines_and_lose_nothing() -> None:
    text = "short\n" * 50 + "x" * 500 + "\nend\n"
    cut_up = [text[window.start : window.end] for window in windows(text, Span(0, len(text)), 100)]
    assert "".join(cut_up) == text
    assert max(map(len, cut_up)) <= 100
    assert all(piece.endswith("\n") for piece in cut_up[:3])
