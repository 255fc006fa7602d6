"""The projects that duotune knows."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from duotune.catalog.database import Database, Value
from duotune.errors import UsageError

if TYPE_CHECKING:
    from duotune.config.run import ProjectConfig

_COLUMNS = "name, source, ref, include, exclude, languages, created_at"


@dataclass(frozen=True)
class Project:
    """A body of code that adapters are trained for and assigned to: a run's project with the time of its entry.

    Attributes:
        name: Its name, unique.
        source: Folder, Git repository or URL.
        ref: Branch, tag or commit.
        include: Globs of paths to keep; empty keeps all.
        exclude: Globs of paths to leave out.
        languages: Languages to keep; empty keeps every known one.
        created_at: Seconds since 1970; 0 until it is in the catalog.
    """

    name: str
    source: str
    ref: str = "HEAD"
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    created_at: float = 0.0

    @classmethod
    def of(cls, config: ProjectConfig) -> Project:
        """The project of a run, not in the catalog yet."""
        globs = tuple(config.include), tuple(config.exclude)
        return cls(config.name, config.source, config.ref, *globs, tuple(config.languages))

    def config(self) -> ProjectConfig:
        """The project as a run has it."""
        from duotune.config.run import ProjectConfig

        return ProjectConfig(
            name=self.name,
            source=self.source,
            ref=self.ref,
            include=list(self.include),
            exclude=list(self.exclude),
            languages=list(self.languages),
        )


class Projects:
    """The table of projects."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, project: Project) -> Project:
        """Enter a new project; it has no assignment, which means the base model.

        Raises:
            UsageError: The name is taken.
        """
        with self._database.transaction():
            if self.find(project.name) is not None:
                raise UsageError(
                    f"The project {project.name!r} is already there.",
                    f"Choose another name, or look at it with `duotune projects show {project.name}`.",
                )
            return self._put(project)

    def add_missing(self, projects: Iterable[Project]) -> None:
        """Enter those projects whose names are not there yet; the others stay as they are."""
        with self._database.transaction():
            for project in projects:
                if self.find(project.name) is None:
                    self._put(project)

    def find(self, name: str) -> Project | None:
        """The project of that name, or None."""
        row = self._database.execute(f"SELECT {_COLUMNS} FROM projects WHERE name = ?", (name,)).fetchone()
        return None if row is None else _project(row)

    def get(self, name: str) -> Project:
        """The project of that name.

        Raises:
            UsageError: There is none.
        """
        project = self.find(name)
        if project is None:
            known = ", ".join(p.name for p in self.all())
            raise UsageError(
                f"There is no project {name!r}.",
                f"Known are: {known}." if known else "Add one with `duotune projects add NAME SOURCE`.",
            )
        return project

    def all(self) -> list[Project]:
        """All projects, by name."""
        return [_project(row) for row in self._database.execute(f"SELECT {_COLUMNS} FROM projects ORDER BY name")]

    def remove(self, name: str) -> None:
        """Take a project and its assignment out.

        Raises:
            UsageError: There is none, or an adapter version was trained on it.
        """
        with self._database.transaction():
            self.get(name)
            used = self._database.execute(
                "SELECT adapter, version FROM version_projects WHERE project = ? LIMIT 1", (name,)
            ).fetchone()
            if used is not None:
                raise UsageError(
                    f"The project {name!r} cannot be removed: {used[0]}.v{used[1]} was trained on it.",
                    f"Remove the assignment instead: `duotune assign {name} --base`.",
                )
            self._database.execute("DELETE FROM projects WHERE name = ?", (name,))

    def _put(self, project: Project) -> Project:
        created_at = project.created_at or time.time()
        lists = tuple(json.dumps(list(part)) for part in (project.include, project.exclude, project.languages))
        self._database.execute(
            f"INSERT INTO projects ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (project.name, project.source, project.ref, *lists, created_at),
        )
        return self.get(project.name)


def _project(row: tuple[Value, ...]) -> Project:
    name, source, ref, include, exclude, languages, created_at = row
    return Project(
        name=str(name),
        source=str(source),
        ref=str(ref),
        include=tuple(json.loads(str(include))),
        exclude=tuple(json.loads(str(exclude))),
        languages=tuple(json.loads(str(languages))),
        created_at=float(created_at or 0.0),
    )
