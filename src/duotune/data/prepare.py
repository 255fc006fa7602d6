"""One project becomes a part: filtered, deduplicated and tokenized once, then found again by its content."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from duotune import paths
from duotune.config.resolve import project_name
from duotune.config.run import DataConfig, ProjectConfig
from duotune.data.building import building
from duotune.data.duplicates import deduplicated
from duotune.data.earlier import Earlier, earlier_part, remember
from duotune.data.examples import ExampleMaker
from duotune.data.filters import filters_of
from duotune.data.funnel import list_files, screen_paths
from duotune.data.late import added_after
from duotune.data.making import RemoteMaker, write_documents
from duotune.data.memory import release_memory
from duotune.data.part_files import DOCUMENTS, DOCUMENTS_FILE, TEXTS, TEXTS_FILE, ArrowFile, Texts
from duotune.data.parts import (
    PIPELINE_VERSION,
    RECORD_FILE,
    PartFile,
    PartRecord,
    RejectedFile,
    directory_name,
    key_without,
    part_key,
    read_record,
    settings_key,
    write_record,
)
from duotune.data.reading import ReadFiles, Screening, read_files, rejected_file
from duotune.data.reasons import TRANSIENT
from duotune.data.recipes import taught, teach, untaught
from duotune.data.redaction.clean import Cleaner
from duotune.data.redaction.fingerprints import fingerprints
from duotune.data.shards import ALONE, Shards
from duotune.errors import SourceError
from duotune.models.tokenizer import CodeTokenizer
from duotune.runs.reporter import Reporter, Stopped
from duotune.runs.wording import counted
from duotune.sources.source import Source, SourceFile


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


@dataclass(frozen=True)
class _Work:
    """One project on its way to a part."""

    name: str
    source: Source
    files: list[SourceFile]
    screening: Screening
    maker: tuple[ExampleMaker, RemoteMaker]
    earlier: Earlier
    shards: Shards
    report: Reporter


def prepare_part(
    project: ProjectConfig,
    source: Source,
    tokenizer: CodeTokenizer,
    data: DataConfig,
    report: Reporter,
    shards: Shards = ALONE,
) -> Part:
    """Prepare one project, or find that the same content is prepared already.

    Of files that are unchanged since the latest preparation with the same settings, what that one made is taken over.

    Args:
        project: Its filters and its name.
        source: Its files, open.
        tokenizer: Of the base model.
        data: Settings.
        report: Progress of reading and of tokenizing, in bytes; asked whether to stop.
        shards: Processes that share the work; the part is the same for any number of them.

    Returns:
        The part, complete on disk.

    Raises:
        SourceError: Nothing of it can be trained on.
        UsageError: A language that is not known.
        ModelError: The model lacks the tokens that a recipe needs.
        HostError: The disk refuses, a helper process ended, or the key for fingerprints of findings cannot be used.
        Stopped: A stop was requested; nothing is left behind.
    """
    maker = ExampleMaker(tokenizer, data)
    name = project.name or project_name(project.source)
    listing, filters = list_files(source, filters_of(project, data))
    readable, left_out = screen_paths(listing, filters)
    late = added_after(data, source, readable)
    attributes = filters.surroundings.attributes.fingerprint
    marks = fingerprints()
    key = part_key(readable, left_out, tokenizer.fingerprint, project, data, attributes)
    directory = paths.parts() / directory_name(key, marks.key_id)

    settings = settings_key(tokenizer.fingerprint, project, data, name, marks.key_id)
    if (directory / RECORD_FILE).is_file():
        part = _part(directory, read_record(directory), name, source.commit, late, reused=True)
        remember(settings, directory)
        return part
    remote = RemoteMaker(tokenizer.directory, tokenizer.fingerprint, data.model_dump_json())
    with building(directory, lambda: directory_name(record.key, marks.key_id)) as temporary:
        screening = Screening(filters, Cleaner(data, marks))
        work = _Work(name, source, readable, screening, (maker, remote), earlier_part(settings), shards, report)
        read = _read(work, temporary)
        lost = [file for file in read.rejected if file.reason in TRANSIENT]
        rejected = read.rejected + [rejected_file(entry) for entry in left_out]
        if not read.accepted:
            raise _nothing(name, len(listing), rejected)
        files = _tokenize(work, read, temporary)
        if not any(file.tokens for file in files):
            raise _no_example(name, files, data)
        record = PartRecord(
            pipeline=PIPELINE_VERSION,
            key=key_without(key, lost),
            files=files,
            rejected=sorted(rejected, key=lambda file: file.path),
            tokens=sum(file.tokens for file in files),
        )
        write_record(temporary, record)
    release_memory()
    directory = directory.with_name(directory_name(record.key, marks.key_id))
    remember(settings, directory)
    if lost:
        others = f", with {counted(len(lost) - 1, 'other file')} like it" if len(lost) > 1 else ""
        report.warning(
            f"{lost[0].path} of {name} changed or could not be read and is left out{others}; "
            "the next preparation tries again."
        )
    return _part(directory, record, name, source.commit, late, reused=False)


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


def _read(work: _Work, directory: Path) -> ReadFiles:
    """Read and judge every file; texts and signatures go to disk, the rest comes back."""
    report, name = work.report, work.name

    def progress(done: int, total: int) -> None:
        check_stop(report)
        report.progress(f"read {name}", done, total, "bytes")

    with ArrowFile(directory / TEXTS_FILE, TEXTS) as target:
        check_stop(report)
        read = read_files(work.source, work.files, work.screening, work.earlier, target, work.shards, progress)
    if read.origins:
        report.progress(f"take over {name} as last prepared", len(read.origins), len(read.accepted), "files")
    return read


def _tokenize(work: _Work, read: ReadFiles, directory: Path) -> list[PartFile]:
    """Write the documents of the kept files; returns the files with their tokens."""
    report, name = work.report, work.name
    texts = Texts(directory / TEXTS_FILE)
    files = deduplicated(read.accepted, texts)

    def progress(done: int, total: int) -> None:
        check_stop(report)
        report.progress(f"tokenize {name}", done, total, "bytes")

    with ArrowFile(directory / DOCUMENTS_FILE, DOCUMENTS) as target:
        check_stop(report)
        return write_documents(files, texts, read.origins, work.earlier, work.maker, target, work.shards, progress)


def _no_example(name: str, files: list[PartFile], data: DataConfig) -> SourceError:
    languages = sorted({file.language for file in files})
    shares = data.recipes.model_dump()
    if not any(taught(shares, language) for language in languages):
        return SourceError(f"The project {name!r} has nothing to train on: {untaught(languages)}", teach(languages))
    return SourceError(
        f"The project {name!r} has nothing to train on: the recipes found nothing to ask for in its "
        f"{counted(len(files), 'file')}.",
        "Give other recipes in data.recipes a share above 0, such as code or fim; or add file types to the project.",
    )


def _nothing(name: str, looked_at: int, rejected: list[RejectedFile]) -> SourceError:
    top = Counter(file.reason for file in rejected).most_common(3)
    reasons = ", ".join(f"{count} {reason.value}" for reason, count in top)
    return SourceError(
        f"The project {name!r} has nothing to train on: of {looked_at} files none was kept"
        + (f" ({reasons})." if reasons else "."),
        "Check its source, `include`, `exclude` and `languages`; without `languages`, programming languages are kept.",
    )
