"""Adapters and their versions: which exist, where they are, and which of them are published."""

from __future__ import annotations

import re
import shlex
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from duotune.catalog.database import Database
from duotune.catalog.places import noted, resolved
from duotune.errors import UsageError

State = Literal["published", "withheld"]
_COLUMNS = (
    "adapter, version, content, location, local_path, manifest_sha256, run, verdict, state, "
    "published_at, published_by, force_reason, created_at"
)


@dataclass(frozen=True)
class Adapter:
    """A name under which versions are published, all of one base model.

    Attributes:
        name: Its name, unique.
        base: Fingerprint of the base model.
        base_name: What people call the base model.
    """

    name: str
    base: str
    base_name: str = ""


@dataclass(frozen=True)
class TrainedProject:
    """A project that a version was trained on, and its commit (empty for a folder)."""

    name: str
    commit: str = ""


@dataclass(frozen=True)
class Version:
    """One immutable version of an adapter.

    Attributes:
        adapter: The adapter's name.
        version: From 1.
        content: Digest of the adapter's files; the same content is never there twice under one name.
        location: Where it was published, a directory or s3:// address.
        local_path: The hash-checked directory on this host; empty when there is none.
        manifest_sha256: Digest of its manifest.
        run: The run that made it; empty when it was brought in.
        verdict: The evaluation's verdict; empty when there was none.
        state: Whether it may be served.
        published_at: Seconds since 1970; None while withheld.
        published_by: Who let it be published.
        force_reason: Why it was published against its verdict; empty otherwise.
        projects: What it was trained on.
        created_at: Seconds since 1970.
    """

    adapter: str
    version: int
    content: str
    location: str
    local_path: str
    manifest_sha256: str
    run: str = ""
    verdict: str = ""
    state: State = "published"
    published_at: float | None = None
    published_by: str = ""
    force_reason: str = ""
    projects: tuple[TrainedProject, ...] = ()
    created_at: float = 0.0

    @property
    def name(self) -> str:
        """The name that vLLM serves it by, such as `payments.v3`."""
        return f"{self.adapter}.v{self.version}"


class Adapters:
    """The tables of adapters and versions."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._home = database.path.absolute().parent

    def find(self, name: str) -> Adapter | None:
        """The adapter of that name, or None."""
        row = self._database.execute("SELECT name, base, base_name FROM adapters WHERE name = ?", (name,)).fetchone()
        return None if row is None else Adapter(*row)

    def all(self) -> list[Adapter]:
        """All adapters, by name."""
        return [
            Adapter(*row) for row in self._database.execute("SELECT name, base, base_name FROM adapters ORDER BY 1")
        ]

    def check_base(self, name: str, base: str) -> None:
        """Make sure that `name` is free or belongs to the base model with fingerprint `base`.

        Raises:
            UsageError: The name belongs to another base model.
        """
        known = self.find(name)
        if known is not None and known.base != base:
            of = f"{known.base_name!r} ({known.base[:12]})" if known.base_name else known.base[:12]
            raise UsageError(
                f"The adapter name {name!r} belongs to another base model, {of}.",
                "Choose another `adapter.name`; an adapter never changes its base model.",
            )

    def ensure(self, adapter: Adapter) -> None:
        """Enter the adapter unless it is there.

        Raises:
            UsageError: The name belongs to another base model.
        """
        with self._database.transaction():
            self.check_base(adapter.name, adapter.base)
            self._database.execute(
                "INSERT OR IGNORE INTO adapters (name, base, base_name, created_at) VALUES (?, ?, ?, ?)",
                (adapter.name, adapter.base, adapter.base_name, time.time()),
            )

    def add_version(self, version: Version) -> Version:
        """Enter a version with its projects, which must be in the catalog; its times are set to now where they are not.

        Raises:
            UsageError: The version or its content is already there.
        """
        now = time.time()
        published_at = version.published_at or (now if version.state == "published" else None)
        version = replace(version, created_at=version.created_at or now, published_at=published_at)
        with self._database.transaction():
            taken = self._database.execute(
                "SELECT version FROM versions WHERE adapter = ? AND (version = ? OR content = ?)",
                (version.adapter, version.version, version.content),
            ).fetchone()
            if taken is not None:
                raise UsageError(
                    f"{version.adapter}.v{taken[0]} is already in the catalog.",
                    "Publish again: an identical adapter re-uses the version there, another one gets the next.",
                )
            self._database.execute(
                f"INSERT INTO versions ({_COLUMNS}) VALUES ({', '.join('?' * 13)})", self._values(version)
            )
            self._database.execute_many(
                "INSERT INTO version_projects VALUES (?, ?, ?, ?, ?)",
                [(version.adapter, version.version, i, p.name, p.commit) for i, p in enumerate(version.projects)],
            )
        return version

    def publish(self, adapter: str, version: int, by: str, force_reason: str = "") -> Version:
        """Let a withheld version be served; who and why stay recorded.

        Raises:
            UsageError: There is no such version.
        """
        with self._database.transaction():
            self._database.execute(
                "UPDATE versions SET state = 'published', published_at = ?, published_by = ?, force_reason = ? "
                "WHERE adapter = ? AND version = ? AND state = 'withheld'",
                (time.time(), by, force_reason, adapter, version),
            )
            return self.get(f"{adapter}.v{version}")

    def remove(self, adapter: str, version: int, by: str) -> None:
        """Take a version out, and the adapter with its last one; the number stays taken, as others may remember it.

        Raises:
            UsageError: There is no such version, a deployment names it, or it is the last published one of an adapter
                that projects are assigned.
        """
        with self._database.transaction():
            found = self.get(f"{adapter}.v{version}")
            if (refusal := self.why_kept(found)) is not None:
                raise refusal
            key = (adapter, version)
            self._database.execute("DELETE FROM versions WHERE adapter = ? AND version = ?", key)
            self._database.execute("INSERT INTO removed_versions VALUES (?, ?, ?, ?)", (*key, time.time(), by))
            if not self.versions(adapter):
                self._database.execute("DELETE FROM adapters WHERE name = ?", (adapter,))

    def why_kept(self, version: Version) -> UsageError | None:
        """Why a version cannot be removed; None when it can."""
        named = self._database.execute(
            "SELECT max(deployment) FROM deployment_versions WHERE adapter = ? AND version = ?",
            (version.adapter, version.version),
        ).fetchone()[0]
        if named is not None:
            return UsageError(
                f"{version.name} cannot be removed: deployment {named} names it, and a rollback may need it.",
                "What was ever served stays; withdraw it from projects with `duotune assign PROJECT --base`.",
            )
        left = [one for one in self.versions(version.adapter) if one.version != version.version]
        if any(one.state == "published" for one in left):
            return None
        assigned = self._database.execute("SELECT project FROM assignments WHERE adapter = ?", (version.adapter,))
        projects = [name for (name,) in assigned]
        if not projects:
            return None
        withdrawn = " && ".join(shlex.join(["duotune", "assign", name, "--base"]) for name in projects)
        return UsageError(
            f"{version.name} cannot be removed: {', '.join(projects)} would be left with an adapter that has no "
            "published version.",
            f"First run `{withdrawn}`, or assign another adapter.",
        )

    def taken(self, adapter: str) -> set[int]:
        """Numbers that no new version of the name may get: those that are there, and those that were removed."""
        rows = self._database.execute(
            "SELECT version FROM versions WHERE adapter = ?1 UNION SELECT version FROM removed_versions "
            "WHERE adapter = ?1",
            (adapter,),
        )
        return {number for (number,) in rows}

    def set_local_path(self, adapter: str, version: int, path: str) -> None:
        """Remember where this host keeps its copy of a version."""
        self._database.execute(
            "UPDATE versions SET local_path = ? WHERE adapter = ? AND version = ?",
            (noted(path, self._home), adapter, version),
        )

    def versions(self, adapter: str | None = None, run: str | None = None) -> list[Version]:
        """Versions, by adapter and number; all, or those of one adapter or one run.

        A run that came to content which was there already has that version: its evaluation is recorded there.
        """
        rows = self._database.execute(
            f"SELECT {_COLUMNS} FROM versions WHERE (?1 IS NULL OR adapter = ?1) AND (?2 IS NULL OR run = ?2 OR EXISTS "
            "(SELECT 1 FROM evaluations e WHERE e.adapter = versions.adapter AND e.version = versions.version "
            "AND e.run = ?2)) ORDER BY adapter, version",
            (adapter, run),
        ).fetchall()
        return [self._version(row) for row in rows]

    def with_content(self, adapter: str, content: str) -> Version | None:
        """The version of `adapter` whose files have that digest, or None."""
        row = self._database.execute(
            f"SELECT {_COLUMNS} FROM versions WHERE adapter = ? AND content = ?", (adapter, content)
        ).fetchone()
        return None if row is None else self._version(row)

    def current(self, adapter: str) -> Version | None:
        """The newest published version of a name, or None."""
        published = [version for version in self.versions(adapter) if version.state == "published"]
        return published[-1] if published else None

    def get(self, name: str) -> Version:
        """The version that `name.vN` names, or the newest one, published or not, of `name`.

        Raises:
            UsageError: There is no such version.
        """
        adapter, number = split_name(name)
        found = [v for v in self.versions(adapter) if number is None or v.version == number]
        if not found:
            known = ", ".join(version.name for version in self.versions())
            raise UsageError(
                f"There is no adapter {name!r}.", f"Known are: {known}." if known else "None has been published yet."
            )
        return found[-1]

    def _version(self, row: tuple[Any, ...]) -> Version:
        projects = self._database.execute(
            "SELECT project, commit_id FROM version_projects WHERE adapter = ? AND version = ? ORDER BY position",
            (row[0], row[1]),
        )
        found = Version(*row[:-1])
        return replace(
            found,
            location=resolved(found.location, self._home),
            local_path=resolved(found.local_path, self._home),
            projects=tuple(TrainedProject(*p) for p in projects),
            created_at=row[-1],
        )

    def _values(self, version: Version) -> Sequence[str | float | None]:
        location, local_path = noted(version.location, self._home), noted(version.local_path, self._home)
        row = replace(version, location=location, local_path=local_path)
        return [getattr(row, column) for column in _COLUMNS.split(", ")]


def split_name(name: str) -> tuple[str, int | None]:
    """`payments.v3` as ("payments", 3), and `payments` as ("payments", None)."""
    match = re.fullmatch(r"(.+)\.v([1-9][0-9]*)", name)
    return (match[1], int(match[2])) if match else (name, None)
