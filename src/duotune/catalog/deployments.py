"""Deployments: the generations of what vLLM serves."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from duotune.catalog.database import Database
from duotune.errors import UsageError

State = Literal["applying", "serving", "replaced", "failed", "stopped"]


@dataclass(frozen=True)
class Deployment:
    """One base model with a set of adapter versions, as vLLM was told to serve it.

    Attributes:
        id: Number of the generation, from 1.
        created_at: Seconds since 1970.
        base: Fingerprint of the base model.
        yaml: vLLM's configuration file.
        unit: The systemd unit file.
        state: What became of it.
        versions: Adapter names and version numbers in it.
        applied_by: Who carried it out.
        reason: Why it failed; empty otherwise.
    """

    id: int
    created_at: float
    base: str
    yaml: str
    unit: str
    state: State
    versions: tuple[tuple[str, int], ...]
    applied_by: str = ""
    reason: str = ""

    @property
    def has_served(self) -> bool:
        """Whether it was proven to answer, so that it can be served again."""
        return self.state in ("serving", "replaced", "stopped")


class Deployments:
    """The table of deployments."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(
        self,
        base: str,
        yaml: str,
        unit: str,
        versions: Sequence[tuple[str, int]],
        state: State = "applying",
        applied_by: str = "",
    ) -> Deployment:
        """Enter a new generation."""
        with self._database.transaction():
            cursor = self._database.execute(
                "INSERT INTO deployments (created_at, base, yaml, unit, state, applied_by) VALUES (?, ?, ?, ?, ?, ?)",
                (time.time(), base, yaml, unit, state, applied_by),
            )
            number = int(cursor.lastrowid or 0)
            self._database.execute_many(
                "INSERT INTO deployment_versions VALUES (?, ?, ?)", [(number, *version) for version in versions]
            )
            return self.get(number)

    def set_state(self, number: int, state: State, reason: str = "") -> None:
        """Record what became of a generation."""
        self._database.execute("UPDATE deployments SET state = ?, reason = ? WHERE id = ?", (state, reason, number))

    def replace_serving(self, number: int) -> None:
        """Make a generation the one that serves, in one step with the end of the one before it."""
        with self._database.transaction():
            self._database.execute("UPDATE deployments SET state = 'replaced' WHERE state IN ('serving', 'stopped')")
            self.set_state(number, "serving")

    def newest(self, *states: State) -> Deployment | None:
        """The newest generation in one of the states, or None; without states, the newest of all."""
        marks = ", ".join("?" * len(states))
        where = f"WHERE state IN ({marks}) " if states else ""
        return next(iter(self._select(f"{where}ORDER BY id DESC LIMIT 1", *states)), None)

    def get(self, number: int) -> Deployment:
        """The generation of that number.

        Raises:
            UsageError: There is none.
        """
        found = self._select("WHERE id = ?", number)
        if not found:
            raise UsageError(f"There is no deployment {number}.", "See `duotune serve status`.")
        return found[0]

    def all(self) -> list[Deployment]:
        """All generations, newest first."""
        return self._select("ORDER BY id DESC")

    def named(self, adapter: str, version: int) -> list[int]:
        """The generations that name an adapter version; one that is named is never deleted."""
        rows = self._database.execute(
            "SELECT deployment FROM deployment_versions WHERE adapter = ? AND version = ?", (adapter, version)
        )
        return [number for (number,) in rows]

    def _select(self, which: str, *values: str | int) -> list[Deployment]:
        rows = self._database.execute(
            f"SELECT id, created_at, base, yaml, unit, state, applied_by, reason FROM deployments {which}", values
        ).fetchall()
        return [
            Deployment(number, created_at, base, yaml, unit, state, self._versions(number), applied_by, reason)
            for number, created_at, base, yaml, unit, state, applied_by, reason in rows
        ]

    def _versions(self, number: int) -> tuple[tuple[str, int], ...]:
        rows = self._database.execute(
            "SELECT adapter, version FROM deployment_versions WHERE deployment = ? ORDER BY adapter, version", (number,)
        )
        return tuple((adapter, version) for adapter, version in rows)
