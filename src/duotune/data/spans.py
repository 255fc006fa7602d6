"""Places in a text, counted in characters."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Span:
    """Part of a text: `text[start:end]`."""

    start: int
    end: int

    def __len__(self) -> int:
        return self.end - self.start


@dataclass(frozen=True)
class Section:
    """A piece of a text that what stands above it asks for.

    Attributes:
        head: Where the question begins: a signature with its decorators and comments, a comment, a heading. It ends
            where the body begins.
        body: The answer, without outer white space.
    """

    head: int
    body: Span
