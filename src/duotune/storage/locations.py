"""A storage location: named directories that are there completely or not at all."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from duotune.config.fields import is_mistyped
from duotune.config.resolve import expanded
from duotune.errors import StorageError, UsageError, printable

MARKER = "manifest.json"
"""The file that goes last: a directory without it is not there."""

OnBytes = Callable[[int, int], None]
"""Called with the bytes copied so far and the bytes in all."""

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")


class Storage(Protocol):
    """Where datasets and adapters are kept. Every method raises StorageError with a sentence per cause."""

    @property
    def location(self) -> str:
        """A folder's absolute path, or s3://bucket/prefix."""

    def check_writable(self) -> None:
        """Write a small probe and delete it again."""

    def put_directory(self, source: Path, name: str, on_bytes: OnBytes) -> str:
        """Store a directory that has a `manifest.json`; returns its location.

        Readers see all of it or nothing. A name that is there is refused.
        """

    def get_directory(self, name: str, target: Path, on_bytes: OnBytes) -> Path:
        """Copy a stored directory to `target`, which must not exist; it appears there whole or not at all."""

    def exists(self, name: str) -> bool:
        """Whether a directory of that name is there completely."""

    def size_of(self, name: str) -> int:
        """Bytes of a stored directory."""

    def names(self) -> list[str]:
        """All names that are there completely, sorted."""

    def remove(self, name: str) -> None:
        """Delete a directory; nothing happens when it is not there."""


def open_storage(location: str) -> Storage:
    """The storage at a folder or at s3://bucket/prefix; nothing is touched yet.

    Raises:
        UsageError: The location is neither.
    """
    if location.startswith("s3://") and not is_mistyped(location):
        from duotune.storage.s3 import S3Storage

        return S3Storage.at(location)
    if "://" in location or is_mistyped(location) or not location:
        raise UsageError(
            f"{printable(location)!r} is no storage location.", "Give a folder, or s3://BUCKET/PREFIX for S3."
        )
    from duotune.storage.local import LocalStorage

    return LocalStorage(expanded(location).absolute())


def checked_name(name: str) -> str:
    """The name, if a directory may be stored under it.

    Raises:
        StorageError: It has characters that could leave the location.
    """
    if not _NAME.fullmatch(name):
        raise StorageError(
            f"Nothing can be stored under the name {printable(name)!r}.",
            "Use letters, digits, dots, dashes and underscores.",
        )
    return name


def files_of(source: Path) -> list[Path]:
    """Files of a directory to be stored, relative to it, sorted, the marker last.

    Raises:
        StorageError: It has no marker, or holds something that is neither file nor directory.
    """
    found = []
    for path in sorted(source.rglob("*")):
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            raise StorageError(
                f"{printable(path)} is neither a file nor a directory, so it cannot be stored.", "Remove it."
            )
        if path.is_file():
            found.append(path.relative_to(source))
    marker = Path(MARKER)
    if marker not in found:
        raise StorageError(
            f"{printable(source)} has no {MARKER}, so it is not complete.", "Make it again; it was interrupted."
        )
    return [file for file in found if file != marker] + [marker]
