"""The Arrow files of a part: `texts.arrow` and `documents.arrow`, written batch by batch and read through a mapping."""

from __future__ import annotations

import mmap
from array import array
from collections.abc import Iterator, Sequence
from itertools import accumulate
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar
from weakref import WeakSet

import numpy as np
import pyarrow as pa

from duotune.data.examples import Document
from duotune.errors import CheckFailed, printable

TEXTS_FILE = "texts.arrow"
DOCUMENTS_FILE = "documents.arrow"
TEXTS = pa.schema([("text", pa.large_string()), ("signature", pa.binary()), ("imports", pa.list_(pa.string()))])
DOCUMENTS = pa.schema(
    [
        ("file", pa.int32()),
        ("recipe", pa.string()),
        ("ids", pa.list_(pa.int32())),
        ("roles", pa.binary()),
        ("excerpt", pa.uint8()),
        ("ends", pa.uint8()),
    ]
)
_KEEP_BYTES = 8 * 2**20
# Linux maps this much around a place that is read for the first time.
AROUND_BYTES = 2**16


class ArrowFile:
    """Writes record batches to an Arrow IPC file.

    Args:
        file: Where to.
        schema: Its columns.
    """

    def __init__(self, file: Path, schema: pa.Schema) -> None:
        self._writer = pa.ipc.new_file(file, schema)

    def write(self, batch: pa.RecordBatch) -> None:
        """Append one batch of rows."""
        self._writer.write_batch(batch)

    def __enter__(self) -> ArrowFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writer.close()


class MappedFile:
    """An Arrow IPC file in memory as far as it is being read.

    Together all of them keep 8 MiB, however many projects there are.

    Args:
        file: The file.

    Attributes:
        reader: Its batches, which point into the file.

    Raises:
        CheckFailed: It is missing or damaged.
    """

    _open: ClassVar[WeakSet[MappedFile]] = WeakSet()
    _read: ClassVar[int] = 0

    def __init__(self, file: Path) -> None:
        try:
            with file.open("rb") as stream:
                self._mapping = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
            self.reader: Any = pa.ipc.open_file(pa.py_buffer(self._mapping))
        except (OSError, ValueError) as error:  # an empty file cannot be mapped; Arrow's errors are ValueErrors
            raise CheckFailed(
                f"The prepared part in {printable(file.parent)} is damaged.", "Remove that directory and run again."
            ) from error
        MappedFile._open.add(self)

    def __len__(self) -> int:
        return int(self.reader.num_record_batches)

    def passed(self, size_bytes: int) -> None:
        """Say how much was read at one place; every 8 MiB the system gets the memory of all mapped files back.

        Else a process that reads through large files seems to hold all of them. What is still in use is read again.
        """
        MappedFile._read += max(size_bytes, AROUND_BYTES)
        if MappedFile._read >= _KEEP_BYTES:
            MappedFile._read = 0
            for file in MappedFile._open:
                file._mapping.madvise(mmap.MADV_DONTNEED)


class Texts:
    """Texts, signatures and imports of a part, memory-mapped.

    Args:
        file: `texts.arrow`.

    Attributes:
        mapped: The file.
        table: All columns.

    Raises:
        CheckFailed: It is missing or damaged.
    """

    def __init__(self, file: Path) -> None:
        self.mapped = MappedFile(file)
        self.table: pa.Table = self.mapped.reader.read_all()

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def text(self, row: int) -> str:
        """The text of one file."""
        text = str(self.table["text"][row].as_py())
        self.mapped.passed(len(text))
        return text

    def imports(self, row: int) -> list[str]:
        """What one file imports."""
        return list(self.table["imports"][row].as_py())

    def signature(self, row: int) -> bytes:
        """The signature of one file."""
        signature = bytes(self.table["signature"][row].as_py())
        self.mapped.passed(len(signature))
        return signature


def texts_batch(texts: Sequence[str], signatures: Sequence[bytes], imports: Sequence[Sequence[str]]) -> pa.RecordBatch:
    """The columns of `texts.arrow`."""
    return pa.RecordBatch.from_pydict({"text": texts, "signature": signatures, "imports": imports}, schema=TEXTS)


def documents_batch(documents: Sequence[Document]) -> pa.RecordBatch:
    """Documents as the columns of `documents.arrow`; ids never become Arrow values one by one."""
    ids = array("i")
    for document in documents:
        ids.extend(array("i", document.ids))
    offsets = pa.array(list(accumulate((len(document.ids) for document in documents), initial=0)), type=pa.int32())
    roles = pa.py_buffer(b"".join(document.roles for document in documents))
    columns = [
        pa.array([document.file for document in documents], type=pa.int32()),
        pa.array([document.recipe for document in documents], type=pa.string()),
        pa.ListArray.from_arrays(offsets, pa.array(np.frombuffer(ids, dtype=np.int32))),
        pa.Array.from_buffers(pa.binary(), len(documents), [None, offsets.buffers()[1], roles]),
        pa.array([document.excerpt for document in documents], type=pa.bool_()).cast(pa.uint8()),
        pa.array([document.ends for document in documents], type=pa.bool_()).cast(pa.uint8()),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=DOCUMENTS)


def gathered(pieces: Sequence[tuple[pa.Table, int, int]]) -> pa.RecordBatch | None:
    """Rows of several tables as one batch that owns its memory: from each table those between two places.

    Args:
        pieces: Table, first row and end, in the order wanted; of one schema.

    Returns:
        The batch; None when there are no rows.
    """
    runs: list[tuple[pa.Table, int, int]] = []
    for table, start, end in pieces:
        if runs and runs[-1][0] is table and runs[-1][2] == start:
            runs[-1] = table, runs[-1][1], end
        elif start < end:
            runs.append((table, start, end))
    if not runs:
        return None
    whole = pa.concat_tables([table.slice(start, end - start) for table, start, end in runs])
    (batch,) = whole.combine_chunks().to_batches()
    return batch


def read_documents(directory: Path) -> Iterator[pa.RecordBatch]:
    """The batches of `documents.arrow`, memory-mapped.

    Raises:
        CheckFailed: It is missing or damaged.
    """
    reader = MappedFile(directory / DOCUMENTS_FILE).reader
    for index in range(reader.num_record_batches):
        yield reader.get_batch(index)
