"""One project becomes a part: filtered, deduplicated and tokenized once, then found again by its content."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from duotune import paths
from duotune.config.resolve import project_name
from duotune.config.run import DataConfig, ProjectConfig
from duotune.data.building import building
from duotune.data.content import content_hash
from duotune.data.duplicates import deduplicated
from duotune.data.examples import Document, ExampleMaker
from duotune.data.filters import Filters, filters_of
from duotune.data.funnel import Accepted, LeftOut, list_files, screen_contents, screen_paths
from duotune.data.imports import imports
from duotune.data.late import added_after
from duotune.data.parts import (
    DOCUMENTS_FILE,
    PIPELINE_VERSION,
    RECORD_FILE,
    TEXTS_FILE,
    PartFile,
    PartRecord,
    RejectedFile,
    Texts,
    document_columns,
    key_without,
    part_key,
    read_record,
    write_documents,
    write_texts,
)
from duotune.data.reasons import TRANSIENT
from duotune.data.redaction.clean import Cleaner
from duotune.data.redaction.fingerprints import fingerprints
from duotune.data.similarity import shingles, signatures
from duotune.data.source_text import Text
from duotune.errors import SourceError
from duotune.models.tokenizer import CodeTokenizer
from duotune.runs.reporter import Reporter, Stopped
from duotune.sources.source import Source, SourceFile

_READ_FILES = 256
_BATCH_CHARACTERS = 500_000


@dataclass(frozen=True)
class Part:
    """A prepared part.

    Attributes:
        directory: Where it is.
        project: Name of the project.
        commit: The pinned commit; None for a folder.
        files: Kept files.
        rejected: Files left out, duplicates included.
        tokens: Tokens of its documents.
        languages: Kept files by language, most first.
        late: Printable paths of files first committed after `data.held_out_after`; not stored with the part, which is
            the same for every such day.
        reused: Whether it was there already.
    """

    directory: Path
    project: str
    commit: str | None
    files: int
    rejected: int
    tokens: int
    languages: Mapping[str, int]
    late: frozenset[str]
    reused: bool


def prepare_part(
    project: ProjectConfig, source: Source, tokenizer: CodeTokenizer, data: DataConfig, report: Reporter
) -> Part:
    """Prepare one project, or find that the same content is prepared already.

    Args:
        project: Its filters and its name.
        source: Its files, open.
        tokenizer: Of the base model.
        data: Settings.
        report: Progress of reading in files, of tokenizing in bytes; asked whether to stop.

    Returns:
        The part, complete on disk.

    Raises:
        SourceError: Nothing of it can be trained on.
        UsageError: A language that is not known.
        ModelError: The model lacks the tokens that a recipe needs.
        HostError: The disk refuses, or the key for fingerprints of findings cannot be used.
        Stopped: A stop was requested; nothing is left behind.
    """
    maker = ExampleMaker(tokenizer, data)
    name = project.name or project_name(project.source)
    listing, filters = list_files(source, filters_of(project, data))
    readable, left_out = screen_paths(listing, filters)
    late = added_after(data, source, readable)
    attributes = filters.surroundings.attributes.fingerprint
    key = part_key(readable, left_out, tokenizer.fingerprint, project, data, attributes)
    directory = paths.parts() / key
    if (directory / RECORD_FILE).is_file():
        return _part(directory, read_record(directory), name, source.commit, late, reused=True)
    with building(directory, lambda: record.key) as temporary:
        cleaner = Cleaner(data, fingerprints())
        accepted, rejected = _read(source, readable, filters, cleaner, temporary / TEXTS_FILE, name, report)
        lost = [file for file in rejected if file.reason in TRANSIENT]
        rejected += [_rejected(entry) for entry in left_out]
        if not accepted:
            raise _nothing(name, len(listing), rejected)
        files = deduplicated(accepted, Texts(temporary / TEXTS_FILE))
        files = _tokenize(files, maker, temporary, name, report)
        if not any(file.tokens for file in files):
            raise _no_recipe(name, files)
        record = PartRecord(
            pipeline=PIPELINE_VERSION,
            key=key_without(key, lost),
            files=files,
            rejected=sorted(rejected, key=lambda file: file.path),
            tokens=sum(file.tokens for file in files),
        )
        (temporary / RECORD_FILE).write_text(record.model_dump_json(exclude_none=True))
    if lost:
        report.warning(
            f"{lost[0].path} of {name} changed or could not be read and is left out, with {len(lost) - 1} other files "
            "like it; the next preparation tries again."
        )
    return _part(directory.with_name(record.key), record, name, source.commit, late, reused=False)


def check_stop(report: Reporter) -> None:
    """End the stage when a stop was requested.

    Raises:
        Stopped: It was.
    """
    if report.stop_requested:
        raise Stopped


def _part(
    directory: Path, record: PartRecord, name: str, commit: str | None, late: frozenset[str], reused: bool
) -> Part:
    kept = [file for file in record.files if file.repeats is None]
    return Part(
        directory=directory,
        project=name,
        commit=commit,
        files=len(kept),
        rejected=len(record.rejected) + len(record.files) - len(kept),
        tokens=record.tokens,
        languages=dict(Counter(file.language for file in kept).most_common()),
        late=late,
        reused=reused,
    )


def _read(
    source: Source,
    files: list[SourceFile],
    filters: Filters,
    cleaner: Cleaner,
    target: Path,
    name: str,
    report: Reporter,
) -> tuple[list[PartFile], list[RejectedFile]]:
    """Read and judge every file; texts and signatures go to disk, the rest comes back."""
    accepted: list[PartFile] = []
    rejected: list[RejectedFile] = []
    batch: list[Accepted] = []
    with write_texts(target) as texts:
        for done, entry in enumerate(screen_contents(source, files, filters, cleaner), start=1):
            if isinstance(entry, LeftOut):
                rejected.append(_rejected(entry))
            else:
                batch.append(entry)
                accepted.append(_accepted(entry))
            if len(batch) == _READ_FILES or done == len(files):
                check_stop(report)
                signed = signatures([shingles(one.text) for one in batch])
                imported = [imports(one.text, one.language) for one in batch]
                texts.write({"text": [one.text for one in batch], "signature": signed, "imports": imported})
                batch.clear()
            report.progress(f"read {name}", done, len(files), "files")
    return accepted, rejected


def _accepted(entry: Accepted) -> PartFile:
    return PartFile(
        path=entry.path,
        blob_id=entry.blob_id,
        language=entry.language,
        size_bytes=entry.size,
        content=content_hash(entry.text),
        detail=entry.detail,
        findings=entry.findings,
    )


def _rejected(entry: LeftOut) -> RejectedFile:
    return RejectedFile(
        path=entry.path,
        reason=entry.reason,
        size_bytes=entry.size,
        detail=entry.detail,
        language=entry.language,
        read=entry.read,
        findings=entry.findings,
    )


def _tokenize(
    files: list[PartFile], maker: ExampleMaker, directory: Path, name: str, report: Reporter
) -> list[PartFile]:
    """Write the documents of the kept files; returns the files with their tokens."""
    texts = Texts(directory / TEXTS_FILE)
    total = sum(file.size_bytes for file in files if file.repeats is None)
    done = 0
    tokens: Counter[int] = Counter()
    with write_documents(directory / DOCUMENTS_FILE) as target:
        for batch in _batches(files, texts):
            check_stop(report)
            documents: list[Document] = maker.documents(batch)
            if documents:
                target.write(document_columns(documents))
            for document in documents:
                tokens[document.file] += len(document.ids)
            done += sum(files[text.file].size_bytes for text in batch)
            report.progress(f"tokenize {name}", done, total, "bytes")
    return [
        file.model_copy(update={"tokens": tokens[row]}) if row in tokens else file for row, file in enumerate(files)
    ]


def _batches(files: list[PartFile], texts: Texts) -> Iterator[list[Text]]:
    batch: list[Text] = []
    characters = 0
    for row, file in enumerate(files):
        if file.repeats is not None:
            continue
        text = texts.text(row)
        batch.append(Text(row, text, file.language, file.content))
        characters += len(text)
        if characters >= _BATCH_CHARACTERS:
            yield batch
            batch, characters = [], 0
    if batch:
        yield batch


def _no_recipe(name: str, files: list[PartFile]) -> SourceError:
    languages = ", ".join(sorted({file.language for file in files}))
    return SourceError(
        f"The project {name!r} has nothing to train on: no recipe with a share applies to its {languages}.",
        "In `data.recipes`, give `raw` or `heading` a share for documents, or one of the others for code.",
    )


def _nothing(name: str, looked_at: int, rejected: list[RejectedFile]) -> SourceError:
    top = Counter(file.reason for file in rejected).most_common(3)
    reasons = ", ".join(f"{count} {reason.value}" for reason, count in top)
    return SourceError(
        f"The project {name!r} has nothing to train on: of {looked_at} files none was kept"
        + (f" ({reasons})." if reasons else "."),
        "Check its source, `include`, `exclude` and `languages`; without `languages`, programming languages are kept.",
    )
