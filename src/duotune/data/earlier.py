"""What an earlier preparation of the same project leaves to do: nothing of a file that is still the same.

A small file per project and settings names the newest part. A new preparation with the same settings takes over from it
the verdict, text, signature and documents of every file whose path, content and attributes are unchanged. Which files
repeat others is decided anew, since that depends on all of them.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from duotune import paths
from duotune.data.part_files import DOCUMENTS, DOCUMENTS_FILE, TEXTS, TEXTS_FILE, MappedFile, Texts
from duotune.data.parts import PIPELINE_VERSION, PartFile, RejectedFile, read_record
from duotune.errors import CheckFailed
from duotune.sources.attributes import FileAttributes
from duotune.sources.source import SourceFile

_KEY = re.compile(r"[0-9a-f]{64}")


def identity(file: SourceFile, said: FileAttributes) -> str:
    """32 hexadecimal digits over all that is particular to one file: its path, its content, and its attributes."""
    content = f"{file.path}\0{file.blob_id}\0{said!r}".encode("utf-8", "surrogateescape")
    return hashlib.sha256(content).hexdigest()[:32]


@dataclass(frozen=True)
class TakenOver:
    """A file that an earlier part accepted.

    Attributes:
        row: Its row there.
        file: What that part says of it.
    """

    row: int
    file: PartFile

    def afresh(self) -> PartFile:
        """The file before it is known whether it repeats another, and what its documents are."""
        return replace(self.file, tokens=0, repeats=None, reason=None)


class Earlier:
    """An earlier part, to take over from.

    Args:
        directory: The part; None when there is none.

    Attributes:
        texts: The columns of its `texts.arrow`.
        documents: The columns of its `documents.arrow`.

    Raises:
        CheckFailed: It is damaged.
    """

    def __init__(self, directory: Path | None) -> None:
        self._found: dict[str, TakenOver | RejectedFile] = {}
        self.texts: pa.Table = TEXTS.empty_table()
        self.documents: pa.Table = DOCUMENTS.empty_table()
        self._places: NDArray[np.int64] = np.zeros(1, dtype=np.int64)
        self._mapped: list[MappedFile] = []
        if directory is not None:
            self._open(directory)

    def find(self, identity: str) -> TakenOver | RejectedFile | None:
        """What the part says of the file with an identity."""
        return self._found.get(identity)

    def documents_of(self, row: int) -> tuple[int, int]:
        """The first document of a file and the end of its documents, as rows of `documents`."""
        return int(self._places[row]), int(self._places[row + 1])

    def passed(self, size_bytes: int) -> None:
        """Say how much was taken over from the texts or the documents."""
        for file in self._mapped:
            file.passed(size_bytes)

    def _open(self, directory: Path) -> None:
        record = read_record(directory)
        stored, made = Texts(directory / TEXTS_FILE), MappedFile(directory / DOCUMENTS_FILE)
        texts, documents = stored.table, made.reader.read_all()
        owners = documents["file"].to_numpy()
        whole = texts.schema == TEXTS and documents.schema == DOCUMENTS and len(texts) == len(record.files)
        if not whole or record.pipeline != PIPELINE_VERSION or np.any(owners[1:] < owners[:-1]):
            raise CheckFailed("The earlier part is of another kind.")
        self.texts, self.documents, self._mapped = texts, documents, [stored.mapped, made]
        self._places = np.searchsorted(owners, np.arange(len(texts) + 1))
        for row, file in enumerate(record.files):
            if file.identity is not None:
                self._found[file.identity] = TakenOver(row, file)
        self._found.update({file.identity: file for file in record.rejected if file.identity is not None})


def earlier_part(settings: str) -> Earlier:
    """The newest part that was made with the same settings; an empty one where there is none or it is damaged.

    Args:
        settings: Fingerprint of the settings and of the project's name.
    """
    with contextlib.suppress(OSError, ValueError, CheckFailed):
        key = _pointer(settings).read_text()
        if _KEY.fullmatch(key):
            return Earlier(paths.parts() / key)
    return Earlier(None)


def remember(settings: str, part: Path) -> None:
    """Let the next preparation with the same settings take over from a part.

    A disk that refuses costs that preparation time, and nothing else.
    """
    pointer = _pointer(settings)
    draft = pointer.with_name(f".{pointer.name}-{os.getpid()}")
    with contextlib.suppress(OSError):
        if not pointer.exists() or pointer.read_text() != part.name:
            draft.write_text(part.name)
            draft.replace(pointer)


def _pointer(settings: str) -> Path:
    return paths.parts() / f"newest-{settings}"
