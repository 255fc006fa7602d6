"""Publishing: a trained adapter becomes an immutable version, and a row in the catalog says so."""

from __future__ import annotations

import fcntl
import getpass
import os
import shutil
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from duotune import paths
from duotune.adapters.copies import fetch, local_copy, manifest_digest
from duotune.adapters.manifest import (
    MANIFEST,
    AdapterManifest,
    FileRef,
    ManifestDraft,
    complete,
    content_digest,
    describe_file,
    read_manifest,
)
from duotune.adapters.modes import seal
from duotune.adapters.peft_config import CONFIG, WEIGHTS
from duotune.adapters.verify import raise_unless_good, verify
from duotune.catalog.adapters import Adapter, TrainedProject, Version, split_name
from duotune.catalog.catalog import Catalog
from duotune.catalog.evaluations import EvaluationRecord
from duotune.catalog.projects import Project
from duotune.errors import CheckFailed, HostError, StorageError, UsageError, printable
from duotune.models.shape import ModelShape
from duotune.storage.local import LocalStorage, delete_tree
from duotune.storage.locations import Storage, open_storage

CONTENT = (CONFIG, WEIGHTS)
"""The files that make two adapters the same."""
HARMFUL = "harmful"
Policy = Literal["auto", "ask"]
OnBytes = Callable[[int, int], None]


@dataclass(frozen=True)
class PublishedAdapter:
    """What publishing came to.

    Attributes:
        version: Its row in the catalog.
        manifest: Its manifest.
        local_path: Its directory on this host.
        reused: The same content was there already, so nothing was stored again.
    """

    version: Version
    manifest: AdapterManifest
    local_path: Path
    reused: bool

    @property
    def name(self) -> str:
        """Such as `payments.v3`."""
        return self.version.name


def publish(
    adapter: Path,
    draft: ManifestDraft,
    shape: ModelShape,
    catalog: Catalog,
    *,
    location: str = "",
    policy: Policy = "auto",
    by: str = "",
    extras: Mapping[str, Path] | None = None,
    on_bytes: OnBytes = lambda done, total: None,
) -> PublishedAdapter:
    """Verify an adapter, store it as the next version of its name, and enter it in the catalog.

    The same content under the same name re-uses the version there. After a crash at any point, calling it again ends
    where an undisturbed call would have. An adapter that the evaluation found harmful, or any with policy "ask", is
    stored but withheld.

    Args:
        adapter: The trained adapter's directory, in PEFT's format.
        draft: Where it comes from and what it is worth.
        shape: The base model's shape.
        catalog: Open.
        location: Folder or s3://bucket/prefix; empty is duotune's own folder.
        policy: The run's `adapter.publish`.
        by: Who publishes; by default the user that this process runs as.
        extras: Further files to store with it, by name, such as `contract.json`.
        on_bytes: Called with bytes stored so far and in all.

    Raises:
        UsageError: The name belongs to another base model.
        CheckFailed: The adapter is not fit to be served.
        StorageError: The location cannot be written.
    """
    catalog.adapters.check_base(draft.name, draft.base.fingerprint)
    raise_unless_good(draft.name, verify(adapter, shape))
    files = {name: adapter / name for name in CONTENT} | dict(extras or {})
    described = {name: describe_file(file) for name, file in files.items()}
    content = content_digest(described, CONTENT)
    withhold = policy == "ask" or draft.verdict == HARMFUL
    by = by or user_name()
    with _one_publisher(draft.name):
        known = catalog.adapters.with_content(draft.name, content)
        if known is not None:
            if known.state == "withheld" and not withhold:
                known = catalog.adapters.publish(known.adapter, known.version, by)
            return _published(catalog, known, on_bytes, reused=True)
        storage = open_storage(location or str(paths.adapters()))
        manifest, reused = _stored(storage, draft, files, described, content, catalog, on_bytes)
        version = _row(catalog, storage, manifest, content, withhold, by)
        return _published(catalog, version, on_bytes, reused)


def publish_withheld(catalog: Catalog, target: str, reason: str = "", who: str = "") -> Version:
    """Let a withheld version be served; who did it and why is recorded.

    Args:
        catalog: Open.
        target: `name.vN`, a name (its newest version), or the id of the run that made it.
        reason: Why; needed when the evaluation found it harmful.
        who: By default the user that this process runs as.

    Raises:
        UsageError: There is no such version, it is published already, or a reason is needed.
        CheckFailed: Its files are not what was stored.
        StorageError: Its files cannot be fetched.
    """
    of_run = catalog.adapters.versions(run=target)
    version = of_run[-1] if of_run else catalog.adapters.get(target)
    if version.state == "published":
        raise UsageError(f"{version.name} is published already.", f"See `duotune adapters show {version.name}`.")
    if version.verdict == HARMFUL and not reason.strip():
        raise UsageError(
            f"{version.name} was found harmful by its evaluation.", "Give a reason to publish it: `--force REASON`."
        )
    local_copy(catalog, version)
    return catalog.adapters.publish(version.adapter, version.version, who or user_name(), reason.strip())


def user_name() -> str:
    """Who runs this process: the person behind sudo, if there is one."""
    try:
        return os.environ.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):
        return str(os.geteuid())


def _stored(
    storage: Storage,
    draft: ManifestDraft,
    files: Mapping[str, Path],
    described: Mapping[str, FileRef],
    content: str,
    catalog: Catalog,
    on_bytes: OnBytes,
) -> tuple[AdapterManifest, bool]:
    """Store the files as the next version, or find the version that a crashed call stored and never entered."""
    numbers = {version.version for version in catalog.adapters.versions(draft.name)}
    local = LocalStorage(paths.adapters())
    stored = {number for name in [*storage.names(), *local.names()] if (number := _number(draft.name, name))}
    for number in sorted(stored - numbers):
        orphan = _manifest_at(storage, f"{draft.name}.v{number}", on_bytes)
        if orphan is not None and content_digest(orphan.files, CONTENT) == content:
            return orphan, True
    manifest = complete(draft, max(numbers | stored, default=0) + 1, described)
    with _staged(manifest, files) as directory:
        storage.put_directory(directory, manifest.model_name, on_bytes)
        if not isinstance(storage, LocalStorage):
            local.put_directory(directory, manifest.model_name, lambda done, total: None)
    return manifest, False


def _row(
    catalog: Catalog, storage: Storage, manifest: AdapterManifest, content: str, withhold: bool, by: str
) -> Version:
    """Enter a stored version with all that belongs to it, in one transaction."""
    kept = storage.location if isinstance(storage, LocalStorage) else str(paths.adapters())
    local_path = Path(kept) / manifest.model_name
    if not (local_path / MANIFEST).is_file():
        fetch(f"{storage.location}/{manifest.model_name}", local_path, "", lambda done, total: None)
    if content_digest(read_manifest(local_path).files, CONTENT) != content:
        raise StorageError(
            f"{printable(local_path)} holds another adapter than {printable(storage.location)} under the same name.",
            "Another host published it; choose another `adapter.name` or location.",
        )
    with catalog.transaction():
        catalog.projects.add_missing(Project(p.name, p.source, p.ref) for p in manifest.projects)
        catalog.adapters.ensure(Adapter(manifest.name, manifest.base.fingerprint, manifest.base.name))
        version = catalog.adapters.add_version(
            Version(
                adapter=manifest.name,
                version=manifest.version,
                content=content,
                location=f"{storage.location}/{manifest.model_name}",
                local_path=str(local_path),
                manifest_sha256=manifest_digest(local_path),
                run=manifest.run,
                verdict=manifest.verdict,
                state="withheld" if withhold else "published",
                published_by="" if withhold else by,
                projects=tuple(TrainedProject(p.name, p.commit) for p in manifest.projects),
            )
        )
        if manifest.evaluation is not None:
            report = manifest.model_dump_json(include={"evaluation"})
            catalog.evaluations.add(
                EvaluationRecord(manifest.name, manifest.version, manifest.run, manifest.verdict, report)
            )
    return version


def _published(catalog: Catalog, version: Version, on_bytes: OnBytes, reused: bool) -> PublishedAdapter:
    directory = local_copy(catalog, version, on_bytes)
    return PublishedAdapter(catalog.adapters.get(version.name), read_manifest(directory), directory, reused)


@contextmanager
def _staged(manifest: AdapterManifest, files: Mapping[str, Path]) -> Iterator[Path]:
    """A hidden directory that holds exactly what is going to be published."""
    directory = paths.adapters() / f".stage-{uuid.uuid4().hex}"
    try:
        try:
            directory.mkdir(parents=True)
            for name, file in files.items():
                shutil.copyfile(file, directory / name)
            (directory / MANIFEST).write_text(manifest.model_dump_json(indent=2) + "\n")
            seal(directory)
        except OSError as error:
            raise HostError(
                f"The adapter cannot be put together in {printable(paths.adapters())}: {error.strerror}.",
                "Check the space and the owner of that disk.",
            ) from error
        yield directory
    finally:
        if directory.exists():
            delete_tree(directory)


@contextmanager
def _one_publisher(name: str) -> Iterator[None]:
    """Let one process at a time publish under a name; the kernel frees a dead one's turn."""
    try:
        paths.adapters().mkdir(parents=True, exist_ok=True)
        fd = os.open(paths.adapters() / f".{name}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o660)
    except OSError as error:
        raise HostError(
            f"Nothing can be published in {printable(paths.adapters())}: {error.strerror}.",
            "Check its owner, or set DUOTUNE_HOME to another directory.",
        ) from error
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


def _manifest_at(storage: Storage, name: str, on_bytes: OnBytes) -> AdapterManifest | None:
    """The manifest of a stored version, fetched into a place of its own; None when it is damaged or not there."""
    if not storage.exists(name):
        return None
    place = paths.adapters() / f".look-{uuid.uuid4().hex}"
    try:
        storage.get_directory(name, place, on_bytes)
        return read_manifest(place)
    except CheckFailed:
        return None
    finally:
        if place.exists():
            delete_tree(place)


def _number(adapter: str, name: str) -> int | None:
    of, number = split_name(name)
    return number if of == adapter else None
