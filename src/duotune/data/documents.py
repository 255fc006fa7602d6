"""The documents of a split, before they are packed: tokens stay in the parts' files.

A document takes some tens of bytes. A dataset has ten times as many documents as files; as objects of their own they
would be most of what a preparation holds in memory.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from duotune.data.chains import Ids, Piece, Roles, Tokens
from duotune.data.part_files import AROUND_BYTES, DOCUMENTS, DOCUMENTS_FILE, MappedFile
from duotune.data.recipes import NAMES, Recipe
from duotune.models.prompts import Role


@dataclass(frozen=True)
class PackedDocument:
    """A document as rows hold it.

    Attributes:
        recipe: How it was made.
        pieces: Its tokens; a document that is joined from excerpts has several.
    """

    recipe: Recipe
    pieces: Sequence[Tokens]

    def __len__(self) -> int:
        return sum(map(len, self.pieces))

    def roles(self) -> NDArray[np.int64]:
        """How many tokens it has of each `Role`; the first, which nothing predicts, is context whatever it is."""
        counts = np.zeros(len(Role), dtype=np.int64)
        first = None
        for piece in self.pieces:
            roles = piece.roles
            counts += np.bincount(roles, minlength=len(Role))
            first = roles[0] if first is None else first
        counts[first] -= 1
        counts[Role.CONTEXT] += 1
        return counts


class DocumentStore:
    """The documents of several parts, memory-mapped and addressed by position.

    Args:
        directories: The parts' directories.

    Attributes:
        owner: Part and file of each document, [n, 2], ascending.
        excerpts: Which are to be joined.
        ends: Which hold the end of their file.
    """

    def __init__(self, directories: Sequence[Path]) -> None:
        self._files = [MappedFile(directory / DOCUMENTS_FILE) for directory in directories]
        batches = [_Batch(part, file, index) for part, file in enumerate(self._files) for index in range(len(file))]
        self._ids = [batch.ids for batch in batches]
        self._roles = [batch.roles for batch in batches]
        self._lengths = _joined([batch.lengths for batch in batches], np.int32)
        self._starts = _joined([np.cumsum(batch.lengths) - batch.lengths for batch in batches], np.int32)
        self._batch = _joined([np.full(len(each.lengths), index) for index, each in enumerate(batches)], np.int32)
        self._recipes = _joined([batch.recipes for batch in batches], np.uint8)
        self.excerpts = _joined([batch.excerpts for batch in batches], np.bool_)
        self.ends = _joined([batch.ends for batch in batches], np.bool_)
        files = _joined([batch.files for batch in batches], np.int32)
        parts = _joined([np.full(len(batch.lengths), batch.part) for batch in batches], np.int32)
        self.owner = np.stack([parts, files], axis=1)

    def recipe(self, document: int) -> Recipe:
        """How one document was made."""
        return NAMES[int(self._recipes[document])]

    def piece(self, document: int) -> StoredPiece:
        """Tokens of one document."""
        return StoredPiece(self, document)

    def length(self, document: int) -> int:
        """How many tokens a document has."""
        return int(self._lengths[document])

    def ids(self, document: int) -> Ids:
        """Token ids of one document, as they are in the file."""
        return self._of(document, self._ids, 4)

    def roles(self, document: int) -> Roles:
        """Roles of the tokens of one document."""
        return self._of(document, self._roles, 1)

    def _of(self, document: int, columns: Sequence[NDArray[Any]], item_bytes: int) -> NDArray[Any]:
        start, length = self._starts[document], self._lengths[document]
        self._files[self.owner[document, 0]].passed(int(length) * item_bytes)
        values: NDArray[Any] = columns[self._batch[document]]
        return values[start : start + length]


class StoredPiece:
    """Tokens of a document in its file.

    Args:
        store: Where it is.
        document: Its position there.
    """

    __slots__ = ("_store", "document")

    def __init__(self, store: DocumentStore, document: int) -> None:
        self._store = store
        self.document = document

    def __len__(self) -> int:
        return self._store.length(self.document)

    @property
    def ids(self) -> Ids:
        """Token ids."""
        return self._store.ids(self.document)

    @property
    def roles(self) -> Roles:
        """`Role` of each."""
        return self._store.roles(self.document)


class Documents:
    """Documents in a row, of stored pieces and a few that are joined in between.

    Args:
        store: Where the stored pieces are.
    """

    def __init__(self, store: DocumentStore) -> None:
        self._store = store
        self._recipes = array("B")
        self._lengths = array("i")
        self._ends = array("q")
        # A position in the store, or where a piece of its own is: -1 for the first one, -2 for the second.
        self._pieces = array("q")
        self._own_ids = array("i")
        self._own_roles = array("B")
        self._own_ends = array("q")

    @property
    def lengths(self) -> Sequence[int]:
        """Tokens of each."""
        return self._lengths

    def append(self, recipe: Recipe, pieces: Sequence[Tokens]) -> None:
        """Add a document."""
        for piece in pieces:
            if isinstance(piece, StoredPiece):
                self._pieces.append(piece.document)
                continue
            self._own_ids.frombytes(np.asarray(piece.ids, dtype=np.intc).tobytes())
            self._own_roles.frombytes(np.asarray(piece.roles, dtype=np.uint8).tobytes())
            self._own_ends.append(len(self._own_ids))
            self._pieces.append(-len(self._own_ends))
        self._recipes.append(NAMES.index(recipe))
        self._lengths.append(sum(map(len, pieces)))
        self._ends.append(len(self._pieces))

    def __len__(self) -> int:
        return len(self._ends)

    def __getitem__(self, position: int) -> PackedDocument:
        start = self._ends[position - 1] if position else 0
        pieces = [self._piece(place) for place in self._pieces[start : self._ends[position]]]
        return PackedDocument(NAMES[self._recipes[position]], pieces)

    def __iter__(self) -> Iterator[PackedDocument]:
        return (self[position] for position in range(len(self)))

    def _piece(self, place: int) -> Tokens:
        if place >= 0:
            return self._store.piece(place)
        own = -place - 1
        start, end = self._own_ends[own - 1] if own else 0, self._own_ends[own]
        ids, roles = self._own_ids[start:end], self._own_roles[start:end]
        return Piece(np.array(ids, dtype=np.int32), np.array(roles, dtype=np.uint8))


class _Batch:
    """The columns of one batch of `documents.arrow`: long ones as views of the file, the others read."""

    def __init__(self, part: int, file: MappedFile, index: int) -> None:
        batch = file.reader.get_batch(index)
        self.part = part
        self.ids: Ids = batch.column("ids").flatten().to_numpy()
        self.roles = _binary_values(batch.column("roles"))
        self.lengths: NDArray[np.int32] = batch.column("ids").value_lengths().to_numpy()
        self.recipes = _codes(batch.column("recipe"))
        # Views would hold the page that they lie in, for as long as they live.
        self.excerpts = batch.column("excerpt").to_numpy() > 0
        self.ends = batch.column("ends").to_numpy() > 0
        self.files: NDArray[np.int32] = batch.column("file").to_numpy().copy()
        file.passed(len(DOCUMENTS) * AROUND_BYTES)  # each column lies in another place


def _codes(recipes: Any) -> NDArray[np.uint8]:
    """Recipes by their places in `NAMES`."""
    encoded = recipes.dictionary_encode()
    places = np.array([NAMES.index(name) for name in encoded.dictionary.to_pylist()], dtype=np.uint8)
    codes: NDArray[np.uint8] = places[encoded.indices.to_numpy()]
    return codes


def _binary_values(column: Any) -> NDArray[np.uint8]:
    """The bytes of all values of a binary column, one after the other."""
    _, offsets, values = column.buffers()
    first, last = np.frombuffer(offsets, dtype=np.int32)[[column.offset, column.offset + len(column)]]
    content = np.frombuffer(values, dtype=np.uint8) if values is not None else np.empty(0, dtype=np.uint8)
    return content[first:last]


def _joined(arrays: Sequence[NDArray[Any]], kind: DTypeLike) -> NDArray[Any]:
    return np.concatenate(arrays).astype(kind, copy=False) if arrays else np.empty(0, dtype=kind)
