"""The draft of a run: an immutable configuration that is still being made, checked by the code that checks files."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from duotune.config.resolve import project_name
from duotune.config.run import RunConfig
from duotune.errors import Problem
from duotune.plan.configuration import checked, mended, problems_of


@dataclass(frozen=True)
class Step:
    """One of the five steps.

    Attributes:
        name: Its id.
        title: Its name for people.
    """

    name: str
    title: str


STEPS = (
    Step("projects", "Projects"),
    Step("files", "Files"),
    Step("data", "Data and storage"),
    Step("model", "Model"),
    Step("review", "Review"),
)
_FILTERS = ("include", "exclude", "languages")
_FIELDS = {
    "model": "model.path",
    "adapter": "adapter.name",
    "data": "data.test_fraction",
    "data.recipes": "data.recipes.fim",
}
"""The field that stands for a section as a whole."""


def step_of(key: str) -> str:
    """The step that has the field of a key.

    Args:
        key: Dotted, such as `lora.r` or `projects[0].languages`.
    """
    if key.startswith("projects"):
        return "files" if key.rpartition(".")[2] in _FILTERS else "projects"
    return "data" if key.startswith("data") or key == "adapter.location" else "model"


@dataclass(frozen=True)
class Draft:
    """The draft.

    Attributes:
        data: As parsed TOML; what it lacks has its default. Values may be wrong: they are kept as they were given.
    """

    data: Mapping[str, Any] = field(default_factory=dict)

    def value(self, key: str) -> Any:
        """What is given for a dotted key; None when nothing is."""
        found: Any = self.data
        for name in key.split("."):
            if not isinstance(found, Mapping) or name not in found:
                return None
            found = found[name]
        return found

    def values(self) -> dict[str, Any]:
        """All that is given, by dotted key."""
        return dict(_flat(self.data, ""))

    def put(self, key: str, value: Any) -> Draft:
        """The draft with another value; None takes what was given away."""
        data = copy.deepcopy(dict(self.data))
        *sections, name = key.split(".")
        table = data
        for section in sections:
            table = table.setdefault(section, {})
        if value is None:
            table.pop(name, None)
        else:
            table[name] = value
        return Draft(data)

    @property
    def projects(self) -> tuple[dict[str, Any], ...]:
        """The chosen projects, each as in a file, with its name."""
        return tuple(self.data.get("projects") or ())

    def with_projects(self, projects: Sequence[Mapping[str, Any]]) -> Draft:
        """The draft with these projects."""
        return self.put("projects", [dict(project) for project in projects] or None)

    def with_project(self, name: str, /, **settings: Any) -> Draft:
        """The draft with other settings of one project."""
        return self.with_projects(
            [{**project, **settings} if project["name"] == name else project for project in self.projects]
        )

    def named(self) -> Draft:
        """The draft with a name for run and adapter, taken from the first project, where it has none yet."""
        draft = self
        if self.projects:
            name = project_name(str(self.projects[0]["name"]))
            for key in ("name", "adapter.name"):
                if draft.value(key) is None:
                    draft = draft.put(key, name)
        return draft

    @cached_property
    def problems(self) -> tuple[Problem, ...]:
        """All that is wrong with it."""
        return tuple(problems_of(self.data))

    def problems_in(self, step: str) -> dict[str, str]:
        """What is wrong with the fields of one step, by key."""
        found: dict[str, str] = {}
        for problem in self.problems:
            if step_of(problem.key) == step:
                meant = f" Did you mean {problem.suggestion}?" if problem.suggestion else ""
                found.setdefault(
                    _FIELDS.get(problem.key, problem.key), f"{problem.reason}{'.' if meant else ''}{meant}"
                )
        return found

    @cached_property
    def mended(self) -> RunConfig | None:
        """What it comes to with defaults in the place of what is wrong, for estimates."""
        return mended(self.data, self.problems)

    def config(self) -> RunConfig:
        """The run's configuration; it looks at the disk, where a path that was typed has to be told from an address.

        Raises:
            ConfigError: It has problems.
        """
        return checked(self.data, Path.cwd() / "run.toml")


def _flat(table: Mapping[str, Any], prefix: str) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for name, value in table.items():
        key = f"{prefix}{name}"
        found += _flat(value, f"{key}.") if isinstance(value, Mapping) else [(key, value)]
    return found
