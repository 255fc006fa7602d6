"""Loads a model's tokenizer so that source text is always encoded literally.

A tokenizer.json lists added tokens, which its engine finds in text before anything else: a file that spells
`<|fim_middle|>` would become a control token. `encode_special_tokens` stops that only for those marked `special`,
and real models mark their fill-in-the-middle tokens otherwise. So text is encoded by a copy of the tokenizer without
its control tokens, and control tokens enter a prompt only as ids.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from duotune.errors import ModelError, printable
from duotune.models.byte_pairs import FastEncoder, fast_encoder

MARKUP = re.compile(
    r"</?(table|caption|thead|tbody|tfoot|tr|th|td|h[1-6]|blockquote|strong|em|b|i|u|s|sub|sup|code|ul|ol|li|p)>"
)
"""Gemma's vocabulary holds these as ordinary text, and finds them only because they are also added tokens."""
_WORTH_CHARACTERS = 300_000
"""After so much text it pays to look for a faster encoder, which takes up to seconds for a large vocabulary."""
COPY_HINT = "Copy the model's tokenizer.json again."


class CodeTokenizer:
    """A tokenizer whose encoding is literal: control tokens spelled in text never become control ids.

    Attributes:
        directory: Where the model is.
        fingerprint: SHA-256 (hex) of tokenizer.json.
        vocabulary_size: One more than the largest token id.
        opening_ids: What the model's own tokenizer puts before every text (its bos token), often nothing.
        end_of_text_id: The `eos_token` of the model, None when it declares none.
        begins_with_space: The model's own tokenizer puts a space before every text (SentencePiece's dummy prefix);
            `encode` does not, so that it is literal.
    """

    def __init__(self, directory: Path, definition: dict[str, Any], fingerprint: str) -> None:
        self.directory = directory
        self.fingerprint = fingerprint
        definition = {**definition, "truncation": None, "padding": None}
        added = definition.get("added_tokens") or []
        controls = [token for token in added if _is_control(token)]
        self._control_ids: dict[str, int] = {token["content"]: token["id"] for token in controls}
        self._controls = frozenset(self._control_ids.values())
        complete = Tokenizer.from_str(json.dumps(definition))
        self.opening_ids = _opening_ids(complete)
        self.vocabulary_size = max(complete.get_vocab(with_added_tokens=True).values(), default=-1) + 1
        definition, self.begins_with_space = _without_leading_space(definition)
        self._decoder = Tokenizer.from_str(json.dumps(definition))
        kept = [token for token in added if not _is_control(token)]
        self._definition = definition
        self._encoder = _encoder(definition, kept)
        self._fast: FastEncoder | None = None
        self._until_fast = _WORTH_CHARACTERS
        self._inside_spellings = _inside(self._control_ids)
        self.end_of_text_id = self._end_of_text(directory)

    def encode(self, text: str) -> list[int]:
        """Token ids of a text, without any opening or closing token."""
        return self._checked(text, self._encoder.encode(text, add_special_tokens=False).ids)

    def encode_batch(self, texts: Sequence[str]) -> list[list[int]]:
        """Token ids of several texts: by tiktoken once much is encoded and it is shown to agree, else on all cores."""
        if self._until_fast > 0:
            self._until_fast -= sum(map(len, texts))
            if self._until_fast <= 0:
                self._fast = fast_encoder(self._definition, self._encoder)
        if self._fast is not None:
            return [self._checked(text, self._fast_ids(text, self._fast)) for text in texts]
        encodings = self._encoder.encode_batch_fast(list(texts), add_special_tokens=False)
        return [self._checked(text, encoding.ids) for text, encoding in zip(texts, encodings, strict=True)]

    def decode(self, ids: Sequence[int], skip_control: bool = True) -> str:
        """Text of token ids; control tokens are left out, or spelled when `skip_control` is False."""
        kept = [token_id for token_id in ids if token_id not in self._controls] if skip_control else list(ids)
        return self._decoder.decode(kept, skip_special_tokens=False)

    def control_id(self, token: str) -> int | None:
        """Id of a control token, None when the vocabulary lacks it."""
        return self._control_ids.get(token)

    def is_control(self, token_id: int) -> bool:
        """Whether an id is that of a control token."""
        return token_id in self._controls

    def _fast_ids(self, text: str, encoder: FastEncoder) -> list[int]:
        ids = encoder.encode(text)
        return self._encoder.encode(text, add_special_tokens=False).ids if ids is None else ids

    def _checked(self, text: str, ids: list[int]) -> list[int]:
        """The ids, unless the model's vocabulary itself knows a control token by its spelling.

        That happens where the vocabulary holds whole words that are looked up before merging (`ignore_merges`). Such
        a text is cut inside every spelling, so that none is seen whole.
        """
        if self._controls.isdisjoint(ids):
            return ids
        pieces = self._encoder.encode_batch_fast(self._inside_spellings.split(text), add_special_tokens=False)
        return [token_id for piece in pieces for token_id in piece.ids if token_id not in self._controls]

    def _end_of_text(self, directory: Path) -> int | None:
        try:
            settings = json.loads((directory / "tokenizer_config.json").read_bytes())
            token = settings.get("eos_token")
        except (OSError, ValueError, AttributeError):
            return None
        content = token.get("content") if isinstance(token, dict) else token
        return self._control_ids.get(content) if isinstance(content, str) else None


def load_tokenizer(directory: Path) -> CodeTokenizer:
    """Load the tokenizer of a model directory.

    Raises:
        ModelError: There is no tokenizer.json, or it cannot be read.
    """
    file = directory / "tokenizer.json"
    try:
        content = file.read_bytes()
    except FileNotFoundError as error:
        raise ModelError(
            f"The model directory {printable(directory)} has no tokenizer.json.",
            "Copy the tokenizer of the same model beside its weights.",
        ) from error
    except OSError as error:
        raise ModelError(f"{printable(file)} cannot be read: {error.strerror}.", "Check its permissions.") from error
    try:
        definition = json.loads(content)
        if not isinstance(definition, dict):
            raise ValueError("it is not a JSON object")
        return CodeTokenizer(directory, definition, hashlib.sha256(content).hexdigest())
    # The engine reports every fault of a definition as a bare Exception.
    except Exception as error:
        raise ModelError(f"The tokenizer {printable(file)} is damaged: {printable(error)}.", COPY_HINT) from error


def _is_control(token: dict[str, Any]) -> bool:
    """Whether an added token is a control token rather than ordinary text (runs of spaces or newlines, markup)."""
    content = str(token["content"])
    is_text = not content.replace("▁", " ").strip() or MARKUP.fullmatch(content) is not None
    return bool(token.get("special")) or not is_text


def _inside(spellings: Iterable[str]) -> re.Pattern[str]:
    """Matches the empty place after the first character of each spelling; SentencePiece writes a space as `▁`."""
    parts = [[f"[{re.escape(char)} ]" if char == "▁" else re.escape(char) for char in word] for word in spellings]
    return re.compile("|".join(f"(?<={part[0]})(?={''.join(part[1:])})" for part in parts if len(part) > 1) or r"(?!)")


def _encoder(definition: dict[str, Any], added: list[dict[str, Any]]) -> Tokenizer:
    """A copy that knows only `added`, and that neither drops merges at random nor adds anything."""
    model = {**definition["model"], **({"dropout": None} if "dropout" in definition["model"] else {})}
    return Tokenizer.from_str(json.dumps({**definition, "model": model, "added_tokens": added, "post_processor": None}))


def _opening_ids(tokenizer: Tokenizer) -> tuple[int, ...]:
    body = tokenizer.encode("x", add_special_tokens=False).ids
    whole = tokenizer.encode("x", add_special_tokens=True).ids
    begins = [at for at in range(len(whole)) if whole[at : at + len(body)] == body]
    return tuple(whole[: begins[0]]) if begins else ()


def _without_leading_space(definition: dict[str, Any]) -> tuple[dict[str, Any], bool]:
    """The definition without SentencePiece's dummy prefix and without the decoder's step that takes it away again."""
    normalizer, prepended = _edit(definition.get("normalizer"), "Prepend")
    pre_tokenizer, set_off = _edit(definition.get("pre_tokenizer"), "")
    decoder, _ = _edit(definition.get("decoder"), "Strip")
    changed = {**definition, "normalizer": normalizer, "pre_tokenizer": pre_tokenizer, "decoder": decoder}
    return changed, prepended or set_off


def _edit(component: Any, dropped_type: str) -> tuple[Any, bool]:
    """A component without the steps of one type, and with its own settings for a leading space turned off."""
    if not isinstance(component, dict):
        return component, False
    if component.get("type") == "Sequence":
        key = next(key for key in ("normalizers", "pretokenizers", "decoders") if key in component)
        edited = [_edit(step, dropped_type) for step in component[key]]
        steps = [step for step, _ in edited if step is not None]
        return ({**component, key: steps} if steps else None), any(changed for _, changed in edited)
    if component.get("type") == dropped_type:
        return None, True
    if component.get("type") == "Metaspace" and component.get("prepend_scheme", "always") != "never":
        return {**component, "prepend_scheme": "never"}, True
    if component.get("type") == "ByteLevel" and component.get("add_prefix_space"):
        return {**component, "add_prefix_space": False}, True
    return component, False
