"""Stores the files of a version: staged aside, sealed, under a number that nobody has, never over another's."""

from __future__ import annotations

import fcntl
import os
import shutil
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from duotune import paths
from duotune.adapters.manifest import (
    MANIFEST,
    AdapterManifest,
    FileRef,
    ManifestDraft,
    complete,
    content_digest,
    read_manifest,
)
from duotune.adapters.modes import seal
from duotune.adapters.peft_config import CONFIG, WEIGHTS
from duotune.catalog.adapters import split_name
from duotune.errors import CheckFailed, HostError, printable
from duotune.storage.local import LocalStorage, delete_tree
from duotune.storage.locations import Storage

CONTENT = (CONFIG, WEIGHTS)
"""The files that make two adapters the same."""
OnBytes = Callable[[int, int], None]


def store_version(
    storage: Storage,
    draft: ManifestDraft,
    files: Mapping[str, Path],
    described: Mapping[str, FileRef],
    taken: set[int],
    on_bytes: OnBytes,
) -> tuple[AdapterManifest, bool]:
    """Store the files as the next version, or find the one that a crashed call stored and never entered.

    Call it inside `one_publisher`.

    Args:
        storage: Where the version goes; one that is not local gets a copy on this host besides.
        draft: What the manifest will say.
        files: The files, by the names they get.
        described: Their hashes and sizes.
        taken: Numbers of the versions in the catalog.
        on_bytes: Called with bytes so far and in all.

    Returns:
        The manifest, and whether it was found rather than made.

    Raises:
        StorageError: A location cannot be read or written.
        HostError: The files cannot be put together on this host.
    """
    local = LocalStorage(paths.adapters())
    stored = {number for name in [*storage.names(), *local.names()] if (number := _number(draft.name, name))}
    content = content_digest(described, CONTENT)
    for number in sorted(stored - taken):
        orphan = _manifest_at(storage, f"{draft.name}.v{number}", on_bytes)
        if orphan is not None and content_digest(orphan.files, CONTENT) == content:
            return orphan, True
    manifest = complete(draft, max(taken | stored, default=0) + 1, described)
    with _staged(manifest, files) as directory:
        storage.put_directory(directory, manifest.model_name, on_bytes)
        if not isinstance(storage, LocalStorage):
            local.put_directory(directory, manifest.model_name, lambda done, total: None)
    return manifest, False


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
def one_publisher(name: str) -> Iterator[None]:
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
