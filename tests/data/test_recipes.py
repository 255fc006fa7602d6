"""Properties of example making: what is a target, what never is, and that nothing of a file is changed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from duotune.config.run import DataConfig, PromptLossWeight, Recipes
from duotune.data.cuts import cut
from duotune.data.dice import Dice
from duotune.data.documents import PackedDocument
from duotune.data.examples import Document, ExampleMaker
from duotune.data.placeholders import PLACEHOLDER, placeholder
from duotune.data.recipes import NAMES, RECIPES, Recipe, applies, divided
from duotune.data.source_text import Text
from duotune.data.spans import Span
from duotune.data.syntax import parse
from duotune.data.weights import MIN_SCALE, balanced, loss_weights
from duotune.models.prompts import Role
from duotune.models.tokenizer import CodeTokenizer

SECRET = placeholder("password")
LINES = [
    "# Connects to the database of the shop.\n",
    "def connect(host, port):\n",
    '    """Open a connection and check it."""\n',
    f"    password = '{SECRET}'\n",
    "    client = Client(host, port, timeout=30)\n",
    "    return client.login('admin')\n",
    "\n",
    "    # Every write goes to the journal first.\n",
    "    journal.write(entry)\n",
    "class Shop:\n",
    f"    token: str = {placeholder('api-key')}  # é 日本\n",
    "# <|fim_middle|> <|endoftext|>\n",
    "## Heading of a part\n",
    "A paragraph with some words in it.\n",
]
sources = st.lists(st.sampled_from(LINES), min_size=1, max_size=60).map("".join)
LANGUAGES = ("Python", "JavaScript", "Kotlin", "Markdown", "reStructuredText")


def maker(tokenizer: CodeTokenizer, length: int) -> ExampleMaker:
    recipes = Recipes(fim=0.4, code=0.2, signature=0.2, metadata=0.2, raw=0.5, heading=0.5)
    return ExampleMaker(tokenizer, DataConfig(sequence_length=length, recipes=recipes))


def of_roles(document: Document, *roles: Role) -> list[int]:
    return [token for token, role in zip(document.ids, document.roles, strict=True) if role in roles]


@settings(deadline=None, max_examples=150)
@given(source=sources, language=st.sampled_from(LANGUAGES), length=st.sampled_from([64, 128, 512]))
def test_documents_show_parts_of_their_file_and_learn_no_control_token_and_no_placeholder(
    tokenizer: CodeTokenizer, source: str, language: str, length: int
) -> None:
    documents = maker(tokenizer, length).documents([Text(7, source, language, source)])
    assert documents
    end = tokenizer.control_id("<|endoftext|>")
    for document in documents:
        assert document.file == 7
        assert len(document.ids) == len(document.roles) <= length
        assert applies(document.recipe, language)
        learned = of_roles(document, Role.PROMPT, Role.TARGET)
        assert not any(map(tokenizer.is_control, learned))
        assert set(of_roles(document, Role.END)) <= {end}
        assert "REDACTED" not in tokenizer.decode(of_roles(document, Role.TARGET))
        assert not PLACEHOLDER.search(tokenizer.decode(learned))
        if RECIPES[document.recipe].holes is None:
            assert tokenizer.decode(document.ids) in source
            continue
        markers = [tokenizer.control_id(f"<|fim_{name}|>") for name in ("prefix", "suffix", "middle")]
        places = [document.ids.index(marker or 0) for marker in markers]
        above, below = document.ids[1 : places[1]], document.ids[places[1] + 1 : places[2]]
        answer = document.ids[places[2] + 1 : -1]
        assert tokenizer.decode(above) + tokenizer.decode(answer) + tokenizer.decode(below) in source
        assert answer == of_roles(document, Role.TARGET)
        assert document.ids[-1] == end


@settings(deadline=None, max_examples=100)
@given(source=sources, number=st.integers(0, 1000), kind=st.sampled_from(["node", "rest-of-line", "lines", "span"]))
def test_no_middle_touches_a_placeholder(source: str, number: int, kind: str) -> None:
    tree = parse(source, "Python")
    span = cut(kind, source, tree, Dice(number))  # type: ignore[arg-type]
    if span is not None:
        assert not any(m.start() < span.end and span.start < m.end() for m in PLACEHOLDER.finditer(source))


@pytest.mark.parametrize("inside", [0, 3, 12])
def test_placeholder_that_a_window_cuts_is_still_no_target(inside: int) -> None:
    text = Text(0, f"a = '{SECRET}' + b\n", "Python", "c")
    start = 5 + inside
    assert text.passage(start, len(text)) == ("", SECRET[inside:], "' + b\n")
    assert text.passage(0, start) == (("a = '", SECRET[:inside], "") if inside else ("a = '",))
    assert not text.may_be_answer(Span(start, start + 1))
    assert text.may_be_answer(Span(0, 5))


documents_of_a_recipe = st.lists(
    st.tuples(st.sampled_from(NAMES), st.lists(st.integers(0, 3), min_size=2, max_size=40)), min_size=1, max_size=12
)


@settings(max_examples=100)
@given(documents=documents_of_a_recipe, prompts=st.floats(0, 1))
def test_weights_are_finite_and_a_recipe_weighs_what_its_text_weighs(
    documents: list[tuple[Recipe, list[int]]], prompts: float
) -> None:
    tokens: dict[Recipe, np.ndarray] = {}
    for recipe, roles in documents:
        tokens[recipe] = tokens.get(recipe, np.zeros(4, np.int64)) + np.bincount(roles, minlength=4)
    asked = PromptLossWeight(fim=prompts, signature=prompts, metadata=prompts, heading=prompts)
    weights = balanced(loss_weights(DataConfig(prompt_loss_weight=asked)), tokens)
    table = weights.table()
    assert np.isfinite(table).all()
    assert (table >= 0).all()
    assert (table[:, Role.CONTEXT] == 0).all()
    loss = {
        name: float(weights.of(name) @ counts) * weights.scales[name]
        for name, counts in tokens.items()
        if name in weights.scales
    }
    rates = {name: loss[name] / tokens[name].sum() for name in loss if weights.scales[name] > MIN_SCALE}
    assert max(rates.values(), default=0) == pytest.approx(min(rates.values(), default=0))
    assert max(weights.scales.values(), default=1) == pytest.approx(1)


def test_prompts_weigh_what_the_configuration_says_relative_to_answers() -> None:
    weights = loss_weights(DataConfig(prompt_loss_weight=PromptLossWeight(signature=0.25))).model_copy(
        update={"scales": {"signature": 0.5}}
    )
    row = dict(zip(NAMES, weights.table().tolist(), strict=True))["signature"]
    assert row == [0, 0.125, 0.5, 0.5 * DataConfig().answer_end_weight]
    plain = dict(zip(NAMES, loss_weights(DataConfig()).table().tolist(), strict=True))
    assert plain["code"] == plain["raw"] == [0, 0, 1, 1]
    assert plain["fim"][Role.PROMPT] == plain["metadata"][Role.PROMPT] == 0


def test_first_token_of_a_document_is_never_counted_as_a_target() -> None:
    from duotune.data.chains import Piece

    ids = np.arange(3, dtype=np.int32)
    document = PackedDocument("code", [Piece(ids, np.full(3, Role.TARGET, np.uint8))])
    assert document.roles().tolist() == [1, 0, 2, 0]


def test_every_recipe_has_its_share_and_every_question_its_prompt_weight() -> None:
    assert set(NAMES) == set(RECIPES) == set(Recipes.model_fields)
    assert {name for name in NAMES if RECIPES[name].holes} == set(PromptLossWeight.model_fields)


def test_what_relative_shares_come_to_is_said_of_code_and_of_documents() -> None:
    usual = Recipes().model_dump()
    whole = ["of code fim 55 %, code 25 %, signature 15 %, metadata 5 %", "of documents raw 70 %, heading 30 %"]
    assert divided(usual) == whole
    assert divided({name: share / 2 for name, share in usual.items()}) == whole
    assert divided(usual, ["Python"]) == whole[:1]
    none: dict[str, float] = dict.fromkeys(NAMES, 0.0)
    assert divided({**none, "fim": 1, "code": 0.001}) == ["of code fim 100 %, code <1 %", "of documents nothing"]
