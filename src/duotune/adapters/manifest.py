"""The manifest of a published adapter: where it comes from, what it is worth, and a hash of each of its files."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError, field_validator

import duotune
from duotune.errors import CheckFailed, printable

MANIFEST = "manifest.json"
_PASSWORD = re.compile(r"^([a-z][a-z0-9+.-]*://)[^/@]*@", re.IGNORECASE)


class Record(BaseModel):
    """Base of what a manifest holds: immutable; keys that newer versions add are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class BaseModelRef(Record):
    """The frozen model.

    Attributes:
        path: Where it was on the host that trained.
        name: What people call it.
        fingerprint: sha256 over its configuration, tokenizer and weights.
        architecture: Such as `Qwen2ForCausalLM`.
    """

    path: str
    name: str
    fingerprint: str
    architecture: str


class ProjectRef(Record):
    """A project as it was trained on; the commit is empty for a plain folder."""

    name: str
    source: str
    ref: str = "HEAD"
    commit: str = ""

    @property
    def in_words(self) -> str:
        """What it was, for people."""
        state = f"commit {self.commit[:12]}" if self.commit else "a folder without commits"
        return f"{self.name}: {self.source}, {state}"

    @field_validator("source")
    @classmethod
    def _without_password(cls, source: str) -> str:
        return _PASSWORD.sub(r"\1", source)


class FileRef(Record):
    """One file of the adapter."""

    sha256: str
    bytes: int


class ManifestDraft(Record):
    """What the run knows of its adapter before it has a version.

    Attributes:
        name: Name to publish under.
        base: The base model.
        projects: What it was trained on.
        dataset: Fingerprint of the dataset.
        run: Id of the run.
        config: The run's configuration.
        metrics: Losses, steps, seconds.
        evaluation: The comparison with the base model.
        verdict: Its verdict; empty when there was none.
        parents: Published adapters that it was made from.
    """

    name: str
    base: BaseModelRef
    projects: list[ProjectRef] = Field(default_factory=list)
    dataset: str = ""
    run: str = ""
    config: dict[str, JsonValue] = Field(default_factory=dict)
    metrics: dict[str, float | None] = Field(default_factory=dict)
    evaluation: JsonValue = None
    verdict: str = ""
    parents: list[str] = Field(default_factory=list)

    @field_validator("config")
    @classmethod
    def _without_passwords(cls, config: dict[str, JsonValue]) -> dict[str, JsonValue]:
        return {key: _scrubbed(value) for key, value in config.items()}


class AdapterManifest(ManifestDraft):
    """The whole manifest of one version.

    Attributes:
        format: Version of the manifest's own format.
        version: Number of the adapter's version, from 1.
        created_at: Time of publication, ISO 8601 in UTC.
        duotune: Version of duotune that published it.
        files: Every file beside the manifest.
    """

    format: int = 1
    version: int
    created_at: str
    duotune: str
    files: dict[str, FileRef]

    @property
    def model_name(self) -> str:
        """The name that vLLM serves it by, such as `payments.v3`."""
        return f"{self.name}.v{self.version}"


def complete(draft: ManifestDraft, version: int, files: Mapping[str, FileRef]) -> AdapterManifest:
    """The manifest of a draft that has got its version."""
    return AdapterManifest(
        **draft.model_dump(),
        version=version,
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        duotune=duotune.__version__,
        files=dict(files),
    )


def read_manifest(directory: Path) -> AdapterManifest:
    """The manifest of a published adapter.

    Raises:
        CheckFailed: It is missing or damaged.
    """
    file = directory / MANIFEST
    try:
        return AdapterManifest.model_validate_json(file.read_bytes())
    except FileNotFoundError:
        raise CheckFailed(
            f"{printable(directory)} is not a published adapter: it has no {MANIFEST}.", "Publish it first."
        ) from None
    except (OSError, ValidationError) as error:
        what = error.strerror if isinstance(error, OSError) else "it is no manifest of an adapter"
        raise CheckFailed(f"{printable(file)} cannot be read: {what}.", "Publish the adapter again.") from error


def describe_file(file: Path) -> FileRef:
    """Hash and size of a file."""
    with file.open("rb") as stream:
        return FileRef(sha256=hashlib.file_digest(stream, "sha256").hexdigest(), bytes=file.stat().st_size)


def content_digest(files: Mapping[str, FileRef], names: tuple[str, ...]) -> str:
    """One digest over the named files: what makes two adapters the same, whatever else lies beside them."""
    lines = "".join(f"{name} {files[name].sha256}\n" for name in sorted(names))
    return hashlib.sha256(lines.encode()).hexdigest()


def damaged_files(directory: Path, manifest: AdapterManifest) -> list[str]:
    """Names of files that are missing, or not as the manifest says."""
    return [name for name, expected in manifest.files.items() if not _intact(directory, name, expected)]


def _intact(directory: Path, name: str, expected: FileRef) -> bool:
    file = directory / name
    if Path(name).name != name or not file.is_file() or file.stat().st_size != expected.bytes:
        return False
    return describe_file(file).sha256 == expected.sha256


def _scrubbed(value: JsonValue) -> JsonValue:
    if isinstance(value, str):
        return _PASSWORD.sub(r"\1", value)
    if isinstance(value, list):
        return [_scrubbed(item) for item in value]
    if isinstance(value, dict):
        return {key: _scrubbed(item) for key, item in value.items()}
    return value
