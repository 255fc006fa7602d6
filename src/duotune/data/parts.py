"""A part on disk: what preparation keeps of one project for one tokenizer.

`part.json` says which files were kept and why others were not; `texts.arrow` holds text, signature and imports of each
accepted file, row by row as in `part.json`; `documents.arrow` the training documents of the kept ones, and excerpts
that are joined to documents when the split is known. No split yet.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

import pyarrow as pa
from pydantic import BaseModel, ConfigDict, ValidationError

from duotune.config.run import DataConfig, ProjectConfig
from duotune.data.examples import Document
from duotune.data.funnel import LeftOut
from duotune.data.reasons import Reason
from duotune.data.redaction.clean import FoundValue
from duotune.errors import CheckFailed, printable
from duotune.sources.source import SourceFile

PIPELINE_VERSION = 2
"""Raised whenever the same input gives another result; older parts are then prepared again."""

RECORD_FILE = "part.json"
TEXTS_FILE = "texts.arrow"
DOCUMENTS_FILE = "documents.arrow"
_TEXTS = pa.schema([("text", pa.large_string()), ("signature", pa.binary()), ("imports", pa.list_(pa.string()))])
_DOCUMENTS = pa.schema(
    [
        ("file", pa.int32()),
        ("recipe", pa.string()),
        ("ids", pa.list_(pa.int32())),
        ("roles", pa.binary()),
        ("excerpt", pa.bool_()),
        ("ends", pa.bool_()),
    ]
)


class _Stored(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PartFile(_Stored):
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
    """

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


class RejectedFile(_Stored):
    """A file that did not.

    Attributes:
        path: Its path, printable; it ends in `/` where a whole directory was left out.
        reason: Why.
        size_bytes: Its size; 0 where it is not known.
        detail: Which rule said so; printable, and nothing of the content.
        language: linguist's name, where it is known.
        read: Whether its content was looked at; else its name or its size ruled it out.
        findings: Secrets and personal data, when those are why.
    """

    path: str
    reason: Reason
    size_bytes: int = 0
    detail: str = ""
    language: str | None = None
    read: bool = False
    findings: tuple[FoundValue, ...] = ()


class PartRecord(_Stored):
    """What `part.json` holds.

    Attributes:
        pipeline: `PIPELINE_VERSION` that made it.
        key: What it was made from (`part_key`).
        files: Accepted files, ordered by path.
        rejected: The others, ordered by path.
        tokens: Tokens of all documents.
    """

    pipeline: int
    key: str
    files: list[PartFile]
    rejected: list[RejectedFile]
    tokens: int


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
    settings = {
        "pipeline": PIPELINE_VERSION,
        "tokenizer": tokenizer,
        "project": project.model_dump(include={"include", "exclude", "languages"}),
        "data": data.model_dump(
            include={"sequence_length", "max_file_bytes", "secrets", "personal_data", "seed", "recipes"}
        ),
        "attributes": attributes,
    }
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    for file in readable:
        digest.update(f"{file.mode:o} {file.blob_id} {file.path}\0".encode("utf-8", "surrogateescape"))
    for entry in left_out:
        digest.update(f"{entry.reason} {entry.path}\0".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def key_without(key: str, lost: Iterable[RejectedFile]) -> str:
    """The key of a part that lacks files which were listed, but could not be read: the key itself when none are lost.

    So that such a part is never taken for the whole one.
    """
    lines = "".join(sorted(f"{file.reason} {file.path}\0" for file in lost))
    return hashlib.sha256(f"{key} without {lines}".encode()).hexdigest() if lines else key


def read_record(directory: Path) -> PartRecord:
    """Read `part.json`.

    Raises:
        CheckFailed: It is missing or damaged.
    """
    try:
        return PartRecord.model_validate_json((directory / RECORD_FILE).read_bytes())
    except (OSError, ValidationError) as error:
        raise CheckFailed(
            f"The prepared part in {printable(directory)} is damaged.", "Remove that directory and run again."
        ) from error


class ArrowFile:
    """Writes record batches to an Arrow IPC file.

    Args:
        file: Where to.
        schema: Its columns.
    """

    def __init__(self, file: Path, schema: pa.Schema) -> None:
        self._schema = schema
        self._writer = pa.ipc.new_file(file, schema)

    def write(self, columns: dict[str, list[Any]]) -> None:
        """Append one batch of rows."""
        self._writer.write_batch(pa.RecordBatch.from_pydict(columns, schema=self._schema))

    def __enter__(self) -> ArrowFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writer.close()


def write_texts(file: Path) -> ArrowFile:
    """A writer of `texts.arrow`: columns `text`, `signature` and `imports`."""
    return ArrowFile(file, _TEXTS)


def write_documents(file: Path) -> ArrowFile:
    """A writer of `documents.arrow`."""
    return ArrowFile(file, _DOCUMENTS)


def document_columns(documents: list[Document]) -> dict[str, list[Any]]:
    """Documents as the columns of one batch."""
    return {
        "file": [document.file for document in documents],
        "recipe": [document.recipe for document in documents],
        "ids": [document.ids for document in documents],
        "roles": [document.roles for document in documents],
        "excerpt": [document.excerpt for document in documents],
        "ends": [document.ends for document in documents],
    }


class Texts:
    """Texts, signatures and imports of a part, memory-mapped.

    Args:
        file: `texts.arrow`.
    """

    def __init__(self, file: Path) -> None:
        self._table = _mapped(file).read_all()

    def __len__(self) -> int:
        return int(self._table.num_rows)

    def text(self, row: int) -> str:
        """The text of one file."""
        return str(self._table["text"][row].as_py())

    def imports(self, row: int) -> list[str]:
        """What one file imports."""
        return list(self._table["imports"][row].as_py())

    def signatures(self) -> list[bytes]:
        """The signatures of all files."""
        return list(self._table["signature"].to_pylist())


def read_documents(directory: Path) -> Iterator[pa.RecordBatch]:
    """The batches of `documents.arrow`, memory-mapped."""
    reader = _mapped(directory / DOCUMENTS_FILE)
    for index in range(reader.num_record_batches):
        yield reader.get_batch(index)


def _mapped(file: Path) -> Any:
    return pa.ipc.open_file(pa.memory_map(str(file)))
