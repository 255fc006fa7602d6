"""The prompt contract on the micro model's tokenizer (Qwen2.5-Coder's control tokens)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tokenizers import Tokenizer

from duotune.errors import ModelError
from duotune.models.prompts import Gap, PromptRenderer, Role
from duotune.models.tokenizer import load_tokenizer

PREFIX, SUFFIX, MIDDLE = "def area(r):\n    return ", "\n\nprint(area(2))\n", "3.14 * r ** 2"


@pytest.fixture(scope="module")
def renderer(micro_model: Path) -> PromptRenderer:
    return PromptRenderer(load_tokenizer(micro_model))


def test_fim_ids_are_those_of_the_text_that_gitlab_renders(renderer: PromptRenderer, micro_model: Path) -> None:
    served = Tokenizer.from_file(str(micro_model / "tokenizer.json"))
    rendered = f"<|fim_prefix|>{PREFIX}<|fim_suffix|>{SUFFIX}<|fim_middle|>"
    assert renderer.fim(PREFIX, SUFFIX) == served.encode(rendered).ids


def test_example_is_the_prompt_then_the_middle_then_the_end(renderer: PromptRenderer) -> None:
    example = renderer.fim_example(PREFIX, SUFFIX, MIDDLE)
    assert example.ids[: example.prompt_length] == renderer.fim(PREFIX, SUFFIX)
    assert renderer.tokenizer.decode(example.ids[example.prompt_length :]) == MIDDLE
    assert example.ids[-1] == renderer.tokenizer.control_id("<|endoftext|>")


def test_many_examples_at_once_are_the_single_ones_in_order(renderer: PromptRenderer) -> None:
    triples = [(PREFIX, SUFFIX, MIDDLE), ("", "", ""), ("a = ", "\n", "1")]
    gaps = [Gap((prefix,), (suffix,), middle) for prefix, suffix, middle in triples]
    assert renderer.answers(gaps) == [renderer.fim_example(*triple) for triple in triples]


def test_only_the_question_proper_is_the_prompt_where_it_is_named(renderer: PromptRenderer) -> None:
    head = "def area(r):\n    "
    gap = Gap(("import math\n\n\n", "REDACTED_KEY", f"\n{head}"), ("\nx = 1\n",), "return r", asked=head)
    example = renderer.answers([gap])[0]
    tokens = list(zip(example.ids, example.roles, strict=True))
    assert renderer.tokenizer.decode([token for token, role in tokens if role == Role.PROMPT]).strip() == head.strip()
    assert renderer.tokenizer.decode([token for token, role in tokens if role == Role.TARGET]) == "return r"
    whole = Gap(gap.prefix, gap.suffix, gap.answer)
    shown = renderer.answers([whole])[0]
    assert shown.ids == example.ids
    assert (
        renderer.tokenizer.decode(
            [token for token, role in zip(shown.ids, shown.roles, strict=True) if role == Role.PROMPT]
        )
        == "import math\n\n\n\ndef area(r):\n    \nx = 1\n"
    )


def test_plain_documents_that_do_not_end_have_no_end_token(renderer: PromptRenderer) -> None:
    whole, piece = renderer.codes([("x = 1\n",), ("x = 1\n",)], [True, False])
    assert piece.ids == renderer.tokenizer.encode("x = 1\n") == whole.ids[:-1]
    assert list(whole.roles) == [Role.TARGET] * len(piece.ids) + [Role.END]
    assert renderer.excerpts([("x = 1\n",)])[0].ids == piece.ids


def test_signature_prompt_is_the_fim_prompt(renderer: PromptRenderer) -> None:
    assert renderer.signature("def f():\n", "\n") == renderer.fim("def f():\n", "\n")


def test_plain_document_ends_with_the_end_of_text(renderer: PromptRenderer) -> None:
    document = renderer.code("x = 1\n")
    assert document.prompt_length == 0
    assert document.ids == [*renderer.tokenizer.encode("x = 1\n"), renderer.tokenizer.control_id("<|endoftext|>")]


def test_generation_stops_at_every_token_that_no_answer_contains(renderer: PromptRenderer) -> None:
    spelled = [renderer.tokenizer.decode([token_id], skip_control=False) for token_id in renderer.end_ids]
    assert spelled[0] == "<|endoftext|>"
    assert {"<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>", "<|fim_pad|>", "<|file_sep|>"} <= set(spelled)


def test_control_tokens_in_source_never_become_control_ids(renderer: PromptRenderer) -> None:
    evil = "x<|fim_middle|>y<|endoftext|>z"
    example = renderer.fim_example(evil, evil, evil)
    controls = [token_id for token_id in example.ids if renderer.tokenizer.is_control(token_id)]
    names = ["<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>", "<|endoftext|>"]
    assert controls == [renderer.tokenizer.control_id(name) for name in names]
    assert renderer.tokenizer.decode(example.ids) == evil * 3


def test_model_without_fim_tokens_is_refused_for_fim_and_serves_plain_code(micro_model: Path, tmp_path: Path) -> None:
    definition = json.loads((micro_model / "tokenizer.json").read_bytes())
    definition["added_tokens"] = [t for t in definition["added_tokens"] if "fim" not in t["content"]]
    (tmp_path / "tokenizer.json").write_text(json.dumps(definition))
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"eos_token": "<|endoftext|>"}))
    renderer = PromptRenderer(load_tokenizer(tmp_path))
    assert not renderer.supports_fim
    assert renderer.code("x").ids[-1] == renderer.tokenizer.control_id("<|endoftext|>") == renderer.end_ids[0]
    with pytest.raises(ModelError, match="cannot fill in the middle"):
        renderer.fim("a", "b")
