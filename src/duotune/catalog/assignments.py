"""Which adapters serve which project, in order; a project without any gets the base model."""

from __future__ import annotations

from collections.abc import Sequence

from duotune.catalog.database import Database
from duotune.errors import UsageError


class Assignments:
    """The table of assignments."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def set(self, project: str, adapters: Sequence[str]) -> None:
        """Assign these adapters, in this order, in place of what was there; none means the base model.

        Raises:
            UsageError: The project or an adapter is unknown, an adapter is named twice, or has no published version.
        """
        if len(set(adapters)) != len(adapters):
            raise UsageError("An adapter is named twice in the assignment.", "Name each adapter once.")
        with self._database.transaction():
            if self._database.execute("SELECT 1 FROM projects WHERE name = ?", (project,)).fetchone() is None:
                raise UsageError(f"There is no project {project!r}.", "See `duotune projects list`.")
            for adapter in adapters:
                self._check_published(adapter)
            self._database.execute("DELETE FROM assignments WHERE project = ?", (project,))
            self._database.execute_many(
                "INSERT INTO assignments (project, position, adapter) VALUES (?, ?, ?)",
                [(project, position, adapter) for position, adapter in enumerate(adapters)],
            )

    def get(self, project: str) -> tuple[str, ...]:
        """The adapters of a project, in order; empty means the base model."""
        rows = self._database.execute("SELECT adapter FROM assignments WHERE project = ? ORDER BY position", (project,))
        return tuple(adapter for (adapter,) in rows)

    def all(self) -> dict[str, tuple[str, ...]]:
        """Every project with its adapters, those on the base model included."""
        projects = self._database.execute("SELECT name FROM projects ORDER BY name").fetchall()
        return {project: self.get(project) for (project,) in projects}

    def _check_published(self, adapter: str) -> None:
        states = self._database.execute("SELECT state FROM versions WHERE adapter = ?", (adapter,)).fetchall()
        if not states:
            raise UsageError(f"There is no adapter {adapter!r}.", "See `duotune adapters list`.")
        if ("published",) not in states:
            raise UsageError(
                f"The adapter {adapter!r} has no published version.", f"See `duotune adapters show {adapter}`."
            )
