"""A part on disk: what preparation keeps of one project for one tokenizer.

`part.json` says which files were kept and why others were not; `texts.arrow` holds text, signature and imports of each
accepted file, row by row as in `part.json`; `documents.arrow` the training documents of the kept ones, and excerpts
that are joined to documents when the split is known. No split yet.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, TypeAdapter

from duotune.config.run import DataConfig, ProjectConfig
from duotune.data.entry_lines import read_entry_lines, write_entry_lines
from duotune.data.funnel import LeftOut
from duotune.data.reasons import Reason
from duotune.data.redaction.clean import FoundValue
from duotune.errors import CheckFailed, printable
from duotune.sources.source import SourceFile

PIPELINE_VERSION = 4
"""Raised whenever the same input gives another result; older parts are then prepared again."""

RECORD_FILE = "part.json"


@dataclass(frozen=True, slots=True)
class PartFile:
    """A file that passed the filters.

    Attributes:
        path: Its path, printable.
        blob_id: Git's id of its content.
        language: linguist's name.
        size_bytes: Its size.
        content: Content hash of its text.
        tokens: Tokens of its documents; 0 for a duplicate.
        detail: What is worth knowing of it, such as the encoding that it was recoded from.
        repeats: Path of the kept file of this part that it repeats; None when it is kept itself.
        reason: Exact or near-duplicate, when it repeats another.
        findings: Secrets and personal data that became placeholders.
        identity: What it was judged from (`earlier.identity`).
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    path: str
    blob_id: str
    language: str
    size_bytes: int
    content: str
    tokens: int = 0
    detail: str = ""
    repeats: str | None = None
    reason: Reason | None = None
    findings: tuple[FoundValue, ...] = ()
    identity: str | None = None


@dataclass(frozen=True, slots=True)
class RejectedFile:
    """A file that did not.

    Attributes:
        path: Its path, printable; it ends in `/` where a whole directory was left out.
        reason: Why.
        size_bytes: Its size; 0 where it is not known.
        detail: Which rule said so; printable, and nothing of the content.
        language: linguist's name, where it is known.
        read: Whether its content was looked at; else its name or its size ruled it out.
        findings: Secrets and personal data, when those are why.
        identity: What it was judged from, when its content was (`earlier.identity`).
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    path: str
    reason: Reason
    size_bytes: int = 0
    detail: str = ""
    language: str | None = None
    read: bool = False
    findings: tuple[FoundValue, ...] = ()
    identity: str | None = None


class PartRecord(BaseModel):
    """What `part.json` holds.

    Attributes:
        pipeline: `PIPELINE_VERSION` that made it.
        key: What it was made from (`part_key`).
        files: Accepted files, ordered by path.
        rejected: The others, ordered by path.
        tokens: Tokens of all documents.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    pipeline: int
    key: str
    files: list[PartFile]
    rejected: list[RejectedFile]
    tokens: int


_FILES = TypeAdapter(PartFile)
_REJECTED = TypeAdapter(RejectedFile)


def part_key(
    readable: Iterable[SourceFile],
    left_out: Iterable[LeftOut],
    tokenizer: str,
    project: ProjectConfig,
    data: DataConfig,
    attributes: str = "",
) -> str:
    """SHA-256 (hex) of everything that decides a part: files, tokenizer, settings and the pipeline's version.

    Args:
        readable: Files whose content will be read.
        left_out: Files that their path or size, or the source, rules out; their content does not count.
        tokenizer: The tokenizer's fingerprint.
        project: Its filters count, its name and source do not.
        data: Its settings of files and recipes count, the fractions of the split do not.
        attributes: Fingerprint of what the `.gitattributes` say: it decides on the content of files too.
    """
    settings = {**_settings(tokenizer, project, data), "attributes": attributes}
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    for file in readable:
        digest.update(f"{file.mode:o} {file.blob_id} {file.path}\0".encode("utf-8", "surrogateescape"))
    for entry in left_out:
        digest.update(f"{entry.reason} {entry.path}\0".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def directory_name(key: str, fingerprints: str) -> str:
    """Name of a part's directory: datasets go by the part's key alone, which is the same on every host.

    Args:
        key: The part's.
        fingerprints: What tells the key of findings' fingerprints from another; those of two keys do not compare, so
            that a part made with another one is made again.
    """
    return hashlib.sha256(f"{key} {fingerprints}".encode()).hexdigest()


def settings_key(tokenizer: str, project: ProjectConfig, data: DataConfig, name: str, fingerprints: str) -> str:
    """SHA-256 (hex) of what parts must have in common for one to take files over from the other.

    Args:
        tokenizer: The tokenizer's fingerprint.
        project: Its filters.
        data: Its settings of files and recipes.
        name: Of the project, so that each has its own newest part.
        fingerprints: What tells one host's fingerprints of findings from another's.
    """
    settings = {**_settings(tokenizer, project, data), "name": name, "fingerprints": fingerprints}
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()


def _settings(tokenizer: str, project: ProjectConfig, data: DataConfig) -> dict[str, Any]:
    """The settings that decide a part."""
    return {
        "pipeline": PIPELINE_VERSION,
        "tokenizer": tokenizer,
        "project": project.model_dump(include={"include", "exclude", "languages"}),
        "data": data.model_dump(
            include={"sequence_length", "max_file_bytes", "secrets", "personal_data", "seed", "recipes"}
        ),
    }


def key_without(key: str, lost: Iterable[RejectedFile]) -> str:
    """The key of a part that lacks files which were listed, but could not be read: the key itself when none are lost.

    So that such a part is never taken for the whole one.
    """
    lines = "".join(sorted(f"{file.reason} {file.path}\0" for file in lost))
    return hashlib.sha256(f"{key} without {lines}".encode()).hexdigest() if lines else key


def write_record(directory: Path, record: PartRecord) -> None:
    """Write `part.json`."""
    head = record.model_dump_json(exclude={"files", "rejected"})
    lists = {
        "files": (_FILES.dump_json(file, exclude_none=True) for file in record.files),
        "rejected": (_REJECTED.dump_json(file, exclude_none=True) for file in record.rejected),
    }
    write_entry_lines(directory / RECORD_FILE, head, lists)


def read_record(directory: Path) -> PartRecord:
    """Read `part.json`.

    Raises:
        CheckFailed: It is missing or damaged.
    """
    try:
        fields = read_entry_lines(directory / RECORD_FILE, {"files": _FILES, "rejected": _REJECTED})
        return PartRecord.model_validate(fields)
    except (OSError, ValueError) as error:
        raise CheckFailed(
            f"The prepared part in {printable(directory)} is damaged.", "Remove that directory and run again."
        ) from error
