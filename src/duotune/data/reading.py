"""A project's files are read, judged and signed, batch by batch, in as many processes as there are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa

from duotune.data.content import content_hash
from duotune.data.earlier import Earlier, TakenOver, identity
from duotune.data.filters import Filters, Surroundings
from duotune.data.funnel import LeftOut, judged
from duotune.data.imports import imports
from duotune.data.part_files import ArrowFile, gathered, texts_batch
from duotune.data.parts import PartFile, RejectedFile
from duotune.data.reasons import TRANSIENT
from duotune.data.redaction.clean import Cleaner
from duotune.data.shards import Shards
from duotune.data.similarity import shingles, signatures
from duotune.sources.source import Rejected, Source, SourceFile

_BATCH_FILES = 256
_BATCH_BYTES = 1_000_000

Progress = Callable[[int, int], None]
"""Called with the bytes done and the total."""


@dataclass(frozen=True)
class ReadFiles:
    """The verdicts on a project's files.

    Attributes:
        accepted: Files that passed, in the order of their paths, as rows of `texts.arrow`.
        rejected: The others.
        origins: Row of each accepted file -> what an earlier part has of it.
    """

    accepted: list[PartFile]
    rejected: list[RejectedFile]
    origins: dict[int, TakenOver]


@dataclass(frozen=True)
class Screening:
    """What screening needs besides a file's content."""

    filters: Filters
    cleaner: Cleaner


@dataclass(frozen=True)
class _Read:
    identity: str
    entry: tuple[SourceFile, bytes] | Rejected


@dataclass(frozen=True)
class _Screened:
    """Verdicts in the order of the files, and the texts of the accepted ones."""

    verdicts: list[PartFile | RejectedFile]
    texts: pa.RecordBatch


def read_files(
    source: Source,
    files: Sequence[SourceFile],
    screening: Screening,
    earlier: Earlier,
    target: ArrowFile,
    shards: Shards,
    progress: Progress,
) -> ReadFiles:
    """Read and judge every file that an earlier part does not know; texts go to disk, the rest comes back.

    Args:
        source: The files' source, open.
        files: What to read, in the order of their paths.
        screening: The rules.
        earlier: What need not be read again.
        target: `texts.arrow`.
        shards: Where the work is done.
        progress: Told how far it is.
    """
    attributes = screening.filters.surroundings.attributes
    identities = [identity(file, attributes.of(file.path)) for file in files]
    found = [earlier.find(one) for one in identities]
    total = sum(file.size for file, known in zip(files, found, strict=True) if known is None)
    contents = iter(source.contents([file for file, known in zip(files, found, strict=True) if known is None]))
    batches = list(_batches(files))
    items = ([_Read(identities[at], next(contents)) for at in batch if found[at] is None] for batch in batches)
    result = ReadFiles([], [], {})
    done = 0
    for batch, screened in zip(batches, shards.map(screen, _slim(screening), items, total), strict=True):
        write = _merge([found[at] for at in batch], screened, earlier, result)
        if write is not None:
            target.write(write)
            earlier.passed(write.nbytes)
        done += sum(files[at].size for at in batch if found[at] is None)
        progress(done, total)
    return result


def screen(screening: Screening, items: Sequence[_Read]) -> _Screened:
    """Verdicts, texts, signatures and imports of some files; runs in any process."""
    verdicts: list[PartFile | RejectedFile] = []
    texts: list[str] = []
    languages: list[str] = []
    for item in items:
        verdict = judged(item.entry, screening.filters, screening.cleaner)
        if isinstance(verdict, LeftOut):
            verdicts.append(rejected_file(verdict, item.identity))
            continue
        texts.append(verdict.text)
        languages.append(verdict.language)
        verdicts.append(
            PartFile(
                path=verdict.path,
                blob_id=verdict.blob_id,
                language=verdict.language,
                size_bytes=verdict.size,
                content=content_hash(verdict.text),
                detail=verdict.detail,
                findings=verdict.findings,
                identity=item.identity,
            )
        )
    signed = signatures([shingles(text) for text in texts])
    imported = [imports(text, language) for text, language in zip(texts, languages, strict=True)]
    return _Screened(verdicts, texts_batch(texts, signed, imported))


def rejected_file(entry: LeftOut, judged_from: str | None = None) -> RejectedFile:
    """A file left out as a part records it.

    Args:
        entry: The verdict.
        judged_from: Identity of the file, where its content was asked for; what may be otherwise the next time is not
            to be taken over.
    """
    return RejectedFile(
        path=entry.path,
        reason=entry.reason,
        size_bytes=entry.size,
        detail=entry.detail,
        language=entry.language,
        read=entry.read,
        findings=entry.findings,
        identity=None if entry.reason in TRANSIENT else judged_from,
    )


def _slim(screening: Screening) -> Screening:
    """The rules on content alone; those on paths have spoken, and know every path of the project."""
    attributes = screening.filters.surroundings.attributes
    filters = replace(screening.filters, include=None, exclude=None, surroundings=Surroundings(attributes))
    return replace(screening, filters=filters)


def _merge(
    found: Iterable[TakenOver | RejectedFile | None], screened: _Screened, earlier: Earlier, result: ReadFiles
) -> pa.RecordBatch | None:
    """Append one batch to the result, new files and known ones in their order; returns its rows of `texts.arrow`."""
    verdicts = iter(screened.verdicts)
    new = pa.Table.from_batches([screened.texts])
    place = 0
    pieces: list[tuple[pa.Table, int, int]] = []
    for known in found:
        verdict = next(verdicts) if known is None else known
        if isinstance(verdict, RejectedFile):
            result.rejected.append(verdict)
        elif isinstance(verdict, TakenOver):
            result.origins[len(result.accepted)] = verdict
            result.accepted.append(verdict.afresh())
            pieces.append((earlier.texts, verdict.row, verdict.row + 1))
        else:
            result.accepted.append(verdict)
            pieces.append((new, place, place + 1))
            place += 1
    return gathered(pieces)


def _batches(files: Sequence[SourceFile]) -> Iterator[range]:
    """Ranges of files of about a megabyte; what is known already makes no difference, so that neither do the rows."""
    start = size = 0
    for at, file in enumerate(files):
        size += file.size
        if size >= _BATCH_BYTES or at + 1 - start == _BATCH_FILES or at + 1 == len(files):
            yield range(start, at + 1)
            start, size = at + 1, 0
