"""Storage in a local directory: a hidden copy is made durable, then renamed."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from duotune.disk import rename, sync_tree
from duotune.errors import StorageError, is_full, printable
from duotune.storage.locations import MARKER, OnBytes, checked_name, files_of

CHUNK_BYTES = 8 << 20
PROBE_BYTES = 4096
STALE_SECONDS = 24 * 3600
_PART = ".part-"


@dataclass(frozen=True)
class LocalStorage:
    """A local directory, made on first use.

    Attributes:
        root: Its absolute path.
    """

    root: Path

    @property
    def location(self) -> str:
        """The root, as text."""
        return str(self.root)

    def check_writable(self) -> None:
        """Write a probe into the root, or into the nearest directory above it that exists."""
        existing = next(path for path in (self.root, *self.root.parents) if path.exists())
        if not existing.is_dir():
            raise StorageError(
                f"{printable(self.root)} cannot be a folder: {printable(existing)} is a file.", "Name another folder."
            )
        probe = existing / f".duotune-probe-{uuid.uuid4().hex}"
        with self._readable_errors():
            try:
                with probe.open("xb") as stream:
                    stream.write(bytes(PROBE_BYTES))
                    stream.flush()
                    os.fsync(stream.fileno())
            finally:
                probe.unlink(missing_ok=True)

    def put_directory(self, source: Path, name: str, on_bytes: OnBytes) -> str:
        """Copy to a hidden directory beside the target, then rename; see `Storage.put_directory`."""
        target = self.root / checked_name(name)
        with self._readable_errors():
            self.root.mkdir(parents=True, exist_ok=True)
            self._sweep(name)
            copy_directory(source, target, files_of(source), on_bytes)
        return str(target)

    def get_directory(self, name: str, target: Path, on_bytes: OnBytes) -> Path:
        """Copy a stored directory; see `Storage.get_directory`."""
        source = self.root / checked_name(name)
        if not self.exists(name):
            raise missing(self.location, name)
        with self._readable_errors():
            target.parent.mkdir(parents=True, exist_ok=True)
            copy_directory(source, target, files_of(source), on_bytes)
        return target

    def exists(self, name: str) -> bool:
        """Whether the directory is there."""
        return (self.root / checked_name(name) / MARKER).is_file()

    def size_of(self, name: str) -> int:
        """Bytes of its files."""
        if not self.exists(name):
            raise missing(self.location, name)
        source = self.root / name
        with self._readable_errors():
            return sum((source / file).stat().st_size for file in files_of(source))

    def names(self) -> list[str]:
        """All directories with a marker."""
        with self._readable_errors():
            found = [path.name for path in self.root.iterdir()] if self.root.is_dir() else []
        return sorted(name for name in found if not name.startswith(".") and (self.root / name / MARKER).is_file())

    def remove(self, name: str) -> None:
        """Hide the directory by a rename, then delete it."""
        path = self.root / checked_name(name)
        if path.is_dir():
            with self._readable_errors():
                doomed = _part_of(path)
                path.rename(doomed)
                delete_tree(doomed)

    def _sweep(self, name: str) -> None:
        """Delete what a crash left of earlier attempts, long enough ago that nobody is still at it."""
        for left in self.root.glob(f".{name}{_PART}*"):
            if time.time() - left.stat().st_mtime > STALE_SECONDS:
                delete_tree(left)

    @contextmanager
    def _readable_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise self._refusal(error) from error

    def _refusal(self, error: OSError) -> StorageError:
        where = printable(self.root)
        if is_full(error):
            return StorageError(f"No space is left for {where}.", "Free some, or choose another location.")
        match error.errno:
            case errno.EROFS:
                return StorageError(f"The disk of {where} is read-only.", "Choose another location, or remount it.")
            case errno.EACCES | errno.EPERM:
                return StorageError(f"You may not write to {where}.", "Change its owner or mode, or choose another.")
            case errno.EEXIST | errno.ENOTEMPTY:
                return StorageError(
                    f"{printable(error.filename2 or error.filename)} is there already.",
                    "What is stored is never overwritten; publish again to get the next version.",
                )
        return StorageError(f"{where} cannot be used: {error.strerror}.", "Check the disk, or choose another location.")


def copy_directory(source: Path, target: Path, files: list[Path], on_bytes: OnBytes) -> None:
    """Copy files with their modes to a hidden directory beside `target`, make all durable, and rename.

    Raises:
        OSError: Anything that the disk refuses; nothing of it is left then.
    """
    total = sum((source / file).stat().st_size for file in files)
    draft = _part_of(target)
    draft.mkdir()
    try:
        done = 0
        for file in files:
            (draft / file).parent.mkdir(parents=True, exist_ok=True)
            done = _copy_file(source / file, draft / file, done, total, on_bytes)
        settle(draft, target, mode=stat.S_IMODE(source.stat().st_mode))
    except BaseException:
        delete_tree(draft)
        raise


def settle(draft: Path, target: Path, mode: int | None = None) -> None:
    """Make a finished draft durable and give it its name; a target that is there is never replaced."""
    sync_tree(draft)
    if target.exists():  # renaming onto an empty directory would replace it
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))
    if mode is not None:
        draft.chmod(mode)
    rename(draft, target)


def delete_tree(directory: Path) -> None:
    """Delete a directory, also one whose modes forbid writing; failures are left for a later sweep."""
    for path in [directory, *directory.rglob("*")]:
        if path.is_dir() and not path.is_symlink():
            path.chmod(path.stat().st_mode | stat.S_IRWXU)
    shutil.rmtree(directory, ignore_errors=True)


def missing(location: str, name: str) -> StorageError:
    """The error for a name that is not there."""
    return StorageError(
        f"There is no {printable(name)!r} at {printable(location)}.", "Check the location, or store it again."
    )


def _copy_file(source: Path, target: Path, done: int, total: int, on_bytes: OnBytes) -> int:
    with source.open("rb") as reader, target.open("xb") as writer:
        while chunk := reader.read(CHUNK_BYTES):
            writer.write(chunk)
            done += len(chunk)
            on_bytes(done, total)
    shutil.copymode(source, target)
    return done


def _part_of(target: Path) -> Path:
    return target.with_name(f".{target.name}{_PART}{uuid.uuid4().hex}")
