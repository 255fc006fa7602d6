"""When the files of a commit first entered its history, also under other names.

A file that was moved is as old as it was before. Git tells of a move within one commit (its own likeness of half the
lines; where more than 400 files came and went at once, only of moves without a change). A move over several commits is
told by the content: what was added with the very bytes of a file that was deleted, whichever came first. Names alone
decide otherwise: one that is used again is as old as its first use. So a file may be taken for older than it is, where
a name or a boilerplate is used again, and for newer only where it was moved and rewritten at once; a copy beside its
original is a file of its own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from duotune.errors import SourceError, printable
from duotune.sources.git import end_git, records_of, run_git, start_git

_LOG = (
    "log",
    "--no-color",
    "--no-show-signature",
    "--no-ext-diff",
    "--no-textconv",
    "--no-rename-empty",
    "-l400",
    "--diff-filter=ADR",
    "--raw",
    "--no-abbrev",
    "-z",
    "--format=%x00%ct",
)
_BY_LIKENESS, _BY_CONTENT = "--find-renames=50%", "--find-renames=100%"
# Files that begin empty, as `__init__.py` does, have nothing in common (ids of the empty blob by SHA-1 and SHA-256).
_EMPTY = frozenset(
    bytes.fromhex(blob)
    for blob in (
        "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391",
        "473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813",
    )
)


@dataclass
class _History:
    """What a log told: names, when each was first added, and which names came before it."""

    added: dict[bytes, int] = field(default_factory=dict)
    before: dict[bytes, set[bytes]] = field(default_factory=dict)
    came: dict[bytes, list[bytes]] = field(default_factory=dict)
    went: dict[bytes, list[bytes]] = field(default_factory=dict)

    def take(self, change: _Change) -> None:
        """Remember an addition, a deletion or a move."""
        if change.status == "D":
            self.went.setdefault(change.blob, []).append(change.name)
            return
        self.added[change.name] = min(change.seconds, self.added.get(change.name, change.seconds))
        if change.status == "R":
            self.before.setdefault(change.name, set()).add(change.former)
        else:
            self.came.setdefault(change.blob, []).append(change.name)

    def join(self) -> None:
        """Take every name that was added with the content of a deleted one for that one's."""
        for blob in (self.came.keys() & self.went.keys()) - _EMPTY:
            for name in self.came[blob]:
                self.before.setdefault(name, set()).update(self.went[blob])

    def first(self, name: bytes) -> int | None:
        """When a name, or any that came before it, was first added."""
        seen, waiting = {name}, [name]
        while waiting:
            new = self.before.get(waiting.pop(), set()) - seen
            seen |= new
            waiting.extend(new)
        return min((self.added[one] for one in seen if one in self.added), default=None)


@dataclass(frozen=True)
class _Change:
    """One change of a commit: status `A`, `D` or `R`, its content (that before a deletion), and its date."""

    status: str
    name: bytes
    former: bytes
    blob: bytes
    seconds: int


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
    # A clone without the contents of the past can still tell of moves without a change.
    history = _history(commit, environment, _BY_LIKENESS) or _history(commit, environment, _BY_CONTENT)
    if history is None:
        raise SourceError(
            f"The history of {printable(location)} cannot be read completely: the repository is damaged or is a "
            "partial clone.",
            'Check it with `git fsck`, or set data.held_out_after = "".',
        )
    return _dated(history, {path.encode("utf-8", "surrogateescape"): path for path in paths})


def _dated(history: _History, wanted: Mapping[bytes, str]) -> dict[str, int]:
    found = {path: history.first(name) for name, path in wanted.items()}
    return {path: seconds for path, seconds in found.items() if seconds is not None}


def _history(commit: str, environment: dict[str, str], renames: str) -> _History | None:
    """All additions, deletions and moves on the way to a commit, from one process; None when git cannot read them."""
    history = _History()
    log = start_git((*_LOG, renames, commit), environment)
    try:
        for change in _changes(records_of(log)):
            history.take(change)
        if log.wait() != 0:
            return None
    finally:
        end_git(log)
    history.join()
    return history


def _changes(records: Iterator[bytes]) -> Iterator[_Change]:
    """Every change: a commit is an empty record and its date, a change its facts (the first after a LF) and names."""
    seconds = 0
    for record in records:
        if not record:
            date = next(records, b"")
            seconds = int(date) if date.isdigit() else 0
            continue
        _, _, before, after, status = record.removeprefix(b"\n").split(b" ")
        kind = status[:1].decode("ascii")
        former = next(records, b"")
        name = next(records, b"") if kind == "R" else former
        yield _Change(kind, name, former, bytes.fromhex((before if kind == "D" else after).decode("ascii")), seconds)
