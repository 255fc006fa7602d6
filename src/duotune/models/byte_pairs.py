"""A second, several times faster way to encode: tiktoken, used only where it is shown to give the same ids.

Encoding is the dearest step of preparing data. tiktoken merges whatever neighbours spell a token of the vocabulary, the
earlier one first; the tokenizers library merges the pairs that tokenizer.json lists, in their order. The two agree on
every text when each merged token, spelled alone, is put together by just the merge that is listed for it: merges inside
a stretch of text depend on nothing outside it, so the last two pieces before a token are always the same two. That is
checked here for every token of a vocabulary. How text is cut before merging, and its normalisation, are done by other
code in the two libraries: those are compared on a sample of source and of every kind of character.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tiktoken import Encoding
    from tokenizers import Tokenizer
    from tokenizers.normalizers import Normalizer

_GPT2_WORDS = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
# Digits stand alone, and white space before one ends a stretch of text as the end of the text does.
_SINGLE_DIGITS = r"\p{N}|'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?[^\s\p{L}\p{N}]+|\s+(?![^\s\p{N}])|\s+"
_PLAIN_MODEL: Mapping[str, tuple[Any, ...]] = {
    "type": ("BPE",),
    "dropout": (None, 0.0),
    "unk_token": (None,),
    "continuing_subword_prefix": (None, ""),
    "end_of_word_suffix": (None, ""),
    "byte_fallback": (False,),
    "ignore_merges": (False,),
}
# Its regular expressions give up, and print a panic, on about a million characters of white space.
_LONGEST_CHARACTERS = 500_000
Pair = tuple[bytes, bytes]


class FastEncoder:
    """Encodes as the tokenizers library does with one byte-level vocabulary.

    Args:
        encoding: tiktoken's encoder, whose ranks are places in `ids`.
        ids: The vocabulary's id of each rank; None where they are the same.
        normalizer: What brings text into Unicode's form NFC first, None where nothing does. It is the other library's:
            Python's own knows another version of Unicode.
    """

    def __init__(self, encoding: Encoding, ids: Sequence[int] | None, normalizer: Normalizer | None) -> None:
        self._encoding = encoding
        self._ids = ids
        self._normalizer = normalizer

    def encode(self, text: str) -> list[int] | None:
        """Token ids of a text; None for one that is too long for it."""
        if len(text) > _LONGEST_CHARACTERS:
            return None
        if self._normalizer is not None and not text.isascii():
            text = self._normalizer.normalize_str(text)
        ranks: list[int] = self._encoding.encode_ordinary(text)
        return ranks if self._ids is None else [self._ids[rank] for rank in ranks]


@dataclass(frozen=True)
class _Vocabulary:
    """Byte-level tokens in the order in which merges make them: first the single bytes.

    Attributes:
        tokens: All that text can become.
        merges: The one merge that makes each token of several bytes.
        ids: Their ids.
    """

    tokens: list[bytes]
    merges: dict[bytes, Pair]
    ids: list[int]


def fast_encoder(definition: Mapping[str, Any], reference: Tokenizer) -> FastEncoder | None:
    """A fast encoder for a tokenizer.json, or None where equality with the reference cannot be shown.

    Args:
        definition: The tokenizer.json, read.
        reference: What it must agree with; it knows no control tokens.
    """
    pattern = _pattern(definition.get("pre_tokenizer"))
    normalizer = definition.get("normalizer")
    if pattern is None or normalizer not in (None, {"type": "NFC"}) or reference.get_added_tokens_decoder():
        return None
    vocabulary = _vocabulary(definition["model"])
    if vocabulary is None or not _merges_are_forced(vocabulary):
        return None
    from tiktoken import Encoding

    ranks = {token: rank for rank, token in enumerate(vocabulary.tokens)}
    same = vocabulary.ids == list(range(len(vocabulary.ids)))
    try:
        encoding = Encoding("duotune", pat_str=pattern, mergeable_ranks=ranks, special_tokens={})
    except ValueError:  # a pattern that only the other library understands
        return None
    encoder = FastEncoder(encoding, None if same else vocabulary.ids, reference.normalizer)
    return encoder if _agree(encoder, reference) else None


def _pattern(pre_tokenizer: Any) -> str | None:
    """The regular expression that cuts text to words, None for a pre-tokenizer of another kind."""
    steps = pre_tokenizer or {}
    steps = steps["pretokenizers"] if steps.get("type") == "Sequence" else [steps]
    *before, last = steps
    if last.get("type") != "ByteLevel" or last.get("add_prefix_space"):
        return None
    if not before:
        return _GPT2_WORDS if last.get("use_regex", True) else None
    if len(before) > 1:
        return None
    (step,) = before
    if step == {"type": "Digits", "individual_digits": True} and last.get("use_regex", True):
        return _SINGLE_DIGITS
    isolates = step.get("type") == "Split" and step.get("behavior") == "Isolated" and not step.get("invert")
    if isolates and not last.get("use_regex", True):
        pattern = step["pattern"].get("Regex")
        return pattern if isinstance(pattern, str) else None
    return None


def _vocabulary(model: Mapping[str, Any]) -> _Vocabulary | None:
    """The tokens of a plain byte-level model; None where a token has two merges, or a byte no token."""
    if any(model.get(name, allowed[0]) not in allowed for name, allowed in _PLAIN_MODEL.items()):
        return None
    ids: dict[str, int] = model["vocab"]
    spelled = _byte_spelling()
    single = [(character, byte) for character, byte in spelled.items() if character in ids]
    if len(single) < len(spelled):
        return None
    tokens = [bytes([byte]) for _, byte in single]
    order = [ids[character] for character, _ in single]
    merges: dict[bytes, Pair] = {}
    for merge in model["merges"]:
        left, right = merge.split(" ") if isinstance(merge, str) else merge
        first, second = _as_bytes(left), _as_bytes(right)
        if first is None or second is None or first + second in merges:
            return None
        merges[first + second] = first, second
        tokens.append(first + second)
        order.append(ids[left + right])
    return _Vocabulary(tokens, merges, order)


@cache
def _byte_spelling() -> dict[str, int]:
    """How byte-level vocabularies spell each byte: printable ones as themselves, the others from U+0100 on (GPT-2)."""
    printable = [*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {chr(256 + place): byte for place, byte in enumerate(others)}


def _as_bytes(spelling: str) -> bytes | None:
    try:
        return bytes(map(_byte_spelling().__getitem__, spelling))
    except KeyError:
        return None


def _merges_are_forced(vocabulary: _Vocabulary) -> bool:
    """Whether each token, spelled alone, is put together by its own merge when the earliest token always goes first."""
    ranks = {token: rank for rank, token in enumerate(vocabulary.tokens)}
    return all(_ends_in(token, pair, ranks, ranks[token]) for token, pair in vocabulary.merges.items())


def _ends_in(token: bytes, pair: Pair, ranks: Mapping[bytes, int], limit: int) -> bool:
    """Whether merging a token's bytes by tokens earlier than `limit` ends in the two halves of its merge."""
    pieces = [token[place : place + 1] for place in range(len(token))]
    while len(pieces) > 2:
        best, at = limit, -1
        for place in range(len(pieces) - 1):
            rank = ranks.get(pieces[place] + pieces[place + 1], limit)
            if rank < best:
                best, at = rank, place
        if at < 0:
            return False
        pieces[at : at + 2] = [pieces[at] + pieces[at + 1]]
    return tuple(pieces) == pair


def _agree(encoder: FastEncoder, reference: Tokenizer) -> bool:
    """Whether both give the same ids on every text of the sample."""
    sample = _sample()
    expected = [found.ids for found in reference.encode_batch_fast(sample, add_special_tokens=False)]
    return all(encoder.encode(text) == ids for text, ids in zip(sample, expected, strict=True))


@cache
def _sample() -> list[str]:
    """Texts that cut in every way: source, runs of each kind of white space, and characters of every category."""
    by_category: dict[str, list[str]] = {}
    for code in (*range(0x3000), *range(0xA000, 0xD800, 7), *range(0xE000, 0x20000, 23)):
        by_category.setdefault(unicodedata.category(chr(code)), []).append(chr(code))
    kinds = [found[:: max(1, len(found) // 60)] for _, found in sorted(by_category.items())]
    texts = ["".join(found) for found in kinds]
    # Every category beside every other, with and without a space or a line feed between them.
    for gap in ("", " ", "  ", "\n", "\t ", " \r\n "):
        texts += [one[0] + gap + other[-1] + gap for one in kinds for other in kinds]
    letters = [chr(code) + "\u0301x\u0327" for code in range(0x41, 0x250)]  # composed by NFC, or not
    code = "def f(x1, *args):\n    return {'a': 0x1F, \"b\": [1, 22, 333]}  # it's they'LL\r\n\n\n\t\t  end \n"
    return [*texts, "".join(letters), code, json.dumps(code), code * 3, "", " ", "\n" * 40, " " * 70 + "x"]
