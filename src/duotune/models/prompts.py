"""The one renderer of every prompt that duotune authors: training, evaluation and probes all use it.

Source text is encoded literally; control tokens enter only as ids.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from duotune.errors import ModelError, printable
from duotune.models.family import FimFormat, detect_fim, detect_repository
from duotune.models.tokenizer import CodeTokenizer

Passage = Sequence[str]
"""A text in pieces, encoded one by one: every second piece (1, 3, ...) is read, and never learned."""


class Role(IntEnum):
    """What a token is in its document, and so what may be learned of it."""

    CONTEXT = 0
    """Never a target: control tokens, what is only shown, what must not be learned."""
    PROMPT = 1
    """Part of the question; a target only where the recipe gives prompts a weight."""
    TARGET = 2
    """Part of the answer, or of a plain document."""
    END = 3
    """The end token of an answer or of a plain document."""


@dataclass(frozen=True)
class Gap:
    """A hole in a source text with what belongs there.

    Attributes:
        prefix: Source before it.
        suffix: Source after it.
        answer: What belongs there.
        asked: The end of the prefix that is the question proper, such as a signature: only its tokens are the prompt,
            and what surrounds it is context. None: all that is shown is the prompt.
    """

    prefix: Passage
    suffix: Passage
    answer: str
    asked: str | None = None


@dataclass(frozen=True)
class Rendered:
    """A document as token ids.

    Attributes:
        ids: Prompt and target.
        prompt_length: `ids[:prompt_length]` is the prompt; the rest is the target with its end token.
        roles: `Role` of each id, one byte each.
    """

    ids: list[int]
    prompt_length: int
    roles: bytes


class PromptRenderer:
    """Renders prompts to token ids in the format of a model's family.

    Attributes:
        tokenizer: The model's tokenizer.
        format: The family's fill-in-the-middle format, None when it has none.
        supports_fim: Whether the vocabulary has fill-in-the-middle tokens.
        repository: The family's way to write several files of a repository, None when it has none.
        end_ids: Generation stops at any of these.
        opening_ids: What every prompt begins with (bos), often nothing.
        document_end: Closes a plain document; nothing where the model declares no end.
    """

    def __init__(self, tokenizer: CodeTokenizer) -> None:
        self.tokenizer = tokenizer
        self.format = detect_fim(tokenizer)
        self.supports_fim = self.format is not None
        self.repository = detect_repository(tokenizer)
        if self.format is not None:
            self.end_ids = self.format.stops
            self.opening_ids = self.format.opening
            self.document_end: tuple[int, ...] = (self.format.document_end,)
        else:
            end = tokenizer.end_of_text_id
            self.end_ids = () if end is None else (end,)
            self.opening_ids = tokenizer.opening_ids
            self.document_end = self.end_ids

    def fim(self, prefix: str, suffix: str) -> list[int]:
        """Prompt that asks for the source between `prefix` and `suffix`.

        Raises:
            ModelError: The model has no fill-in-the-middle tokens.
        """
        self.require_fim()
        example = self.answers([Gap((prefix,), (suffix,), "")])[0]
        return example.ids[: example.prompt_length]

    def fim_example(self, prefix: str, suffix: str, middle: str) -> Rendered:
        """Prompt of `fim` with the answer `middle` and its end token as the target.

        Raises:
            ModelError: The model has no fill-in-the-middle tokens.
        """
        self.require_fim()
        return self.answers([Gap((prefix,), (suffix,), middle)])[0]

    def signature(self, prefix: str, suffix: str) -> list[int]:
        """Prompt that asks for a function's body: the same contract as `fim`, which editors send for it.

        Raises:
            ModelError: The model has no fill-in-the-middle tokens.
        """
        return self.fim(prefix, suffix)

    def answers(self, gaps: Sequence[Gap]) -> list[Rendered]:
        """Prompts with their answers, encoded on all cores; each answer closes with its end token.

        A family without fill-in-the-middle tokens is shown the prefix alone, and goes on from there.
        """
        passages: list[Passage] = []
        for gap in gaps:
            passages += [self._begun(gap.prefix), gap.suffix, (gap.answer,), (gap.asked or "",)]
        encoded = self._encode(passages, Role.PROMPT)
        return [
            self._answer(gap, *encoded[place : place + 4])
            for gap, place in zip(gaps, range(0, len(encoded), 4), strict=True)
        ]

    def code(self, text: str) -> Rendered:
        """A plain document with its end token; the opening, if the family has one, is the prompt."""
        return self.codes([(text,)], [True])[0]

    def codes(self, passages: Sequence[Passage], ends: Sequence[bool]) -> list[Rendered]:
        """Plain documents, encoded on all cores; those that do not end get no end token."""
        encoded = self._encode([self._begun(passage) for passage in passages], Role.TARGET)
        return [self._document(*each, end) for each, end in zip(encoded, ends, strict=True)]

    def excerpts(self, passages: Sequence[Passage]) -> list[Rendered]:
        """Texts without any control token, as targets, encoded on all cores: what longer documents are put up from."""
        return [Rendered(ids, 0, roles) for ids, roles in self._encode(passages, Role.TARGET)]

    def require_fim(self) -> FimFormat:
        """The family's fill-in-the-middle format.

        Raises:
            ModelError: The model has no fill-in-the-middle tokens.
        """
        if self.format is None:
            raise ModelError(
                f"The model in {printable(self.tokenizer.directory)} cannot fill in the middle: "
                "its vocabulary has none of the control tokens for it.",
                "Choose a code model with fill-in-the-middle, or set `data.recipes.fim` to 0.",
            )
        return self.format

    def _encode(self, passages: Sequence[Passage], role: Role) -> list[tuple[list[int], bytes]]:
        """Ids and roles of each passage; all pieces of all passages are one batch."""
        pieces = iter(self.tokenizer.encode_batch([piece for passage in passages for piece in passage]))
        encoded = []
        for passage in passages:
            ids: list[int] = []
            roles = b""
            for place in range(len(passage)):
                piece = next(pieces)
                ids = piece if place == 0 else ids + piece
                roles += _roles(Role.CONTEXT if place % 2 else role, len(piece))
            encoded.append((ids, roles))
        return encoded

    def _answer(
        self,
        gap: Gap,
        above: tuple[list[int], bytes],
        below: tuple[list[int], bytes],
        answer: tuple[list[int], bytes],
        asked: tuple[list[int], bytes],
    ) -> Rendered:
        if gap.asked is not None:
            # The prefix is encoded whole, as a server does; where in it the question begins is right to a token.
            shown = max(0, len(above[0]) - len(asked[0]))
            above = above[0], bytes(shown) + above[1][shown:]
            below = below[0], bytes(len(below[0]))
        ids, roles = self._prompt(above, below)
        end = self.document_end if self.format is None else (self.format.end,)
        target = _roles(Role.TARGET, len(answer[0])) + _roles(Role.END, len(end))
        return Rendered([*ids, *answer[0], *end], len(ids), roles + target)

    def _prompt(self, above: tuple[list[int], bytes], below: tuple[list[int], bytes]) -> tuple[list[int], bytes]:
        shape, opening = self.format, self.opening_ids
        if shape is None:
            return [*opening, *above[0]], bytes(len(opening)) + above[1]
        before = [*shape.prefix, *above[0]], bytes(len(shape.prefix)) + above[1]
        after = [*shape.suffix, *below[0]], bytes(len(shape.suffix)) + below[1]
        first, second = (before, after) if shape.order == "prefix-first" else (after, before)
        ids = [*opening, *first[0], *second[0], *shape.middle]
        return ids, bytes(len(opening)) + first[1] + second[1] + bytes(len(shape.middle))

    def _document(self, ids: list[int], roles: bytes, ends: bool) -> Rendered:
        opening, end = self.opening_ids, self.document_end if ends else ()
        roles = bytes(len(opening)) + roles + _roles(Role.END, len(end))
        return Rendered([*opening, *ids, *end], len(opening), roles)

    def _begun(self, passage: Passage) -> Passage:
        """The passage as the model's own tokenizer would begin it."""
        if self.tokenizer.begins_with_space and any(passage):
            return (f" {passage[0]}", *passage[1:])
        return passage


def _roles(role: Role, count: int) -> bytes:
    return bytes((role,)) * count
