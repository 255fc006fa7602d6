"""Reads a project's files through the filters: each file comes out with its text, or with the reason why not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from duotune.data.decoding import Decoded, decode
from duotune.data.filters import Filters, Surroundings
from duotune.data.reasons import Reason, Rejection, of_source
from duotune.data.redaction.clean import Cleaner, FoundValue, places
from duotune.data.redaction.finding import Finding, redact
from duotune.data.redaction.scan import scan_path
from duotune.data.vendored import Vendored
from duotune.errors import printable
from duotune.sources.attributes import read_attributes
from duotune.sources.source import Rejected, Source, SourceFile, nothing


@dataclass(frozen=True)
class Accepted:
    """A file that passed the filters.

    Attributes:
        path: Its path, printable.
        blob_id: Git's id of its content.
        size: Bytes of its content.
        language: linguist's name.
        text: Its text with LF line ends, placeholders in the place of secrets and personal data.
        detail: What is worth knowing of it, such as the encoding that it was recoded from; often empty.
        findings: What the placeholders stand for.
    """

    path: str
    blob_id: str
    size: int
    language: str
    text: str
    detail: str = ""
    findings: tuple[FoundValue, ...] = ()


@dataclass(frozen=True)
class LeftOut:
    """A file that did not.

    Attributes:
        path: Its path, printable; it ends in `/` where a whole directory was left out.
        reason: Why.
        size: Its bytes; 0 where they are not known.
        detail: Which rule said so, printable and without anything of the content.
        language: linguist's name, where it is known.
        read: Whether its content was looked at; else its name or its size ruled it out.
        findings: Secrets and personal data, when those are why.
    """

    path: str
    reason: Reason
    size: int = 0
    detail: str = ""
    language: str | None = None
    read: bool = False
    findings: tuple[FoundValue, ...] = ()


def look_around(source: Source, listing: Sequence[SourceFile | Rejected]) -> Surroundings:
    """What a project's files say about each other: its `.gitattributes`, and where package managers put other code."""
    vendored = Vendored(entry.path for entry in listing if isinstance(entry, SourceFile))
    return Surroundings(read_attributes(source, listing), vendored)


def list_files(source: Source, filters: Filters) -> tuple[list[SourceFile | Rejected], Filters]:
    """Every file in the order of its path, and filters that know them all.

    Files that may matter have their blob ids; a folder does not read the others.
    """
    listing = list(source.files(nothing))
    filters = filters.knowing(look_around(source, listing))
    if source.kind == "folder":  # only a second walk can hash the files that the filters want, and no others
        listing = list(source.files(lambda path, size: filters.reject_path(path, size) is None))
    return sorted(listing, key=lambda entry: entry.path.encode("utf-8", "surrogateescape")), filters


def screen_paths(listing: Iterable[SourceFile | Rejected], filters: Filters) -> tuple[list[SourceFile], list[LeftOut]]:
    """The files worth reading, and those that their path or size rules out.

    A path that holds a token is shown with a placeholder in its place, and no file there is read.
    """
    readable: list[SourceFile] = []
    left_out: list[LeftOut] = []
    for entry in listing:
        if (found := scan_path(entry.path)) != []:
            left_out.append(_secret_path(entry, found))
        elif isinstance(entry, Rejected):
            left_out.append(_of_source(entry))
        elif (rejection := filters.reject_path(entry.path, entry.size)) is not None:
            left_out.append(_left_out(entry, rejection, read=False))
        else:
            readable.append(entry)
    return readable, left_out


def screen_contents(
    source: Source, files: Iterable[SourceFile], filters: Filters, cleaner: Cleaner
) -> Iterator[Accepted | LeftOut]:
    """Every file in the order given, judged by its content, then without its secrets and personal data."""
    for entry in source.contents(files):
        yield judged(entry, filters, cleaner)


def judged(entry: tuple[SourceFile, bytes] | Rejected, filters: Filters, cleaner: Cleaner) -> Accepted | LeftOut:
    """The verdict on one file as its source gave it."""
    if isinstance(entry, Rejected):
        return _of_source(entry)
    file, content = entry
    decoded = decode(content)
    if not isinstance(decoded, Decoded):
        return _left_out(file, decoded, read=True)
    verdict = filters.judge_text(file.path, decoded.text)
    if isinstance(verdict, Rejection):
        return _left_out(file, verdict, read=True)
    cleaned = cleaner.clean(decoded.text, verdict.name)
    path = printable(file.path)
    if cleaned.reason is not None:
        return LeftOut(path, cleaned.reason, file.size, places(cleaned.findings), verdict.name, True, cleaned.findings)
    detail = f"recoded from {decoded.recoded}" if decoded.recoded else ""
    return Accepted(path, file.blob_id, file.size, verdict.name, cleaned.text, detail, cleaned.findings)


def _left_out(file: SourceFile, rejection: Rejection, read: bool) -> LeftOut:
    return LeftOut(printable(file.path), rejection.reason, file.size, rejection.detail, rejection.language, read)


def _secret_path(entry: SourceFile | Rejected, found: Sequence[Finding]) -> LeftOut:
    path = printable(redact(entry.path, found))
    return LeftOut(path, Reason.SECRET_FILE, entry.size, f"{found[0].rule} in its path")


def _of_source(entry: Rejected) -> LeftOut:
    return LeftOut(printable(entry.path), of_source(entry.reason), entry.size)
