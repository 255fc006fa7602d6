"""The fast encoder gives the ids of the tokenizers library, or is not used at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from duotune import paths
from duotune.models.byte_pairs import FastEncoder, fast_encoder
from duotune.models.tokenizer import load_tokenizer
from support.tokenizers import byte_level_tokenizer, edit_tokenizer, sentencepiece_tokenizer

WORDS = r"[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
CUTS: dict[str, Any] = {
    "gpt2": {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True},
    "digits": {
        "type": "Sequence",
        "pretokenizers": [
            {"type": "Digits", "individual_digits": True},
            {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True},
        ],
    },
    "split": {
        "type": "Sequence",
        "pretokenizers": [
            {"type": "Split", "pattern": {"Regex": WORDS}, "behavior": "Isolated", "invert": False},
            {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False},
        ],
    },
}
source = st.lists(
    st.one_of(st.text(max_size=6), st.sampled_from(["def ", "return", "\n    ", " 12", "\t\r\n", "<|fim_middle|>"]))
).map("".join)


def pair(directory: Path) -> tuple[FastEncoder | None, Tokenizer]:
    definition = json.loads((directory / "tokenizer.json").read_bytes())
    definition["added_tokens"] = []
    reference = Tokenizer.from_str(json.dumps({**definition, "post_processor": None}))
    return fast_encoder(definition, reference), reference


@pytest.fixture(scope="module", params=[(cut, nfc) for cut in CUTS for nfc in (False, True)], ids=str)
def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[FastEncoder, Tokenizer]:
    cut, nfc = request.param
    directory = byte_level_tokenizer(tmp_path_factory.mktemp(cut), {})
    edit_tokenizer(directory, pre_tokenizer=CUTS[cut], normalizer={"type": "NFC"} if nfc else None)
    fast, reference = pair(directory)
    assert fast is not None
    return fast, reference


@settings(deadline=None, max_examples=150)
@given(text=source)
def test_both_give_the_same_ids(both: tuple[FastEncoder, Tokenizer], text: str) -> None:
    fast, reference = both
    assert fast.encode(text) == reference.encode(text, add_special_tokens=False).ids


def test_the_bundled_model_is_encoded_fast_and_alike() -> None:
    fast, reference = pair(paths.bundled_tiny_model())
    assert fast is not None
    text = Path(__file__).read_text() * 20
    assert fast.encode(text) == reference.encode(text, add_special_tokens=False).ids


def test_ids_in_another_order_than_the_merges_are_kept(tmp_path: Path) -> None:
    directory = byte_level_tokenizer(tmp_path / "model", {})
    definition = json.loads((directory / "tokenizer.json").read_bytes())
    vocabulary = definition["model"]["vocab"]
    last = len(vocabulary) - 1
    definition["model"]["vocab"] = {token: last - number for token, number in vocabulary.items()}
    edit_tokenizer(directory, **definition)
    fast, reference = pair(directory)
    assert fast is not None
    assert fast.encode("def area(r):\n") == reference.encode("def area(r):\n", add_special_tokens=False).ids


def test_a_text_too_long_for_tiktoken_is_left_to_the_reference() -> None:
    fast, _ = pair(paths.bundled_tiny_model())
    assert fast is not None
    assert fast.encode(" " * 1_000_000) is None
    tokenizer = load_tokenizer(paths.bundled_tiny_model())
    blank, code = tokenizer.encode_batch([" " * 1_000_000, "x = 1\n"])
    assert tokenizer.decode(blank) == " " * 1_000_000
    assert tokenizer.decode(code) == "x = 1\n"


def test_a_vocabulary_that_tiktoken_would_merge_otherwise_is_refused(tmp_path: Path) -> None:
    directory = byte_level_tokenizer(tmp_path / "model", {})
    definition = json.loads((directory / "tokenizer.json").read_bytes())
    model = definition["model"]
    for token in ("qx", "xz", "qxz"):
        model["vocab"][token] = len(model["vocab"])
    # `qx` comes first, so `qxz` never arises from `q` and `xz`; tiktoken would make it of `qx` and `z`.
    model["merges"] += [["q", "x"], ["x", "z"], ["q", "xz"]]
    edit_tokenizer(directory, **definition)
    fast, reference = pair(directory)
    assert [reference.id_to_token(one) for one in reference.encode("qxz").ids] == ["qx", "z"]
    assert fast is None


@pytest.mark.parametrize(
    "change",
    [
        {"pre_tokenizer": None},
        {"pre_tokenizer": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "never", "split": True}},
        {"pre_tokenizer": {**CUTS["gpt2"], "add_prefix_space": True}},
        {"normalizer": {"type": "NFKC"}},
        {"normalizer": {"type": "Lowercase"}},
    ],
    ids=str,
)
def test_what_is_cut_or_normalised_in_other_ways_is_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    directory = byte_level_tokenizer(tmp_path / "model", {})
    edit_tokenizer(directory, **change)
    assert pair(directory)[0] is None


def test_byte_fallback_and_added_words_are_refused(tmp_path: Path) -> None:
    assert pair(sentencepiece_tokenizer(tmp_path / "pieces", {}, bos="", eos=""))[0] is None
    definition = json.loads((byte_level_tokenizer(tmp_path / "words", {"    ": False}) / "tokenizer.json").read_bytes())
    assert fast_encoder(definition, Tokenizer.from_str(json.dumps(definition))) is None


def test_a_batch_gives_the_same_ids_before_and_after_the_fast_encoder_takes_over() -> None:
    tokenizer = load_tokenizer(paths.bundled_tiny_model())
    texts = [Path(__file__).read_text(), "<|fim_middle|> é \u0301\n", ""]
    before = tokenizer.encode_batch(texts)
    tokenizer.encode_batch(["x = 1\n" * 200_000])
    assert tokenizer.encode_batch(texts) == before == [tokenizer.encode(text) for text in texts]
