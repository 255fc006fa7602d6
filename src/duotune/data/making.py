"""The documents of a project's kept files, batch by batch, in as many processes as there are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from duotune.config.run import DataConfig
from duotune.data.earlier import Earlier, TakenOver
from duotune.data.examples import Document, ExampleMaker
from duotune.data.part_files import ArrowFile, Texts, documents_batch, gathered
from duotune.data.parts import PartFile
from duotune.data.reading import Progress
from duotune.data.shards import Shards
from duotune.data.source_text import Text
from duotune.errors import ModelError
from duotune.models.tokenizer import load_tokenizer

_BATCH_BYTES = 500_000


class Maker(Protocol):
    """Makes the documents of files."""

    def documents(self, texts: Sequence[Text]) -> list[Document]:
        """The documents of several files, in their order."""


@dataclass(frozen=True)
class RemoteMaker:
    """An `ExampleMaker` of another process, by what it is made from.

    Attributes:
        directory: Of the tokenizer.
        fingerprint: The tokenizer's.
        data: Settings, as JSON.
    """

    directory: Path
    fingerprint: str
    data: str

    def documents(self, texts: Sequence[Text]) -> list[Document]:
        """See `Maker`.

        Raises:
            ModelError: The tokenizer is another one by now.
        """
        return _example_maker(self).documents(texts)


def write_documents(
    files: Sequence[PartFile],
    texts: Texts,
    origins: dict[int, TakenOver],
    earlier: Earlier,
    maker: tuple[Maker, Maker],
    target: ArrowFile,
    shards: Shards,
    progress: Progress,
) -> list[PartFile]:
    """Write the documents of the kept files, those of files which an earlier part kept as they are there.

    Args:
        files: Accepted files, those that repeat another saying so.
        texts: Their texts.
        origins: What the earlier part has of them, by row.
        earlier: The earlier part.
        maker: The maker for this process, and its double for others.
        target: `documents.arrow`.
        shards: Where the work is done.
        progress: Told how far it is.

    Returns:
        The files with their tokens.
    """
    known = {row: origin for row, origin in origins.items() if origin.file.repeats is None}
    batches = list(_batches(files))
    total = sum(files[row].size_bytes for batch in batches for row in batch if row not in known)
    items = (
        [Text(row, texts.text(row), files[row].language, files[row].content) for row in batch if row not in known]
        for batch in batches
    )
    here, elsewhere = maker
    tokens = [0] * len(files)
    done = 0
    answers: Iterator[pa.RecordBatch] = shards.map(make, elsewhere, items, total, here=here)
    for batch, made in zip(batches, answers, strict=True):
        write = _merge(batch, made, known, earlier, tokens)
        if write is not None:
            target.write(write)
            earlier.passed(write.nbytes)
        done += sum(files[row].size_bytes for row in batch if row not in known)
        progress(done, total)
    return [replace(file, tokens=count) if count else file for file, count in zip(files, tokens, strict=True)]


def make(maker: Maker, texts: Sequence[Text]) -> pa.RecordBatch:
    """Documents of some files; runs in any process."""
    return documents_batch(maker.documents(texts))


@lru_cache(maxsize=1)
def _example_maker(remote: RemoteMaker) -> ExampleMaker:
    tokenizer = load_tokenizer(remote.directory)
    if tokenizer.fingerprint != remote.fingerprint:
        raise ModelError("The model's tokenizer.json changed during the preparation.", "Start the run again.")
    return ExampleMaker(tokenizer, DataConfig.model_validate_json(remote.data))


def _merge(
    rows: Sequence[int], made: pa.RecordBatch, known: dict[int, TakenOver], earlier: Earlier, tokens: list[int]
) -> pa.RecordBatch | None:
    """The documents of one batch of files in the order of the files, whose tokens are filled in."""
    new = pa.Table.from_batches([made])
    owners = made.column("file").to_numpy()
    sizes = made.column("ids").value_lengths().to_numpy()
    pieces: list[tuple[pa.Table, int, int]] = []
    counts: list[int] = []
    for row in rows:
        if row in known:
            start, end = earlier.documents_of(known[row].row)
            tokens[row] = known[row].file.tokens
            pieces.append((earlier.documents, start, end))
        else:
            start, end = (int(place) for place in np.searchsorted(owners, (row, row + 1)))
            tokens[row] = int(sizes[start:end].sum())
            pieces.append((new, start, end))
        counts.append(end - start)
    batch = gathered(pieces)
    if batch is None:
        return None
    file: NDArray[np.int32] = np.repeat(np.asarray(rows, dtype=np.int32), counts)
    return batch.set_column(0, batch.schema.field(0), pa.array(file))


def _batches(files: Sequence[PartFile]) -> Iterator[list[int]]:
    """Rows of kept files of about half a megabyte; what is known already makes no difference."""
    batch: list[int] = []
    size = 0
    for row, file in enumerate(files):
        if file.repeats is None:
            batch.append(row)
            size += file.size_bytes
        if size >= _BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
