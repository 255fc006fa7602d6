"""Reads a plain folder: no symbolic link is followed, `.gitignore` files are honoured, special files are left out."""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Literal

from duotune.errors import SourceError, printable
from duotune.sources.ignore import Rule, is_ignored, read_ignore_file
from duotune.sources.source import (
    MAX_READ_BYTES,
    Reason,
    Rejected,
    SourceFile,
    Unreadable,
    Wanted,
    blob_id,
    everything,
    is_lfs_pointer,
)

MAX_DEPTH = 200
OPEN_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
OPEN_DIRECTORY = OPEN_FILE | os.O_DIRECTORY


@dataclass(frozen=True)
class _Entry:
    name: bytes
    status: os.stat_result

    @property
    def is_directory(self) -> bool:
        return stat.S_ISDIR(self.status.st_mode)

    @property
    def order(self) -> bytes:
        """Git's order of a tree: directories sort as if their name ended in `/`."""
        return self.name + b"/" if self.is_directory else self.name


class _Links:
    """How many names each file has inside a folder; counted when the first file with several names is met."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def lead_out(self, status: os.stat_result) -> bool:
        """Whether a regular file has a name that is not inside the folder."""
        return status.st_nlink > 1 and self._inside[status.st_dev, status.st_ino] < status.st_nlink

    @cached_property
    def _inside(self) -> Counter[tuple[int, int]]:
        found: Counter[tuple[int, int]] = Counter()
        top = os.fsencode(self._folder)
        for path, below, names, directory in os.fwalk(top):
            if path.count(b"/") - top.count(b"/") >= MAX_DEPTH:
                below.clear()
            for name in names:
                with contextlib.suppress(OSError):
                    status = os.stat(name, dir_fd=directory, follow_symlinks=False)
                    if status.st_nlink > 1:
                        found[status.st_dev, status.st_ino] += 1
        return found


@dataclass(frozen=True)
class _Wishes:
    """What a walk asks of each file: whether its content is wanted, and where its links lead."""

    wanted: Wanted
    links: _Links


class FolderSource:
    """A folder as it is now.

    `.gitignore` files inside the folder count, those above it do not. A file with several hard links is taken when all
    of them lie inside the folder: another one may be any file of the same disk.

    Args:
        folder: Absolute, existing directory.
        location: What the configuration named.
    """

    kind: Literal["git", "folder"] = "folder"
    commit: str | None = None

    def __init__(self, folder: Path, location: str) -> None:
        self.location = location
        self._folder = folder

    @cached_property
    def version(self) -> str:
        """SHA-256 (hex) over paths and blob ids; reads the whole folder once."""
        total = hashlib.sha256()
        for entry in self.files():
            if isinstance(entry, SourceFile):
                total.update(f"{entry.blob_id} {entry.path}\0".encode("utf-8", "surrogateescape"))
        return total.hexdigest()

    def files(self, wanted: Wanted = everything) -> Iterator[SourceFile | Rejected]:
        """Every file in Git's order, with a reason for each one left out; wanted contents are hashed on the way.

        Raises:
            SourceError: The folder itself cannot be read any more.
        """
        try:
            descriptor = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise SourceError(
                f"The folder {printable(self.location)} cannot be read: {error.strerror}.",
                "Check that it is still there and may be read.",
            ) from error
        try:
            yield from _walk(descriptor, "", [], 0, _Wishes(wanted, _Links(self._folder)))
        finally:
            os.close(descriptor)

    def read(self, file: SourceFile) -> bytes:
        """Content of one file.

        Raises:
            Unreadable: It cannot be read, or is not what it was when it was listed.
        """
        name = os.fsencode(self._folder) + b"/" + file.path.encode("utf-8", "surrogateescape")
        content = _read(name, file.path, None, too_large=Reason.CHANGED)
        # Also holds when a directory on the way has become a symbolic link since: what is read is what was listed.
        if file.blob_id and blob_id(content) != file.blob_id:
            raise Unreadable(file.path, Reason.CHANGED)
        if is_lfs_pointer(content):
            raise Unreadable(file.path, Reason.LFS)
        return content

    def contents(self, files: Iterable[SourceFile]) -> Iterator[tuple[SourceFile, bytes] | Rejected]:
        """Contents of many files; a file that cannot be read becomes a `Rejected`."""
        for file in files:
            try:
                yield file, self.read(file)
            except Unreadable as error:
                yield error.rejected

    def first_commits(self, paths: Collection[str]) -> dict[str, int]:
        """Nothing: a folder has no history.

        Raises:
            SourceError: Always.
        """
        raise SourceError(
            f"{printable(self.location)} is a plain folder without Git history, so nobody knows when its files were "
            "added.",
            'Name a Git repository, or set data.held_out_after = "" to hold files out by chance.',
        )

    def close(self) -> None:
        """Nothing is kept open."""

    def __enter__(self) -> FolderSource:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _walk(
    directory: int, base: str, rules: list[tuple[str, list[Rule]]], depth: int, wishes: _Wishes
) -> Iterator[SourceFile | Rejected]:
    """Entries below an open directory; children are opened relative to it, so that no path is walked twice."""
    entries, unreadable = _entries(directory, base)
    yield from unreadable
    if any(entry.name == b".gitignore" for entry in entries):
        rules = [*rules, (base, read_ignore_file(directory))]
    for entry in entries:
        path = base + entry.name.decode("utf-8", "surrogateescape")
        if entry.is_directory:
            yield from _walk_child(directory, entry, f"{path}/", rules, depth + 1, wishes)
        elif is_ignored(path, rules):
            yield Rejected(path, Reason.IGNORED)
        else:
            yield _listed(directory, entry, path, wishes)


def _walk_child(
    parent: int, entry: _Entry, path: str, rules: list[tuple[str, list[Rule]]], depth: int, wishes: _Wishes
) -> Iterator[SourceFile | Rejected]:
    if is_ignored(path, rules):
        yield Rejected(path, Reason.IGNORED)
        return
    if depth > MAX_DEPTH:
        yield Rejected(path, Reason.TOO_DEEP)
        return
    try:
        child = os.open(entry.name, OPEN_DIRECTORY, dir_fd=parent)
    except OSError:
        yield Rejected(path, Reason.UNREADABLE)
        return
    try:
        yield from _walk(child, path, rules, depth, wishes)
    finally:
        os.close(child)


def _entries(directory: int, base: str) -> tuple[list[_Entry], list[Rejected]]:
    """What a directory holds, in order, without `.git`; and what of it cannot be looked at."""
    entries, unreadable = [], []
    try:
        names = sorted(os.fsencode(name) for name in os.listdir(directory))
    except OSError:
        return [], [Rejected(base or "./", Reason.UNREADABLE)]
    for name in names:
        if name == b".git":
            continue
        try:
            entries.append(_Entry(name, os.stat(name, dir_fd=directory, follow_symlinks=False)))
        except OSError:
            unreadable.append(Rejected(base + name.decode("utf-8", "surrogateescape"), Reason.UNREADABLE))
    return sorted(entries, key=lambda entry: entry.order), unreadable


def _listed(directory: int, entry: _Entry, path: str, wishes: _Wishes) -> SourceFile | Rejected:
    if stat.S_ISLNK(entry.status.st_mode):
        return Rejected(path, Reason.SYMLINK)
    if not stat.S_ISREG(entry.status.st_mode):
        return Rejected(path, Reason.NOT_REGULAR)
    if wishes.links.lead_out(entry.status):
        return Rejected(path, Reason.HARD_LINK, entry.status.st_size)
    if entry.status.st_size > MAX_READ_BYTES:
        return Rejected(path, Reason.TOO_LARGE, entry.status.st_size)
    mode = 0o100755 if entry.status.st_mode & stat.S_IXUSR else 0o100644
    if not wishes.wanted(path, entry.status.st_size):
        return SourceFile(path, "", entry.status.st_size, mode)
    try:
        content = _read(entry.name, path, directory)
    except Unreadable as error:
        return error.rejected
    return SourceFile(path, blob_id(content), len(content), mode)


def _read(name: bytes, path: str, directory: int | None, too_large: Reason = Reason.TOO_LARGE) -> bytes:
    """Read a regular file of at most `MAX_READ_BYTES`, whatever has been put in its place meanwhile."""
    try:
        descriptor = os.open(name, OPEN_FILE, dir_fd=directory)
    except OSError as error:
        raise Unreadable(path, Reason.UNREADABLE) from error
    with open(descriptor, "rb") as stream:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise Unreadable(path, Reason.CHANGED)
        try:
            content = stream.read(MAX_READ_BYTES + 1)
        except OSError as error:
            raise Unreadable(path, Reason.UNREADABLE) from error
    if len(content) > MAX_READ_BYTES:
        raise Unreadable(path, too_large)
    return content
