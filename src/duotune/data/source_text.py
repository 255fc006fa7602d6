"""A file as the recipes see it: its text, its tree, and what of it must not be learned."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from duotune.data.placeholders import overlaps, placeholders
from duotune.data.spans import Span
from duotune.data.syntax import SyntaxTree, parse


@dataclass(frozen=True)
class Text:
    """A file as the recipes see it.

    Attributes:
        file: Index that its documents carry.
        text: Its text.
        language: Its language.
        content: Content hash, from which all chance comes.
    """

    file: int
    text: str
    language: str
    content: str

    def __len__(self) -> int:
        return len(self.text)

    @cached_property
    def tree(self) -> SyntaxTree | None:
        """Its syntax tree, parsed when first asked for."""
        return parse(self.text, self.language)

    @cached_property
    def redacted(self) -> list[Span]:
        """Where secrets and personal data were taken out."""
        return placeholders(self.text)

    def may_be_answer(self, span: Span) -> bool:
        """Whether nothing in a span was redacted."""
        return not overlaps(self.redacted, span)

    def passage(self, start: int, end: int) -> tuple[str, ...]:
        """The text between two places, in pieces: the second, fourth, ... are placeholders, whole or cut."""
        pieces = []
        for one in self.redacted:
            if one.start < end and start < one.end:
                inner = max(start, one.start), min(end, one.end)
                pieces += [self.text[start : inner[0]], self.text[inner[0] : inner[1]]]
                start = inner[1]
        return (*pieces, self.text[start:end])
