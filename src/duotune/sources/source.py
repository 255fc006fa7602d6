"""What every source offers: files with their blob ids, contents, and a reason for each file left out."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from types import TracebackType
from typing import Literal, Protocol

from duotune.errors import SourceError, printable

MAX_READ_BYTES = 64 * 2**20
"""No larger file is ever read: it cannot be source code, and it must not exhaust memory."""
LFS_POINTER = b"version https://git-lfs.github.com/spec/"
LFS_POINTER_MAX_BYTES = 1024

Progress = Callable[[str, int, int], None]
"""Called with a phase in words, what is done and the total."""


Wanted = Callable[[str, int], bool]
"""Told a path and a size in bytes, whether the content of that file may matter."""


def everything(path: str, size: int) -> bool:
    """Want every file."""
    return True


def nothing(path: str, size: int) -> bool:
    """Want no file's content hashed: paths and sizes are enough."""
    return False


class Reason(StrEnum):
    """Why a source leaves a file out."""

    SYMLINK = "symbolic link"
    HARD_LINK = "hard link out of the folder"
    SUBMODULE = "submodule"
    NOT_REGULAR = "not a regular file"
    UNREADABLE = "cannot be read"
    MISSING = "missing from the repository"
    LFS = "Git LFS pointer"
    CHANGED = "changed while it was read"
    TOO_LARGE = "too large to read"
    IGNORED = "ignored by .gitignore"
    TOO_DEEP = "nested too deep"
    UNSAFE_PATH = "unsafe path"


@dataclass(frozen=True)
class SourceFile:
    """One file that can be read.

    Attributes:
        path: Relative, with `/`; bytes that are not UTF-8 are kept as lone surrogates (surrogateescape).
        blob_id: Git's id of the content, the same for the same bytes in a repository and in a folder; empty where a
            folder was told not to read the file.
        size: In bytes.
        mode: Git's mode: 0o100644, or 0o100755 for an executable file.
    """

    path: str
    blob_id: str
    size: int
    mode: int


@dataclass(frozen=True)
class Rejected:
    """One file, or one whole directory (its path ends in `/`), that a source leaves out.

    Attributes:
        path: As of `SourceFile`.
        reason: One of `Reason`.
        size: In bytes; 0 where it is not known.
    """

    path: str
    reason: str
    size: int = 0


class Unreadable(SourceError):
    """One file could not be read; the rest of the source can be."""

    def __init__(self, path: str, reason: Reason) -> None:
        super().__init__(f"{printable(path)} is left out: {reason}.")
        self.rejected = Rejected(path, reason)


class Source(Protocol):
    """A body of code, pinned: a commit of a repository, or a folder as it is.

    Attributes:
        kind: What it is.
        location: What the configuration named, without any secret.
        commit: Full id of the pinned commit; None for a folder.
    """

    kind: Literal["git", "folder"]
    location: str
    commit: str | None

    @property
    def version(self) -> str:
        """What pins the content: the commit, or a digest over paths and contents of a folder."""
        ...

    def files(self, wanted: Wanted = everything) -> Iterator[SourceFile | Rejected]:
        """Every file in a fixed order, with a reason for each one left out.

        Args:
            wanted: Told path and size of a file, whether its content may matter; a folder does not read the others.
        """
        ...

    def read(self, file: SourceFile) -> bytes:
        """Content of one file.

        Raises:
            Unreadable: This file cannot be read, or is not what it was when it was listed.
        """
        ...

    def contents(self, files: Iterable[SourceFile]) -> Iterator[tuple[SourceFile, bytes] | Rejected]:
        """Contents of many files, in the order given; a file that cannot be read becomes a `Rejected`."""
        ...

    def first_commits(self, paths: Collection[str]) -> dict[str, int]:
        """When each of some paths first entered the history of the pinned commit, in seconds since 1970.

        The committer's date counts: the author's is when somebody's work began, and may lie long before anybody else
        could see it. A moved file is as old as before (`history` says how far that is told). A path that only a merge
        brought is absent.

        Raises:
            SourceError: There is no history, or not the whole of it.
        """
        ...

    def close(self) -> None:
        """End processes and remove temporary files."""
        ...

    def __enter__(self) -> Source: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def blob_id(content: bytes) -> str:
    """Git's id of a blob (SHA-1 object format)."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def is_lfs_pointer(content: bytes) -> bool:
    """Whether the content only points to a file in Git LFS."""
    return len(content) <= LFS_POINTER_MAX_BYTES and content.startswith(LFS_POINTER)


def is_safe_path(path: str) -> bool:
    """Whether a path stays inside its tree; a hand-made Git tree can hold any name."""
    return not any(part in ("", ".", "..") for part in path.split("/"))
