"""Local copies of published adapters: what is served is read from this host, and was hash-checked on arrival."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable
from pathlib import Path

from duotune import paths
from duotune.adapters.manifest import MANIFEST, damaged_files, read_manifest
from duotune.adapters.modes import seal
from duotune.catalog.adapters import Version
from duotune.catalog.catalog import Catalog
from duotune.errors import CheckFailed, StorageError, printable
from duotune.storage.local import delete_tree, settle
from duotune.storage.locations import open_storage


def manifest_digest(directory: Path) -> str:
    """sha256 of the manifest's bytes."""
    return hashlib.sha256((directory / MANIFEST).read_bytes()).hexdigest()


def local_copy(
    catalog: Catalog, version: Version, on_bytes: Callable[[int, int], None] = lambda done, total: None
) -> Path:
    """The version's directory on this host, fetched from where it was published if it is not there.

    Raises:
        CheckFailed: What came is not what was published.
        StorageError: It cannot be fetched.
    """
    if version.local_path and is_version(Path(version.local_path), version):
        return Path(version.local_path)
    target = paths.adapters() / version.name
    if not is_version(target, version):
        fetch(version.location, target, version.manifest_sha256, on_bytes)
    catalog.adapters.set_local_path(version.adapter, version.version, str(target))
    return target


def fetch(location: str, target: Path, manifest_sha256: str, on_bytes: Callable[[int, int], None]) -> None:
    """Copy a published adapter to `target`, where it appears only when every hash holds.

    Args:
        location: Its directory, or s3://bucket/prefix/name.
        target: Where it goes; must not exist.
        manifest_sha256: What its manifest must hash to; empty trusts the manifest that comes.
        on_bytes: Called with bytes so far and in all.

    Raises:
        CheckFailed: What came is not what was published.
        StorageError: It cannot be fetched or placed.
    """
    root, _, name = location.rstrip("/").rpartition("/")
    draft = target.with_name(f".{target.name}.fetch-{uuid.uuid4().hex}")
    try:
        open_storage(root).get_directory(name, draft, on_bytes)
        check_arrived(location, draft, manifest_sha256)
        seal(draft)
        settle(draft, target)
    except OSError as error:
        raise StorageError(
            f"The copy of {printable(location)} cannot be placed at {printable(target)}: {error.strerror}.",
            "Remove what is there, or check the disk.",
        ) from error
    finally:
        if draft.exists():
            delete_tree(draft)


def check_arrived(location: str, copy: Path, manifest_sha256: str) -> None:
    """Refuse a copy that is not what was published.

    Args:
        location: Where it came from.
        copy: Its directory.
        manifest_sha256: What its manifest must hash to; empty trusts the manifest that came.

    Raises:
        CheckFailed: It is not.
    """
    if manifest_sha256 and manifest_digest(copy) != manifest_sha256:
        raise CheckFailed(
            f"The manifest of {printable(location)} is not the one that was published.",
            "Somebody changed it; publish the adapter again under a new version.",
        )
    damaged = damaged_files(copy, read_manifest(copy))
    if damaged:
        raise CheckFailed(
            f"{printable(location)} is damaged: {', '.join(map(printable, damaged))} is not as it was published.",
            "Publish the adapter again under a new version.",
        )


def is_version(directory: Path, version: Version) -> bool:
    """Whether a directory is that version: its manifest is the one published, and its files have their sizes."""
    try:
        if manifest_digest(directory) != version.manifest_sha256:
            return False
        files = read_manifest(directory).files
        return all((directory / name).stat().st_size == file.bytes for name, file in files.items())
    except (OSError, CheckFailed):
        return False
