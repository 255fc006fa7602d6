"""What preparation would keep of a source, counted without tokenizing: for the plan, before anything starts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from duotune.config.run import DataConfig, ProjectConfig
from duotune.data.content import content_hash
from duotune.data.filters import filters_of, unmatched
from duotune.data.funnel import Accepted, LeftOut, look_around, screen_contents, screen_paths
from duotune.data.languages import by_path
from duotune.data.late import added_after
from duotune.data.reasons import Reason
from duotune.data.redaction.clean import Cleaner
from duotune.data.redaction.fingerprints import Fingerprints
from duotune.errors import printable
from duotune.runs.funnel import UNKNOWN
from duotune.sources.source import Source, SourceFile, nothing

BYTES_PER_TOKEN = 3.2
"""Of code, across the byte-level vocabularies of 30,000 to 150,000 tokens that code models have."""
READ_BYTES = 16_000_000
"""So much is read and judged; the rest is judged by name and size, which finds nearly all that is left out."""


@dataclass(frozen=True)
class Survey:
    """Counts of one source.

    Attributes:
        files: Files that would be kept.
        bytes: Their bytes.
        by_language: Kept files and bytes by language, most bytes first.
        found: The same for all files that there are, kept or not; `unknown` where no language is known.
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
    filters = filters_of(project, data)
    listing = list(source.files(nothing))
    filters = filters.knowing(look_around(source, listing))
    readable, left_out = screen_paths(listing, filters)
    held_out = added_after(data, source, readable)
    late: set[str] = set()
    rejected: Counter[Reason] = Counter()
    kept, found, doubtful = _Tally(), _Tally(), _Tally()

    def keep(path: str, language: str, size: int) -> None:
        kept.add(language, size)
        found.add(language, size)
        late.update({printable(path)} & held_out)
        if rule := filters.doubt(path):
            doubtful.add(rule, size)

    def leave_out(entry: LeftOut) -> None:
        rejected[entry.reason] += 1
        if entry.language or entry.size:  # else it is a link, a directory or the like
            found.add(entry.language or UNKNOWN, entry.size)

    for entry in left_out:
        leave_out(entry)
    contents: set[str] = set()
    read, unread = _within_reach(readable)
    for file, language in unread:
        keep(file.path, language, file.size)
    for judged in screen_contents(source, read, filters, Cleaner(data, Fingerprints.unkept())):
        if not isinstance(judged, Accepted):
            leave_out(judged)
        elif (content := content_hash(judged.text)) in contents:
            leave_out(LeftOut(judged.path, Reason.EXACT_DUPLICATE, judged.size, language=judged.language))
        else:
            contents.add(content)
            keep(judged.path, judged.language, judged.size)
    files, size = kept.total
    return Survey(
        files=files,
        bytes=size,
        by_language=kept.largest_first(),
        found=found.largest_first(),
        doubtful=doubtful.largest_first(),
        rejected={reason.value: count for reason, count in rejected.most_common()},
        estimated_tokens=round(size / BYTES_PER_TOKEN),
        complete=not unread,
        late=len(late),
        unmatched=_unmatched(project, [entry.path for entry in listing]),
    )


def _unmatched(project: ProjectConfig, paths: Sequence[str]) -> dict[str, list[str]]:
    globs = {"include": unmatched(project.include, paths), "exclude": unmatched(project.exclude, paths)}
    return {setting: found for setting, found in globs.items() if found}


def _within_reach(files: Sequence[SourceFile]) -> tuple[list[SourceFile], list[tuple[SourceFile, str]]]:
    """The files to read, and those past the limit with the language that their name shows."""
    read, unread = [], []
    room = READ_BYTES
    for file in files:
        room -= file.size
        language = by_path(file.path)
        if room >= 0 or language is None:
            read.append(file)
        else:
            unread.append((file, language.name))
    return read, unread
