"""Why one file is kept or left out: by today's source and rules, and by the latest preparation."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from duotune.config.run import DataConfig, ProjectConfig
from duotune.data.filters import Filters, filters_of
from duotune.data.funnel import Accepted, LeftOut, look_around, screen_contents, screen_paths
from duotune.data.manifest import KeptFile, RejectedEntry, read_manifest
from duotune.data.reasons import Reason
from duotune.data.redaction.clean import Cleaner, places
from duotune.data.redaction.finding import redact
from duotune.data.redaction.fingerprints import Fingerprints
from duotune.data.redaction.scan import scan_path
from duotune.errors import CheckFailed, DuotuneError, UsageError, printable
from duotune.runs.directory import RunDirectory, list_runs
from duotune.runs.results import Prepared
from duotune.runs.wording import counted
from duotune.sources.source import Rejected, Source, SourceFile

_NEAREST = 3
_SPLITS = {"train": "to train on", "validation": "to watch the loss with", "test": "to test on"}

_KEPT = "It passed every filter of the latest preparation, and repeats no other file that was kept."


@dataclass(frozen=True)
class Preparation:
    """What the latest preparation of a project made of a file.

    Attributes:
        run: Id of its run.
        reason: Why the file was left out; None when it was kept.
        detail: Which rule said so.
        repeats: `project:path` of the kept file that it repeats.
        split: Where it went.
        tokens: Tokens of the examples made of it.
        same_content: Whether it saw the content that the file has now.
    """

    run: str
    reason: str | None
    detail: str
    repeats: str | None
    split: str | None
    tokens: int
    same_content: bool

    @property
    def sentence(self) -> str:
        """All of it, for people."""
        other = "" if self.same_content else "with other content: "
        if self.reason is None:
            return f"{other}kept {_SPLITS[self.split or 'train']}, {self.tokens:,} tokens"
        repeated = f" of {self.repeats}" if self.repeats else ""
        return f"{other}left out: {self.reason}{repeated}" + (f" ({self.detail})" if self.detail else "")


@dataclass(frozen=True)
class Explanation:
    """The one verdict on a file: the latest preparation's, if that saw the same content, else today's.

    Attributes:
        path: Printable.
        verdict: `kept` by a preparation; `passes the filters`, so that a preparation keeps it unless it repeats another
            file; or `left out`.
        kept: Whether it is not left out.
        reason: Code of the reason why not; None when it is kept.
        sentence: What the verdict means.
        detail: Which rule said so; often empty.
        size_bytes: Its size; None where it is not known.
        language: linguist's name, where it is known.
        directory: The directory that was left out whole, with the file in it; None when the file itself was judged.
        preparation: What the latest preparation made of it; None when there was none that saw it.
    """

    path: str
    verdict: Literal["kept", "passes the filters", "left out"]
    kept: bool
    reason: str | None
    sentence: str
    detail: str
    size_bytes: int | None
    language: str | None
    directory: str | None
    preparation: Preparation | None


def explain(source: Source, project: ProjectConfig, data: DataConfig, path: str) -> Explanation:
    """Judge one file of a project as preparation would.

    Args:
        source: Its files, open.
        project: Its filters and its name.
        data: Settings.
        path: Relative to the project, as it is or as duotune prints it.

    Raises:
        UsageError: There is no such file.
        SourceError: The source cannot be read.
    """
    shown = path_shown(path)
    # Only a file whose content may matter has its id in the listing of a folder.
    listing = list(source.files(lambda other, size: path_shown(other) == shown))
    entry = _find(listing, path, project.name)
    filters = filters_of(project, data).knowing(look_around(source, listing))
    readable, left_out = screen_paths([entry], filters)
    cleaner = Cleaner(data, Fingerprints.unkept())
    verdict = left_out[0] if left_out else next(iter(screen_contents(source, readable, filters, cleaner)))
    directory = verdict.path if verdict.path.endswith("/") and verdict.path != shown else None
    preparation = _latest(project.name, verdict, directory, source.commit)
    doubt = filters.doubt(entry.path) if isinstance(verdict, Accepted) else ""
    twins = _twins(source, entry, filters) if isinstance(entry, SourceFile) and isinstance(verdict, Accepted) else []
    return _explanation(shown, verdict, doubt, directory, twins, preparation)


def path_shown(path: str) -> str:
    """A path as manifests have it: printable, without `./` before it."""
    return printable(path.removeprefix("./"))


def _twins(source: Source, file: SourceFile, filters: Filters) -> list[str]:
    """Printable paths of other files with the same bytes whose names pass."""
    same = source.files(lambda _, size: size == file.size)
    others = [entry for entry in same if isinstance(entry, SourceFile) and entry.blob_id == file.blob_id]
    passing, _ = screen_paths([other for other in others if other.path != file.path], filters)
    return [_without_tokens(other.path) for other in passing]


def _explanation(
    shown: str,
    verdict: Accepted | LeftOut,
    doubt: str,
    directory: str | None,
    twins: list[str],
    preparation: Preparation | None,
) -> Explanation:
    passes = isinstance(verdict, Accepted)
    redacted = f"redacted: {places(verdict.findings)}" if passes and verdict.findings else ""
    notes = [verdict.detail, redacted, f"may be other people's code: {doubt}" if doubt else ""]
    explanation = Explanation(
        path=shown if directory else verdict.path,
        verdict="passes the filters" if passes else "left out",
        kept=passes,
        reason=None if isinstance(verdict, Accepted) else verdict.reason.value,
        sentence=_sentence(verdict, directory, twins),
        detail=" · ".join(note for note in notes if note),
        size_bytes=verdict.size or None,
        language=verdict.language,
        directory=directory,
        preparation=preparation,
    )
    return _as_prepared(explanation, preparation) if preparation and preparation.same_content else explanation


def _as_prepared(today: Explanation, preparation: Preparation) -> Explanation:
    """The same with the verdict of a preparation that saw the same content."""
    if preparation.reason == today.reason:
        return replace(today, sentence=_KEPT, verdict="kept") if today.kept else today
    if preparation.reason is None:
        detail = f"the project's settings now leave it out: {today.reason}" if today.reason else today.detail
        return replace(today, verdict="kept", kept=True, reason=None, sentence=_KEPT, detail=detail)
    sentence, detail = Reason(preparation.reason).sentence, preparation.detail
    return replace(today, verdict="left out", kept=False, reason=preparation.reason, sentence=sentence, detail=detail)


def _sentence(verdict: Accepted | LeftOut, directory: str | None, twins: list[str]) -> str:
    if isinstance(verdict, LeftOut):
        return f"{f'All of {directory} is left out. ' if directory else ''}{verdict.reason.sentence}"
    if twins:
        others = f" and {counted(len(twins) - 1, 'other file')}" if len(twins) > 1 else ""
        return (
            f"Its name, size and content pass. {twins[0]}{others} has the same content, of which one file is kept: "
            "a preparation shows which."
        )
    return "Its name, size and content pass. Whether it repeats another file shows after a preparation."


def _find(listing: list[SourceFile | Rejected], path: str, name: str) -> SourceFile | Rejected:
    """The entry of a path, or of the directory above it that was left out whole."""
    path, shown = path.removeprefix("./"), path_shown(path)
    for entry in listing:
        if entry.path == path or (entry.path.endswith("/") and f"{path}/".startswith(entry.path)):
            return entry
    for entry in listing:
        if printable(entry.path) == shown:
            return entry
    paths = [entry.path for entry in listing]
    inside = [other for other in paths if other.startswith(f"{path.rstrip('/')}/")]
    if inside:
        raise UsageError(
            f"{shown} is a directory of {name} with {counted(len(inside), 'file')} or folders left out whole.",
            f"Name one, such as {_without_tokens(inside[0])}.",
        )
    raise UsageError(f"{name} has no file {shown}.", _nearest(path, paths))


def _nearest(path: str, paths: list[str]) -> str:
    from rapidfuzz import process

    found = process.extract(path, paths, limit=_NEAREST)
    shown = ", ".join(_without_tokens(match[0]) for match in found)
    return f"The nearest: {shown}." if found else "It has no files at all."


def _without_tokens(path: str) -> str:
    """A path as reports have it: printable, with a placeholder in the place of a token."""
    return printable(redact(path, scan_path(path)))


def _latest(project: str, verdict: Accepted | LeftOut, directory: str | None, commit: str | None) -> Preparation | None:
    """What the newest run that prepared the project made of a file, if its dataset is still there."""
    path = verdict.path if directory is None else directory
    for run in list_runs():
        prepared = _prepared(run)
        if prepared is None or project not in (part.name for part in prepared.projects):
            continue
        try:
            manifest = read_manifest(Path(prepared.dataset))
        except CheckFailed:
            continue
        same_commit = commit is not None and commit in (p.commit for p in manifest.projects if p.name == project)
        entries: list[KeptFile | RejectedEntry] = [*manifest.files, *manifest.rejected]
        for entry in entries:
            if entry.project == project and entry.path == path:
                return _preparation(run.id, entry, same_commit or _same_content(verdict, entry))
        return None
    return None


def _same_content(verdict: Accepted | LeftOut, entry: KeptFile | RejectedEntry) -> bool:
    """By the id of the content where both have one, else by the size."""
    if isinstance(verdict, Accepted) and isinstance(entry, KeptFile):
        return verdict.blob_id == entry.blob_id
    return verdict.size == entry.size_bytes


def _prepared(run: RunDirectory) -> Prepared | None:
    try:
        return Prepared.of(run.state().results, "prepare")
    except (DuotuneError, ValueError):  # a run that is damaged, or of another version, explains nothing
        return None


def _preparation(run: str, entry: KeptFile | RejectedEntry, same_content: bool) -> Preparation:
    if isinstance(entry, KeptFile):
        return Preparation(run, None, entry.detail, None, entry.split, entry.tokens, same_content)
    return Preparation(run, entry.reason.value, entry.detail, entry.repeats, None, 0, same_content)
