"""Each family's fill-in-the-middle prompt, on small tokenizers with that family's control tokens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from tokenizers import Tokenizer

from duotune.models.family import detect_fim
from duotune.models.prompts import PromptRenderer
from duotune.models.tokenizer import load_tokenizer
from support.tokenizers import byte_level_tokenizer, sentencepiece_tokenizer

P, S, M = "def f(r):\n    return ", "\n\nf(2)\n", "r + 1"
PIPED = ("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>")
BARE = ("<fim_prefix>", "<fim_suffix>", "<fim_middle>")


@dataclass(frozen=True)
class Family:
    """A family's control tokens and the text that a server of it expects."""

    name: str
    build: Callable[..., Path]
    controls: tuple[str, ...]
    special: bool
    bos: str
    prompt: str
    end: str
    document_end: str


FAMILIES = [
    Family(
        "qwen2.5-coder",
        byte_level_tokenizer,
        (*PIPED, "<|fim_pad|>", "<|file_sep|>", "<|endoftext|>", "<|im_end|>"),
        False,
        "",
        f"<|fim_prefix|>{P}<|fim_suffix|>{S}<|fim_middle|>",
        "<|endoftext|>",
        "<|endoftext|>",
    ),
    Family(
        "codegemma",
        byte_level_tokenizer,
        (*PIPED, "<|file_separator|>", "<eos>"),
        True,
        "<bos>",
        f"<bos><|fim_prefix|>{P}<|fim_suffix|>{S}<|fim_middle|>",
        "<|file_separator|>",
        "<eos>",
    ),
    Family(
        "granite",
        byte_level_tokenizer,
        (*PIPED, "<|fim_pad|>", "<|end_of_text|>"),
        True,
        "",
        f"<|fim_prefix|>{P}<|fim_suffix|>{S}<|fim_middle|>",
        "<|end_of_text|>",
        "<|end_of_text|>",
    ),
    Family(
        "starcoder2",
        byte_level_tokenizer,
        (*BARE, "<file_sep>", "<repo_name>", "<|endoftext|>"),
        True,
        "",
        f"<fim_prefix>{P}<fim_suffix>{S}<fim_middle>",
        "<|endoftext|>",
        "<|endoftext|>",
    ),
    Family(
        "granite-code",
        byte_level_tokenizer,
        (*BARE, "<filename>", "<|endoftext|>"),
        True,
        "",
        f"<fim_prefix>{P}<fim_suffix>{S}<fim_middle>",
        "<|endoftext|>",
        "<|endoftext|>",
    ),
    Family(
        "deepseek-coder",
        byte_level_tokenizer,
        ("<｜fim▁begin｜>", "<｜fim▁hole｜>", "<｜fim▁end｜>", "<|EOT|>", "<｜end▁of▁sentence｜>"),
        False,
        "<｜begin▁of▁sentence｜>",
        f"<｜begin▁of▁sentence｜><｜fim▁begin｜>{P}<｜fim▁hole｜>{S}<｜fim▁end｜>",
        "<｜end▁of▁sentence｜>",
        "<｜end▁of▁sentence｜>",
    ),
]


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_prompt_has_the_ids_of_the_text_that_a_server_is_sent(family: Family, tmp_path: Path) -> None:
    family.build(tmp_path, dict.fromkeys(family.controls, family.special), bos=family.bos)
    tokenizer = load_tokenizer(tmp_path)
    renderer = PromptRenderer(tokenizer)
    served = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    assert renderer.format is not None
    assert renderer.format.family == family.name
    assert renderer.fim(P, S) == served.encode(family.prompt, add_special_tokens=False).ids
    example = renderer.fim_example(P, S, M)
    assert example.ids[example.prompt_length :] == [*tokenizer.encode(M), tokenizer.control_id(family.end)]
    assert renderer.end_ids[0] == tokenizer.control_id(family.end)
    document = renderer.code("x")
    assert document.ids[-1] == tokenizer.control_id(family.document_end)
    assert document.prompt_length == (1 if family.bos else 0)


def test_codestral_puts_the_suffix_first_and_spaces_only_the_prefix(tmp_path: Path) -> None:
    controls = dict.fromkeys(("[INST]", "[PREFIX]", "[MIDDLE]", "[SUFFIX]"), True)
    tokenizer = load_tokenizer(sentencepiece_tokenizer(tmp_path, controls))
    renderer = PromptRenderer(tokenizer)
    control = tokenizer.control_id
    # mistral-common: [bos, SUFFIX, *encode("☺" + suffix)[2:], PREFIX, *encode(prefix)]
    expected = [
        control("<s>"),
        control("[SUFFIX]"),
        *tokenizer.encode(S),
        control("[PREFIX]"),
        *tokenizer.encode(f" {P}"),
    ]
    assert renderer.fim(P, S) == expected
    assert renderer.fim("", "")[-1] == control("[PREFIX]")
    assert renderer.fim_example(P, S, M).ids[len(expected) :] == [*tokenizer.encode(M), control("</s>")]


def test_code_llama_spaces_only_the_prefix_and_ends_with_its_own_token(tmp_path: Path) -> None:
    controls = dict.fromkeys(("▁<PRE>", "▁<MID>", "▁<SUF>", "▁<EOT>"), True)
    tokenizer = load_tokenizer(sentencepiece_tokenizer(tmp_path, controls))
    renderer = PromptRenderer(tokenizer)
    control = tokenizer.control_id
    # Code Llama, infilling_prompt_tokens with suffix_first=False
    before = [control("<s>"), control("▁<PRE>"), *tokenizer.encode(f" {P}")]
    assert renderer.fim(P, S) == [*before, control("▁<SUF>"), *tokenizer.encode(S), control("▁<MID>")]
    assert renderer.end_ids[:2] == (control("▁<EOT>"), control("</s>"))
    assert renderer.code("x").ids == [control("<s>"), *tokenizer.encode(" x"), control("</s>")]


def test_vocabulary_with_only_some_of_the_tokens_has_no_format(tmp_path: Path) -> None:
    byte_level_tokenizer(tmp_path, {"<|fim_prefix|>": True, "<|fim_middle|>": True, "<|endoftext|>": True})
    assert detect_fim(load_tokenizer(tmp_path)) is None
