"""When the files of a commit first entered its history."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from duotune.errors import SourceError, printable
from duotune.sources.git import end_git, records_of, run_git, start_git

_LOG = (
    "log",
    "--no-color",
    "--no-show-signature",
    "--no-ext-diff",
    "--no-textconv",
    "--no-renames",
    "--diff-filter=A",
    "--name-only",
    "-z",
    "--format=%x00%ct",
)


def first_commits(commit: str, location: str, environment: dict[str, str], paths: Collection[str]) -> dict[str, int]:
    """When each of some paths was first added on the way to a commit, by committer's date, in seconds since 1970.

    Args:
        commit: The full id.
        location: What the configuration named.
        environment: For git, with the shadow that it reads.
        paths: As of `SourceFile`; others are not looked for, and none is not worth a look at the history.

    Raises:
        SourceError: The clone is shallow, or its history is damaged.
    """
    shallow = run_git(("rev-parse", "--is-shallow-repository"), environment)
    if shallow.stdout.strip() == b"true":
        raise SourceError(
            f"{printable(location)} is a shallow clone: its history does not tell when its files were added.",
            'Fetch the rest with `git fetch --unshallow`, or set data.held_out_after = "".',
        )
    if not paths:
        return {}
    wanted = {path.encode("utf-8", "surrogateescape"): path for path in paths}
    found: dict[str, int] = {}
    log = start_git((*_LOG, commit), environment)
    try:
        for name, seconds in _additions(records_of(log)):
            if (path := wanted.get(name)) is not None:
                found[path] = min(seconds, found.get(path, seconds))
        if log.wait() != 0:
            raise SourceError(
                f"The history of {printable(location)} cannot be read completely: the repository is damaged or is a "
                "partial clone.",
                'Check it with `git fsck`, or set data.held_out_after = "".',
            )
    finally:
        end_git(log)
    return found


def _additions(records: Iterator[bytes]) -> Iterator[tuple[bytes, int]]:
    """Name and date of every addition; a commit is an empty record, its date, and its names, the first after a LF."""
    seconds, first = 0, False
    for record in records:
        if not record:
            date = next(records, b"")
            seconds, first = (int(date) if date.isdigit() else 0), True
            continue
        yield (record.removeprefix(b"\n") if first else record), seconds
        first = False
