"""The files of several parts as one list: what is kept across them, and what repeats what."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from duotune.data.clusters import near_duplicates
from duotune.data.part_files import TEXTS_FILE, Texts
from duotune.data.parts import PartFile, PartRecord, read_record
from duotune.data.reasons import Reason
from duotune.data.shards import Shards
from duotune.data.similarity import Shingles, shingles
from duotune.data.split import Candidate

_CACHED_FILES = 512
_BATCH_CHARACTERS = 500_000


@dataclass(frozen=True, slots=True)
class Repeat:
    """Why a file of a pool is not kept.

    Attributes:
        reason: Exact or near-duplicate.
        original: `project:path` of the kept file that it repeats; None for a leak, which may repeat several.
    """

    reason: Reason
    original: str | None


@dataclass(frozen=True, slots=True)
class PooledFile:
    """A file of one of the parts.

    Attributes:
        part: Index of the part.
        row: Its row there.
        project: Name of the part's project.
        file: What the part says of it.
    """

    part: int
    row: int
    project: str
    file: PartFile

    @property
    def place(self) -> str:
        """`project:path`."""
        return f"{self.project}:{self.file.path}"


class Pool:
    """All accepted files of some parts, by part and then by path.

    Args:
        parts: Project name and directory of each part.
        late: Of each part, printable paths of the files to hold out for their date.

    Attributes:
        projects: Name of each part's project.
        records: What each part says of itself.
        files: The files.
        repeats: Position -> why it is not kept; all others are.
    """

    def __init__(self, parts: Sequence[tuple[str, Path]], late: Sequence[Collection[str]] = ()) -> None:
        self._late = late
        self.projects = [project for project, _ in parts]
        self.records: list[PartRecord] = [read_record(directory) for _, directory in parts]
        self._texts = [Texts(directory / TEXTS_FILE) for _, directory in parts]
        self.files = [
            PooledFile(part, row, parts[part][0], file)
            for part, record in enumerate(self.records)
            for row, file in enumerate(record.files)
        ]
        self.shingles = lru_cache(maxsize=_CACHED_FILES)(self._shingles)
        self.repeats: dict[int, Repeat] = self._repeats()

    def text(self, position: int) -> str:
        """The text of a file."""
        pooled = self.files[position]
        return self._texts[pooled.part].text(pooled.row)

    def signature(self, position: int) -> bytes:
        """The signature of a file; read anew each time, since all of them take a kilobyte per file."""
        pooled = self.files[position]
        return self._texts[pooled.part].signature(pooled.row)

    def shingle_sets(self, positions: Sequence[int], shards: Shards) -> Iterator[Shingles]:
        """The shingles of some files, in their order, made in as many processes as there are."""
        size = sum(self.files[position].file.size_bytes for position in positions)
        for made in shards.map(_shingle_sets, None, self._batches(positions), size):
            yield from made

    def imports(self, position: int) -> list[str]:
        """What a file imports."""
        pooled = self.files[position]
        return self._texts[pooled.part].imports(pooled.row)

    def candidates(self) -> list[Candidate]:
        """The files as the split sees them."""
        return [
            Candidate(
                project=f.project,
                language=f.file.language,
                content=f.file.content,
                signature=self.signature(position),
                kept=position not in self.repeats,
                late=bool(self._late) and f.file.path in self._late[f.part],
            )
            for position, f in enumerate(self.files)
        ]

    def _batches(self, positions: Sequence[int]) -> Iterator[list[str]]:
        """Texts of about half a megabyte together."""
        batch: list[str] = []
        size = 0
        for position in positions:
            batch.append(self.text(position))
            size += len(batch[-1])
            if size >= _BATCH_CHARACTERS:
                yield batch
                batch, size = [], 0
        if batch:
            yield batch

    def _shingles(self, position: int) -> Shingles:
        return shingles(self.text(position))

    def _repeats(self) -> dict[int, Repeat]:
        repeats: dict[int, Repeat] = {}
        first: dict[str, int] = {}
        for position, pooled in enumerate(self.files):
            original = first.setdefault(pooled.file.content, position)
            if pooled.file.repeats is not None and pooled.file.reason is not None:
                repeats[position] = Repeat(pooled.file.reason, f"{pooled.project}:{pooled.file.repeats}")
            elif original != position:
                repeats[position] = Repeat(Reason.EXACT_DUPLICATE, self.files[original].place)
        kept = (b"" if position in repeats else self.signature(position) for position in range(len(self.files)))
        for position, original in near_duplicates(kept, self.shingles, self._apart).items():
            repeats[position] = Repeat(Reason.NEAR_DUPLICATE, self.files[original].place)
        return repeats

    def _apart(self, left: int, right: int) -> bool:
        """Pairs within one part were compared when it was made."""
        return self.files[left].part != self.files[right].part


def _shingle_sets(_: None, texts: Sequence[str]) -> list[Shingles]:
    """Runs in any process."""
    return [shingles(text) for text in texts]
