"""What the project screens show and change: in threads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from duotune.catalog.catalog import open_catalog
from duotune.catalog.projects import Project
from duotune.config.run import DataConfig
from duotune.data.survey import Survey, survey
from duotune.errors import UsageError
from duotune.sources.open import open_source


@dataclass(frozen=True)
class ProjectRow:
    """One project in the list.

    Attributes:
        project: Its row in the catalog.
        gets: Adapters that it is assigned, in order; none means the base model.
        trained: Names of the adapters that were trained on it, with the newest version's verdict.
    """

    project: Project
    gets: tuple[str, ...]
    trained: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Choice:
    """An adapter that can be assigned.

    Attributes:
        name: Its name.
        version: The version that the name means now.
        verdict: That version's verdict.
        base: What people call its base model.
    """

    name: str
    version: str
    verdict: str
    base: str


@dataclass(frozen=True)
class Assignments:
    """All projects, and all that they can get."""

    rows: tuple[ProjectRow, ...]
    choices: tuple[Choice, ...]


def read_all() -> Assignments:
    """Everything of the catalog that the list needs."""
    with open_catalog() as catalog:
        assigned = catalog.assignments.all()
        trained: dict[str, dict[str, str]] = {}
        for version in catalog.adapters.versions():
            for project in version.projects:
                trained.setdefault(project.name, {})[version.adapter] = version.verdict
        rows = tuple(
            ProjectRow(project, assigned[project.name], tuple(trained.get(project.name, {}).items()))
            for project in catalog.projects.all()
        )
        choices = tuple(
            Choice(adapter.name, current.name, current.verdict, adapter.base_name)
            for adapter in catalog.adapters.all()
            if (current := catalog.adapters.current(adapter.name)) is not None
        )
    return Assignments(rows, choices)


def assign(before: Mapping[str, Sequence[str]], wanted: Mapping[str, Sequence[str]]) -> None:
    """Give each of these projects its adapters, in this order; all or none, and only where something changes.

    Args:
        before: What each had when a person decided.
        wanted: What each is to get.

    Raises:
        UsageError: A project or an adapter is unknown, an adapter has no published version, or somebody else has
            assigned something to one of the projects since.
    """
    with open_catalog() as catalog, catalog.transaction():
        for project, adapters in wanted.items():
            if tuple(adapters) == tuple(before[project]):
                continue
            now = catalog.assignments.get(project)
            if now != tuple(before[project]):
                gets = ", then ".join(now) or "the base model"
                words = f"Meanwhile somebody has assigned {gets} to {project}."
                raise UsageError(words, "Nothing was changed; look, and assign again.")
            catalog.assignments.set(project, adapters)


def add(name: str, source: str, ref: str) -> None:
    """Enter a project whose source can be opened.

    Raises:
        SourceError: The source cannot be read.
        UsageError: The name is taken.
    """
    open_source(source, ref).close()
    with open_catalog() as catalog:
        catalog.projects.add(Project(name, source, ref))


def remove(name: str) -> None:
    """Take a project out.

    Raises:
        UsageError: There is none, or an adapter was trained on it.
    """
    with open_catalog() as catalog:
        catalog.projects.remove(name)


def look(name: str) -> tuple[Project, str | None, Survey]:
    """A project with its commit, and what is kept of it.

    Raises:
        UsageError: There is none.
        SourceError: Its source cannot be read.
    """
    with open_catalog() as catalog:
        project = catalog.projects.get(name)
    with open_source(project.source, project.ref) as source:
        return project, source.commit, survey(source, project.config(), DataConfig())


def why(name: str, path: str) -> list[str]:
    """Why one file is kept or left out, in sentences.

    Raises:
        UsageError: There is no such project or file.
        SourceError: Its source cannot be read.
    """
    from duotune.data.explain import explain  # it reads what was prepared, and needs numpy for that

    with open_catalog() as catalog:
        project = catalog.projects.get(name)
    with open_source(project.source, project.ref) as source:
        found = explain(source, project.config(), DataConfig(), path)
    lines = [f"{found.path}: {found.verdict}{f': {found.reason}' if found.reason else ''}", found.sentence]
    lines += [f"rule: {found.detail}"] if found.detail else []
    lines += [f"language: {found.language or 'unknown'}"]
    if found.preparation:
        lines.append(f"in run {found.preparation.run}: {found.preparation.sentence}")
    return lines
