"""Source text is encoded literally, whatever a tokenizer.json calls special."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from duotune.errors import ModelError
from duotune.models.tokenizer import CodeTokenizer, load_tokenizer
from support.tokenizers import byte_level_tokenizer, edit_tokenizer, sentencepiece_tokenizer

SPELLINGS = ["<|fim_prefix|>", "<|fim_middle|>", "<|endoftext|>", "<tool_call>", "<s>", "▁<PRE>", "<PRE>", "[SUFFIX]"]
sources = st.lists(st.one_of(st.sampled_from(SPELLINGS), st.text(max_size=8), st.just("\n    "))).map("".join)


@pytest.fixture(scope="module")
def micro(micro_model: Path) -> CodeTokenizer:
    return load_tokenizer(micro_model)


@pytest.fixture(scope="module")
def unmarked(tmp_path_factory: pytest.TempPathFactory) -> CodeTokenizer:
    """Control tokens that are not marked special, as Qwen2.5-Coder's and DeepSeek-Coder's are."""
    controls = dict.fromkeys(SPELLINGS[:4], False)
    return load_tokenizer(byte_level_tokenizer(tmp_path_factory.mktemp("unmarked"), controls))


@pytest.fixture(scope="module")
def leading_space(tmp_path_factory: pytest.TempPathFactory) -> CodeTokenizer:
    controls = {"<s>": True, "▁<PRE>": True, "[SUFFIX]": True}
    return load_tokenizer(sentencepiece_tokenizer(tmp_path_factory.mktemp("leading"), controls))


@settings(deadline=None, max_examples=200)
@given(text=sources)
def test_micro_encoding_is_reversible_and_free_of_control_ids(micro: CodeTokenizer, text: str) -> None:
    ids = micro.encode(text)
    assert micro.decode(ids) == unicodedata.normalize("NFC", text)
    assert not any(map(micro.is_control, ids))


@settings(deadline=None, max_examples=200)
@given(text=sources)
def test_unmarked_control_tokens_are_kept_out_too(unmarked: CodeTokenizer, text: str) -> None:
    ids = unmarked.encode(text)
    assert unmarked.decode(ids, skip_control=False) == text
    assert not any(map(unmarked.is_control, ids))


@settings(deadline=None, max_examples=200)
@given(text=sources)
def test_no_space_is_added_by_a_tokenizer_that_adds_one(leading_space: CodeTokenizer, text: str) -> None:
    ids = leading_space.encode(text)
    assert leading_space.decode(ids) == text.replace("▁", " ")
    assert not any(map(leading_space.is_control, ids))


@settings(deadline=None, max_examples=50)
@given(texts=st.lists(sources, max_size=4))
def test_batch_is_the_single_encodings_in_order(micro: CodeTokenizer, texts: list[str]) -> None:
    assert micro.encode_batch(texts) == [micro.encode(text) for text in texts]


def test_plain_text_has_the_ids_of_the_models_own_tokenizer(micro: CodeTokenizer, micro_model: Path) -> None:
    text = (Path(__file__).parents[2] / "src" / "duotune" / "errors.py").read_text()
    assert micro.encode(text) == Tokenizer.from_file(str(micro_model / "tokenizer.json")).encode(text).ids


def test_vocabulary_that_knows_a_control_token_as_a_whole_word_cannot_leak_it(tmp_path: Path) -> None:
    byte_level_tokenizer(tmp_path, {"|fim|": False})
    definition = json.loads((tmp_path / "tokenizer.json").read_bytes())
    control_id = definition["added_tokens"][0]["id"]
    definition["model"]["vocab"]["|fim|"] = control_id
    edit_tokenizer(tmp_path, model={**definition["model"], "ignore_merges": True})
    served = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    served.encode_special_tokens = True
    assert served.encode("|fim|").ids == [control_id]
    tokenizer = load_tokenizer(tmp_path)
    ids = tokenizer.encode("|fim| = |fim|\n|fim|fim|")
    assert control_id not in ids
    assert tokenizer.decode(ids) == "|fim| = |fim|\n|fim|fim|"


def test_added_tokens_that_are_ordinary_text_stay_as_the_model_has_them(tmp_path: Path) -> None:
    byte_level_tokenizer(tmp_path, {"\n\n": False, "<table>": False, "<|fim_middle|>": False})
    served = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    text = "a\n\n<table>b"
    assert load_tokenizer(tmp_path).encode(text) == served.encode(text).ids
    assert load_tokenizer(tmp_path).control_id("\n\n") is None


def test_truncation_padding_and_dropout_of_the_file_do_not_apply(tmp_path: Path) -> None:
    byte_level_tokenizer(tmp_path, {"<pad>": True})
    truncation = {"direction": "Right", "max_length": 4, "strategy": "LongestFirst", "stride": 0}
    model = json.loads((tmp_path / "tokenizer.json").read_bytes())["model"]
    edit_tokenizer(tmp_path, truncation=truncation, model={**model, "dropout": 0.9})
    tokenizer = load_tokenizer(tmp_path)
    text = "for (int i = 0; i < n; i++)" * 3
    assert tokenizer.decode(tokenizer.encode(text)) == text
    assert tokenizer.encode(text) == tokenizer.encode(text)


def test_control_ids_are_found_by_name_and_spelled_only_on_request(micro: CodeTokenizer) -> None:
    middle = micro.control_id("<|fim_middle|>")
    assert middle is not None
    assert micro.control_id("<|no_such|>") is None
    ids = [*micro.encode("a"), middle]
    assert micro.decode(ids) == "a"
    assert micro.decode(ids, skip_control=False) == "a<|fim_middle|>"


def test_facts_of_the_tokenizer(micro: CodeTokenizer, leading_space: CodeTokenizer, micro_model: Path) -> None:
    content = (micro_model / "tokenizer.json").read_bytes()
    assert micro.fingerprint == hashlib.sha256(content).hexdigest()
    assert micro.vocabulary_size == 768
    assert micro.opening_ids == ()
    assert micro.end_of_text_id == micro.control_id("<|endoftext|>")
    assert leading_space.opening_ids == (leading_space.control_id("<s>"),)
    assert leading_space.begins_with_space


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"model": {"type": "BPE"}}', b"\xff"])
def test_damaged_tokenizer_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "tokenizer.json").write_bytes(content)
    with pytest.raises(ModelError, match=r"tokenizer\.json is damaged"):
        load_tokenizer(tmp_path)


def test_missing_tokenizer_has_its_own_sentence(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"has no tokenizer\.json"):
        load_tokenizer(tmp_path)
