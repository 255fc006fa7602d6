"""Reads a project's files through the filters: each file comes out with its text, or with the reason why not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from duotune.data.decoding import decode
from duotune.data.filters import Filters
from duotune.data.reasons import Reason, of_source
from duotune.errors import printable
from duotune.sources.source import Rejected, Source, SourceFile


@dataclass(frozen=True)
class Accepted:
    """A file that passed the filters.

    Attributes:
        path: Its path, printable.
        blob_id: Git's id of its content.
        size: Bytes of its content.
        language: linguist's name.
        text: Its text with LF line ends.
    """

    path: str
    blob_id: str
    size: int
    language: str
    text: str


@dataclass(frozen=True)
class LeftOut:
    """A file that did not.

    Attributes:
        path: Its path, printable.
        reason: Why.
        size: Bytes of its content; 0 where it was not looked at.
    """

    path: str
    reason: Reason
    size: int = 0


def screen_paths(listing: Iterable[SourceFile | Rejected], filters: Filters) -> tuple[list[SourceFile], list[LeftOut]]:
    """The files worth reading, and those that their path or size rules out."""
    readable: list[SourceFile] = []
    left_out: list[LeftOut] = []
    for entry in listing:
        if isinstance(entry, Rejected):
            left_out.append(LeftOut(printable(entry.path), of_source(entry.reason)))
        elif (reason := filters.reject_path(entry.path, entry.size)) is not None:
            left_out.append(LeftOut(printable(entry.path), reason, entry.size))
        else:
            readable.append(entry)
    return readable, left_out


def screen_contents(source: Source, files: Iterable[SourceFile], filters: Filters) -> Iterator[Accepted | LeftOut]:
    """Every file in the order given, judged by its content."""
    for entry in source.contents(files):
        if isinstance(entry, Rejected):
            yield LeftOut(printable(entry.path), of_source(entry.reason))
            continue
        file, content = entry
        path = printable(file.path)
        text = decode(content)
        if isinstance(text, Reason):
            yield LeftOut(path, text, file.size)
            continue
        verdict = filters.judge_text(file.path, text)
        if isinstance(verdict, Reason):
            yield LeftOut(path, verdict, file.size)
        else:
            yield Accepted(path, file.blob_id, file.size, verdict.name, text)
