"""Reads the blobs of one commit of a Git repository on disk."""

from __future__ import annotations

import shutil
import weakref
from collections.abc import Collection, Iterable, Iterator
from types import TracebackType
from typing import Literal

from duotune.errors import SourceError, printable
from duotune.sources.git import (
    GitDirectory,
    end_git,
    make_shadow,
    neutral_environment,
    records_of,
    run_git,
    start_git,
)
from duotune.sources.history import first_commits
from duotune.sources.source import (
    MAX_READ_BYTES,
    Reason,
    Rejected,
    SourceFile,
    Unreadable,
    Wanted,
    everything,
    is_lfs_pointer,
    is_safe_path,
)

REQUESTS_AT_ONCE = 64
"""So many requests fit into a pipe, so that writing them never waits for answers that nobody reads yet."""
BYTES_AT_ONCE = 16 * 2**20
SYMLINK_MODE = 0o120000
SUBMODULE_MODE = 0o160000


class GitSource:
    """The files of one commit.

    Args:
        repository: Where it is.
        location: What the configuration named, without any secret.
        ref: Branch, tag or commit.

    Raises:
        SourceError: No commits, an unknown ref, or a commit without files.
    """

    kind: Literal["git", "folder"] = "git"

    def __init__(self, repository: GitDirectory, location: str, ref: str) -> None:
        self.location = location
        self._shadow = make_shadow(repository)
        self._remove_shadow = weakref.finalize(self, shutil.rmtree, self._shadow, ignore_errors=True)
        self._environment = neutral_environment(self._shadow)
        self._reader: _BlobReader | None = None
        try:
            self.commit: str | None = self._resolve(ref)
        except BaseException:
            self.close()
            raise

    @property
    def version(self) -> str:
        """The commit."""
        return self.commit or ""

    def files(self, wanted: Wanted = everything) -> Iterator[SourceFile | Rejected]:
        """Every file of the commit in Git's order, with a reason for each one left out; Git knows every id.

        Raises:
            SourceError: The repository is damaged, or a tree of the commit is not there.
        """
        listing = start_git(("ls-tree", "-rlz", "--full-tree", self.version), self._environment)
        try:
            assert listing.stdout is not None
            for record in records_of(listing):
                yield _listed(record)
            if listing.wait() != 0:
                raise SourceError(
                    f"The commit {self.version[:12]} of {printable(self.location)} cannot be listed completely: "
                    "the repository is damaged or is a partial clone.",
                    "Check it with `git fsck`, or name a complete clone.",
                )
        finally:
            end_git(listing)

    def read(self, file: SourceFile) -> bytes:
        """Content of one file.

        Raises:
            Unreadable: The blob is missing, or is a Git LFS pointer.
        """
        for answer in self.contents([file]):
            if not isinstance(answer, Rejected):
                return answer[1]
            raise Unreadable(answer.path, Reason(answer.reason))
        raise Unreadable(file.path, Reason.MISSING)

    def contents(self, files: Iterable[SourceFile]) -> Iterator[tuple[SourceFile, bytes] | Rejected]:
        """Contents of many files, in the order given, from one process."""
        for batch in _batches(files):
            found = self._blobs([file.blob_id for file in batch if file.size <= MAX_READ_BYTES])
            for file in batch:
                if file.size > MAX_READ_BYTES:
                    yield Rejected(file.path, Reason.TOO_LARGE, file.size)
                else:
                    yield _judged(file, next(found))

    def first_commits(self, paths: Collection[str]) -> dict[str, int]:
        """When each of some paths first entered the history, by committer's date, in seconds since 1970.

        Raises:
            SourceError: The clone is shallow, or its history is damaged.
        """
        return first_commits(self.version, self.location, self._environment, paths)

    def close(self) -> None:
        """End the reading process and remove the shadow directory."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None
        self._remove_shadow()

    def __enter__(self) -> GitSource:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _blobs(self, ids: list[str]) -> Iterator[bytes | None]:
        if self._reader is None:
            self._reader = _BlobReader(self._environment)
            weakref.finalize(self, self._reader.close)
        return self._reader.read(ids)

    def _resolve(self, ref: str) -> str:
        shown, where = printable(ref), printable(self.location)
        if ref.startswith("-") or not ref.strip():
            raise SourceError(f"`{shown}` cannot be a ref.", "Name a branch, a tag or a commit.")
        commit = self._rev_parse(f"{ref}^{{commit}}")
        if commit is None:
            raise self._unknown(ref, shown, where)
        listed = run_git(("ls-tree", "-z", "--name-only", commit), self._environment)
        if listed.returncode == 0 and not listed.stdout:
            raise SourceError(
                f"The commit {commit[:12]} ({shown}) of {where} has no files.", "Name another branch in `ref`."
            )
        return commit

    def _rev_parse(self, expression: str) -> str | None:
        answer = run_git(("rev-parse", "--verify", "--quiet", expression), self._environment)
        return answer.stdout.decode("ascii", "replace").strip() if answer.returncode == 0 else None

    def _unknown(self, ref: str, shown: str, where: str) -> SourceError:
        refs = run_git(("for-each-ref", "--count=5", "--format=%(refname:short)", "refs/heads"), self._environment)
        branches = printable(", ".join(refs.stdout.decode("utf-8", "replace").split()))
        any_ref = run_git(("for-each-ref", "--count=1"), self._environment).stdout
        if not any_ref and self._rev_parse("HEAD") is None:
            return SourceError(f"The Git repository {where} has no commits yet.", "Commit something to it first.")
        hint = f"Its branches begin with: {branches}." if branches else "Check the spelling."
        if ref == "HEAD":
            return SourceError(f"HEAD of {where} names a branch without commits.", f"Name a branch in `ref`. {hint}")
        return SourceError(f"{where} has no branch, tag or commit `{shown}`.", hint)


class _BlobReader:
    """One `git cat-file --batch` that answers many requests."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._process = start_git(("cat-file", "--batch"), environment)

    def read(self, ids: list[str]) -> Iterator[bytes | None]:
        """Contents of the blobs in order, None for one that is missing."""
        requests, answers = self._process.stdin, self._process.stdout
        assert requests is not None
        assert answers is not None
        try:
            requests.write("".join(f"{blob}\n" for blob in ids).encode("ascii"))
            requests.flush()
        except BrokenPipeError as error:
            raise _reader_ended() from error
        found: list[bytes | None] = []
        for _ in ids:
            header = answers.readline().split()
            if not header:
                raise _reader_ended()
            if header[-1] == b"missing":
                found.append(None)
                continue
            size = int(header[2])
            content = answers.read(size + 1)
            if len(content) != size + 1:
                raise _reader_ended()
            found.append(content[:-1] if header[1] == b"blob" else None)
        return iter(found)

    def close(self) -> None:
        end_git(self._process)


def _batches(files: Iterable[SourceFile]) -> Iterator[list[SourceFile]]:
    """Groups of files that are asked for at once: few enough for the pipe, small enough for memory."""
    batch: list[SourceFile] = []
    size = 0
    for file in files:
        if batch and (len(batch) == REQUESTS_AT_ONCE or size + file.size > BYTES_AT_ONCE):
            yield batch
            batch, size = [], 0
        batch.append(file)
        size += file.size
    if batch:
        yield batch


def _reader_ended() -> SourceError:
    return SourceError("git stopped while reading blobs: the repository is damaged.", "Check it with `git fsck`.")


def _judged(file: SourceFile, content: bytes | None) -> tuple[SourceFile, bytes] | Rejected:
    if content is None:
        return Rejected(file.path, Reason.MISSING, file.size)
    if is_lfs_pointer(content):
        return Rejected(file.path, Reason.LFS, file.size)
    return file, content


def _listed(record: bytes) -> SourceFile | Rejected:
    """One line of `ls-tree -l`: mode, type, id and size, then a tab and the path."""
    fields, _, name = record.partition(b"\t")
    mode_text, kind, blob, size = fields.split()
    path = name.decode("utf-8", "surrogateescape")
    mode = int(mode_text, 8)
    if mode == SUBMODULE_MODE or kind == b"commit":
        return Rejected(path, Reason.SUBMODULE)
    if mode == SYMLINK_MODE:
        return Rejected(path, Reason.SYMLINK)
    if not is_safe_path(path):
        return Rejected(path, Reason.UNSAFE_PATH)
    if not size.isdigit():
        return Rejected(path, Reason.MISSING)
    return SourceFile(path, blob.decode("ascii"), int(size), mode)
