"""What preparation would keep of a source, counted without tokenizing: for the plan, before anything starts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass

from duotune.config.run import DataConfig, ProjectConfig
from duotune.data.filters import unmatched
from duotune.data.late import added_after
from duotune.data.reasons import Reason
from duotune.data.sieve import Sieve, Sifted
from duotune.runs.funnel import UNKNOWN
from duotune.sources.source import Source

BYTES_PER_TOKEN = 3.2
"""Of code, across the byte-level vocabularies of 30,000 to 150,000 tokens that code models have."""


@dataclass(frozen=True)
class Survey:
    """Counts of one source.

    Attributes:
        files: Files that would be kept.
        bytes: Their bytes.
        by_language: Kept files and bytes by language, most bytes first.
        found: The same for all files that there are, kept or not, as the funnel counts them; `unknown` where no
            language is known.
        doubtful: Kept files and bytes that may be other people's code, by the glob that would exclude them.
        rejected: Files left out by reason, most first.
        estimated_tokens: Tokens of the kept bytes at 3.2 bytes per token.
        complete: Whether every file was read; near-duplicates are never looked for.
        late: Kept files first committed after `data.held_out_after`; 0 where that names no day.
        unmatched: Globs of `include` and of `exclude` that match no file, by setting.
    """

    files: int
    bytes: int
    by_language: Mapping[str, tuple[int, int]]
    found: Mapping[str, tuple[int, int]]
    doubtful: Mapping[str, tuple[int, int]]
    rejected: Mapping[str, int]
    estimated_tokens: int
    complete: bool
    late: int
    unmatched: Mapping[str, Sequence[str]]


class _Tally:
    """Files and bytes by name."""

    def __init__(self) -> None:
        self._files: Counter[str] = Counter()
        self._bytes: Counter[str] = Counter()

    def add(self, name: str, size: int) -> None:
        self._files[name] += 1
        self._bytes[name] += size

    @property
    def total(self) -> tuple[int, int]:
        return self._files.total(), self._bytes.total()

    def largest_first(self) -> dict[str, tuple[int, int]]:
        return {name: (self._files[name], size) for name, size in self._bytes.most_common()}


def survey(source: Source, project: ProjectConfig, data: DataConfig) -> Survey:
    """Count what preparation would keep.

    Raises:
        UsageError: A language that is not known.
        SourceError: The source cannot be read, or a day is named and it has no history, or not the whole of it.
    """
    sieve = Sieve(source)
    late = added_after(data, source, sieve.files(project, data))
    sifted = list(sieve.sift(project, data, lambda: nullcontext(source)))
    return summary(sieve, sifted, project, late)


def summary(
    sieve: Sieve, sifted: Iterable[Sifted], project: ProjectConfig, late: Collection[str] = frozenset()
) -> Survey:
    """Count verdicts.

    Args:
        sieve: What gave them.
        sifted: All of them.
        project: The rules that they were given by.
        late: Printable paths of files first committed after `data.held_out_after`.
    """
    rejected: Counter[Reason] = Counter()
    kept, found, doubtful = _Tally(), _Tally(), _Tally()
    came_late: set[str] = set()
    for file in sifted:
        if not file.path.endswith("/"):  # as in the funnel, where nobody has counted the files of a directory either
            found.add(file.language or UNKNOWN, file.size)
        if file.reason is not None:
            rejected[file.reason] += 1
            continue
        kept.add(file.language or UNKNOWN, file.size)
        came_late.update({file.path}.intersection(late))
        if file.doubt:
            doubtful.add(file.doubt, file.size)
    files, size = kept.total
    return Survey(
        files=files,
        bytes=size,
        by_language=kept.largest_first(),
        found=found.largest_first(),
        doubtful=doubtful.largest_first(),
        rejected={reason.value: count for reason, count in rejected.most_common()},
        estimated_tokens=round(size / BYTES_PER_TOKEN),
        complete=sieve.complete,
        late=len(came_late),
        unmatched=_unmatched(project, [entry.path for entry in sieve.listing]),
    )


def _unmatched(project: ProjectConfig, paths: Sequence[str]) -> dict[str, list[str]]:
    globs = {"include": unmatched(project.include, paths), "exclude": unmatched(project.exclude, paths)}
    return {setting: found for setting, found in globs.items() if found}
