"""Judges a project's files by one set of rules after another; each file is listed and read once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from duotune.config.run import DataConfig, ProjectConfig
from duotune.data.content import content_hash
from duotune.data.filters import Filters, filters_of
from duotune.data.funnel import Accepted, LeftOut, look_around, screen_contents, screen_paths
from duotune.data.languages import by_path, known_languages
from duotune.data.reasons import Reason
from duotune.data.redaction.clean import Cleaner
from duotune.data.redaction.fingerprints import Fingerprints
from duotune.errors import printable
from duotune.sources.source import Source, SourceFile, nothing

READ_BYTES = 16_000_000
"""So much is read and judged; the rest is judged by name and size, which finds nearly all that is left out."""


@dataclass(frozen=True)
class Sifted:
    """The verdict on one file, or on one directory that is left out whole (its path ends in `/`).

    Attributes:
        path: Printable.
        reason: Why it is left out; None when it is kept.
        size: Bytes; 0 where they are not known.
        language: linguist's name, where it is known.
        detail: Which rule said so; often empty.
        doubt: The glob that would leave out a kept file that may be other people's code; often empty.
    """

    path: str
    reason: Reason | None
    size: int
    language: str | None
    detail: str = ""
    doubt: str = ""

    @property
    def kept(self) -> bool:
        """Whether it is not left out."""
        return self.reason is None


@dataclass(frozen=True)
class _Read:
    """What the content of a file says, whatever languages are chosen."""

    reason: Reason | None
    language: str | None
    detail: str
    content: str


class Sieve:
    """The files of one source, and what their contents have said so far.

    Near-duplicates are never looked for, and past 16 MB the name decides.

    Args:
        source: Open; only needed until the sieve is made.

    Attributes:
        commit: The pinned commit; None for a folder.
        listing: Every file and every one left out by the source.
        complete: Whether the last sifting has read every file whose name passed.
    """

    def __init__(self, source: Source) -> None:
        self.commit = source.commit
        self.listing = list(source.files(nothing))
        self._surroundings = look_around(source, self.listing)
        self._read: dict[tuple[str, str, str], _Read] = {}
        self.complete = True

    def files(self, project: ProjectConfig, data: DataConfig) -> list[SourceFile]:
        """The files whose names and sizes pass the rules.

        Raises:
            UsageError: A language that is not known.
        """
        return screen_paths(self.listing, self._filters(project, data))[0]

    def sift(
        self,
        project: ProjectConfig,
        data: DataConfig,
        open_again: Callable[[], AbstractContextManager[Source]],
        go_on: Callable[[], bool] = lambda: True,
    ) -> Iterator[Sifted]:
        """Every file with its verdict, in the order of the listing; what is left out by name comes first.

        Args:
            project: Its rules.
            data: Settings.
            open_again: Opens the source, for files that were not read before.
            go_on: Asked between files that are read; when it says no, the rest does not come.

        Raises:
            UsageError: A language that is not known.
            SourceError: The source cannot be read.
        """
        filters = self._filters(project, data)
        readable, left_out = screen_paths(self.listing, filters)
        yield from map(_sifted, left_out)
        read, unread = _within_reach(readable)
        self.complete = not unread
        for file, language in unread:
            yield Sifted(printable(file.path), None, file.size, language, doubt=filters.doubt(file.path))
        settings = (data.secrets, data.personal_data)
        missing = [file for file in read if (file.path, *settings) not in self._read]
        if missing:
            with open_again() as source:
                for file, verdict in self._contents(source, missing, filters, data):
                    self._read[file.path, *settings] = verdict
                    if not go_on():
                        return
        seen: set[str] = set()
        for file in read:
            yield self._judged(file, self._read[file.path, *settings], filters, seen)

    def _filters(self, project: ProjectConfig, data: DataConfig) -> Filters:
        return filters_of(project, data).knowing(self._surroundings)

    def _contents(
        self, source: Source, files: Sequence[SourceFile], filters: Filters, data: DataConfig
    ) -> Iterator[tuple[SourceFile, _Read]]:
        every = Filters(None, None, _ALL, filters.max_file_bytes, filters.surroundings)
        verdicts = screen_contents(source, files, every, Cleaner(data, Fingerprints.unkept()))
        for file, verdict in zip(files, verdicts, strict=True):
            if isinstance(verdict, Accepted):
                yield file, _Read(None, verdict.language, verdict.detail, content_hash(verdict.text))
            else:
                yield file, _Read(verdict.reason, verdict.language, verdict.detail, "")

    def _judged(self, file: SourceFile, verdict: _Read, filters: Filters, seen: set[str]) -> Sifted:
        reason, detail, doubt = verdict.reason, verdict.detail, ""
        chosen = verdict.language is None or filters.chosen(verdict.language)
        if not chosen and verdict.language is not None and reason not in _BEFORE_LANGUAGE:
            reason, detail = Reason.LANGUAGE_NOT_CHOSEN, ""
        elif reason is None and verdict.content in seen:
            reason, detail = Reason.EXACT_DUPLICATE, ""
        elif reason is None:
            seen.add(verdict.content)
            doubt = filters.doubt(file.path)
        return Sifted(printable(file.path), reason, file.size, verdict.language, detail, doubt)


_ALL = frozenset(language.name for language in known_languages())
_BEFORE_LANGUAGE = frozenset({Reason.LFS_POINTER})
"""What is said of a text before its language is asked."""


def _sifted(entry: LeftOut) -> Sifted:
    return Sifted(entry.path, entry.reason, entry.size, entry.language, entry.detail)


def _within_reach(files: Iterable[SourceFile]) -> tuple[list[SourceFile], list[tuple[SourceFile, str]]]:
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
