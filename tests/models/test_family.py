"""Each family's fill-in-the-middle prompt, on small tokenizers with that family's control tokens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from duotune.errors import ModelError
from duotune.models.family import detect_fim
from duotune.models.prompts import Gap, PromptRenderer, Role
from duotune.models.tokenizer import CodeTokenizer, load_tokenizer
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
    repository: tuple[str, str, str] | None = None
    """Before the repository's name, before a path, and what follows the name."""


FAMILIES = [
    Family(
        "qwen2.5-coder",
        byte_level_tokenizer,
        (*PIPED, "<|fim_pad|>", "<|repo_name|>", "<|file_sep|>", "<|endoftext|>", "<|im_end|>"),
        False,
        "",
        f"<|fim_prefix|>{P}<|fim_suffix|>{S}<|fim_middle|>",
        "<|endoftext|>",
        "<|endoftext|>",
        ("<|repo_name|>", "<|file_sep|>", "\n"),
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
        (*PIPED, "<|fim_pad|>", "<|filename|>", "<|reponame|>", "<|start_of_role|>", "<|end_of_text|>"),
        True,
        "",
        f"<|fim_prefix|>{P}<|fim_suffix|>{S}<|fim_middle|>",
        "<|end_of_text|>",
        "<|end_of_text|>",
        ("<|reponame|>", "<|filename|>", ""),
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
        ("<repo_name>", "<file_sep>", ""),
    ),
    # CodeQwen1.5 has StarCoder2's order and end under other names of the repository.
    Family(
        "starcoder2",
        byte_level_tokenizer,
        (*BARE, "<file_sep>", "<reponame>", "<|endoftext|>", "<|im_end|>"),
        False,
        "",
        f"<fim_prefix>{P}<fim_suffix>{S}<fim_middle>",
        "<|endoftext|>",
        "<|endoftext|>",
        ("<reponame>", "<file_sep>", "\n"),
    ),
    Family(
        "granite-code",
        byte_level_tokenizer,
        (*BARE, "<fim_pad>", "<filename>", "<gh_stars>", "<reponame>", "<|endoftext|>"),
        True,
        "",
        f"<fim_prefix>{P}<fim_suffix>{S}<fim_middle>",
        "<|endoftext|>",
        "<|endoftext|>",
        ("<reponame>", "<filename>", ""),
    ),
    Family(
        "mellum",
        byte_level_tokenizer,
        (*BARE, "<fim_pad>", "<filename>", "<gh_stars>", "<reponame>", "<assistant>", "</assistant>", "<|endoftext|>"),
        True,
        "",
        f"<fim_suffix>{S}<fim_prefix>{P}<fim_middle>",
        "<|endoftext|>",
        "<|endoftext|>",
        ("<reponame>", "<filename>", ""),
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


def tokenizer_of(family: Family, directory: Path) -> CodeTokenizer:
    return load_tokenizer(family.build(directory, dict.fromkeys(family.controls, family.special), bos=family.bos))


def named(family: Family) -> str:
    return family.name if "<reponame>" not in family.controls else f"{family.name}-{len(family.controls)}"


@pytest.mark.parametrize("family", FAMILIES, ids=named)
def test_prompt_has_the_ids_of_the_text_that_a_server_is_sent(family: Family, tmp_path: Path) -> None:
    tokenizer = tokenizer_of(family, tmp_path)
    renderer = PromptRenderer(tokenizer)
    served = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    assert renderer.format is not None
    assert renderer.format.family == family.name
    assert renderer.fim(P, S) == served.encode(family.prompt, add_special_tokens=False).ids
    example = renderer.fim_example(P, S, M)
    assert example.ids[: example.prompt_length] == renderer.fim(P, S)
    assert example.ids[example.prompt_length :] == [*tokenizer.encode(M), tokenizer.control_id(family.end)]
    assert renderer.end_ids[0] == tokenizer.control_id(family.end)
    document = renderer.code("x")
    opening = [tokenizer.control_id(family.bos)] if family.bos else []
    assert document.ids == [*opening, *tokenizer.encode("x"), tokenizer.control_id(family.document_end)]
    assert document.prompt_length == len(opening)


@pytest.mark.parametrize("family", FAMILIES, ids=named)
def test_repository_tokens_are_those_of_the_family(family: Family, tmp_path: Path) -> None:
    tokenizer = tokenizer_of(family, tmp_path)
    found = PromptRenderer(tokenizer).repository
    if family.repository is None:
        assert found is None
    else:
        repository, file, after_name = family.repository
        control = tokenizer.control_id
        assert found is not None
        assert (found.repository, found.file, found.after_name) == (control(repository), control(file), after_name)


@pytest.mark.parametrize("family", FAMILIES, ids=named)
def test_no_answer_goes_on_after_any_control_token_of_the_family(family: Family, tmp_path: Path) -> None:
    tokenizer = tokenizer_of(family, tmp_path)
    stops = {tokenizer.decode([stop], skip_control=False) for stop in PromptRenderer(tokenizer).end_ids}
    shown = {name for name in family.controls if "fim" in name or "repo" in name or "file" in name}
    assert shown <= stops
    assert {family.end, family.document_end} <= stops


CODESTRAL = dict.fromkeys(("[INST]", "[PREFIX]", "[MIDDLE]", "[SUFFIX]"), True)
CODE_LLAMA = dict.fromkeys(("▁<PRE>", "▁<MID>", "▁<SUF>", "▁<EOT>"), True)


@pytest.fixture(scope="module")
def every_family(tmp_path_factory: pytest.TempPathFactory) -> list[PromptRenderer]:
    built = [tokenizer_of(family, tmp_path_factory.mktemp("family")) for family in FAMILIES]
    for controls in (CODESTRAL, CODE_LLAMA):
        built.append(load_tokenizer(sentencepiece_tokenizer(tmp_path_factory.mktemp("family"), controls)))
    return [PromptRenderer(tokenizer) for tokenizer in built]


SPELLED = [*PIPED, *BARE, "<|endoftext|>", "<s>", "</s>", "[SUFFIX]", "[PREFIX]", "▁<PRE>", " <SUF>", "<|file_sep|>"]
SPELLED += ["<｜fim▁hole｜>", "<eos>", "<reponame>", "<|end_of_text|>"]
texts = st.lists(st.one_of(st.sampled_from(SPELLED), st.text(max_size=6), st.sampled_from(["\n", "    ", " "])))
sources = texts.map("".join)


@settings(deadline=None, max_examples=120)
@given(prefix=sources, suffix=sources, middle=sources, asked=st.integers(0, 40))
def test_every_family_keeps_the_text_and_has_control_tokens_only_where_the_renderer_put_them(
    every_family: list[PromptRenderer], prefix: str, suffix: str, middle: str, asked: int
) -> None:
    for renderer in every_family:
        tokenizer, shape = renderer.tokenizer, renderer.format
        assert shape is not None
        gap = Gap((prefix[:3], prefix[3:6], prefix[6:]), (suffix,), middle, prefix[-asked:] if asked > 20 else None)
        example = renderer.answers([gap])[0]
        first, second = (shape.prefix, shape.suffix) if shape.order == "prefix-first" else (shape.suffix, shape.prefix)
        controls = [token for token in example.ids if tokenizer.is_control(token)]
        assert controls == [*shape.opening, *first, *second, *shape.middle, shape.end]
        at = example.ids.index(second[0])
        above, below = example.ids[:at], example.ids[at : example.prompt_length]
        if shape.order == "suffix-first":
            above, below = below, above
        space = " " if tokenizer.begins_with_space and prefix else ""

        def read(text: str, spaced: bool = tokenizer.begins_with_space) -> str:
            return text.replace("▁", " ") if spaced else text

        assert tokenizer.decode(above) == read(space + prefix)
        assert tokenizer.decode(below) == read(suffix)
        assert tokenizer.decode(example.ids[example.prompt_length :]) == read(middle)
        roles = list(example.roles)
        assert len(roles) == len(example.ids)
        assert all(
            roles[place] in (Role.CONTEXT, Role.END)
            for place, token in enumerate(example.ids)
            if tokenizer.is_control(token)
        )
        assert set(roles[: example.prompt_length]) <= {Role.CONTEXT, Role.PROMPT}
        answer = len(example.ids) - example.prompt_length - 1
        assert roles[example.prompt_length :] == [Role.TARGET] * answer + [Role.END]


def test_codestral_puts_the_suffix_first_and_spaces_only_the_prefix(tmp_path: Path) -> None:
    tokenizer = load_tokenizer(sentencepiece_tokenizer(tmp_path, CODESTRAL))
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
    tokenizer = load_tokenizer(sentencepiece_tokenizer(tmp_path, CODE_LLAMA))
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


@pytest.mark.parametrize("missing", [*PIPED, "<|endoftext|>"])
def test_a_family_that_lacks_any_one_token_is_refused_with_a_sentence(missing: str, tmp_path: Path) -> None:
    controls = dict.fromkeys([name for name in (*PIPED, "<|endoftext|>") if name != missing], True)
    renderer = PromptRenderer(load_tokenizer(byte_level_tokenizer(tmp_path, controls)))
    assert not renderer.supports_fim
    for ask in (renderer.fim, renderer.signature):
        with pytest.raises(ModelError, match="cannot fill in the middle"):
            ask(P, S)
    with pytest.raises(ModelError, match="cannot fill in the middle"):
        renderer.fim_example(P, S, M)


def test_a_model_without_such_tokens_answers_from_what_stands_before_the_hole(tmp_path: Path) -> None:
    tokenizer = load_tokenizer(byte_level_tokenizer(tmp_path, {"<|end|>": True}, bos="<|begin|>", eos="<|end|>"))
    example = PromptRenderer(tokenizer).answers([Gap((P,), (S,), M, asked=P)])[0]
    assert tokenizer.decode(example.ids, skip_control=False) == f"<|begin|>{P}{M}<|end|>"
    assert tokenizer.decode(example.ids[: example.prompt_length]) == P
    prompt = [token for token, role in zip(example.ids, example.roles, strict=True) if role == Role.PROMPT]
    assert tokenizer.decode(prompt) == P
    assert example.roles[-1] == Role.END
