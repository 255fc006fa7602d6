"""Excerpts of a project's files joined to documents as the model's family writes a repository.

`NAME, path, content, path, content, ...`, files in the order in which they import each other, up to a row. Only here
are files brought together: which of them are in the same split is known only now, and a document holds files of one
split. What is joined was encoded file by file, when the part was prepared.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from duotune.models.prompts import PromptRenderer, Role

_MOST_HEADER_TOKENS = 96

Ids = NDArray[np.int32]
Roles = NDArray[np.uint8]


class Tokens(Protocol):
    """Tokens that stand next to each other in a document, wherever they are kept."""

    @property
    def ids(self) -> Ids:
        """Token ids."""

    @property
    def roles(self) -> Roles:
        """`Role` of each."""

    def __len__(self) -> int: ...


@dataclass(frozen=True)
class Piece:
    """Tokens in memory.

    Attributes:
        ids: Token ids.
        roles: `Role` of each.
    """

    ids: Ids
    roles: Roles

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True)
class Excerpt:
    """A part of a file, without control tokens.

    Attributes:
        piece: Its tokens.
        ends: Whether the file ends with it.
    """

    piece: Tokens
    ends: bool


@dataclass(frozen=True)
class ChainedFile:
    """A file to join.

    Attributes:
        path: Its path, printable.
        excerpts: What of it is joined, in its order.
    """

    path: str
    excerpts: Sequence[Excerpt]


def header_tokens(row_length: int) -> int:
    """Most tokens of the name and the path that a document begins with."""
    return min(_MOST_HEADER_TOKENS, row_length // 4)


def excerpt_tokens(row_length: int) -> int:
    """Most tokens of an excerpt, so that it fits a row with its header and an end token."""
    return row_length - header_tokens(row_length) - 1


class Chains:
    """Joins files of one repository.

    Args:
        renderer: Of a model with tokens for repositories.
        row_length: Most tokens of a document.
    """

    def __init__(self, renderer: PromptRenderer, row_length: int) -> None:
        if renderer.repository is None:
            raise ValueError("this model's vocabulary has no tokens for repositories")
        self._format = renderer.repository
        self._tokenizer = renderer.tokenizer
        self._opening = renderer.opening_ids
        self._end = renderer.document_end
        self._row_length = row_length

    def join(self, name: str, files: Sequence[ChainedFile]) -> Iterator[list[Tokens]]:
        """Documents of the files, in their order; a file that does not fit goes on in the next one, after its path.

        Args:
            name: Of the repository.
            files: What to join; those without excerpts are passed over.
        """
        room = header_tokens(self._row_length) - len(self._opening) - 2
        texts = [name, self._format.after_name, *(f"{file.path}\n" for file in files)]
        encoded, after, *paths = self._tokenizer.encode_batch(texts)
        title = [*self._opening, self._format.repository, *encoded[: room // 3], *after]
        # The end of a long path says more than its beginning.
        headings = [[self._format.file, *path[-(room - len(title)) :]] for path in paths]
        document: list[Tokens] = []
        inside = last = None
        for file, heading in zip(files, headings, strict=True):
            for excerpt in file.excerpts:
                header = [] if inside is file else heading
                needed = sum(map(len, document)) + len(header) + len(excerpt.piece) + len(self._end)
                if last is not None and needed > self._row_length:
                    yield self._closed(document, last)
                    document, header = [], heading
                if not document:
                    document = [_shown(title)]
                document += [_shown(header), excerpt.piece] if header else [excerpt.piece]
                inside, last = file, excerpt
        if last is not None:
            yield self._closed(document, last)

    def _closed(self, document: list[Tokens], last: Excerpt) -> list[Tokens]:
        """The document with an end token, when its last file ends with it."""
        if not last.ends or not self._end:
            return document
        end = np.array(self._end, dtype=np.int32)
        return [*document, Piece(end, np.full(len(end), Role.END, dtype=np.uint8))]


def _shown(ids: Iterable[int]) -> Piece:
    array = np.array(list(ids), dtype=np.int32)
    return Piece(array, np.full(len(array), Role.CONTEXT, dtype=np.uint8))
