"""Reads a run's configuration for a person: its languages too, which are known above the floor of `config` alone."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from duotune.config.load import parse, read_toml, run_config
from duotune.config.resolve import cross_checks
from duotune.config.run import RunConfig
from duotune.data.languages import bare, by_name, nearest
from duotune.errors import ConfigError, Problem

_EXAMPLE: dict[str, Any] = {
    "name": "example",
    "projects": [{"name": "example", "source": "/"}],
    "model": {"path": "tiny"},
    "adapter": {"name": "example"},
}


def load(file: Path) -> RunConfig:
    """Read, check and resolve a run's configuration, with the languages of its projects.

    Raises:
        UsageError: The file cannot be read.
        ConfigError: It has problems; all of them are listed.
    """
    return checked(read_toml(file), file)


def checked(data: Mapping[str, Any], file: Path) -> RunConfig:
    """The configuration that parsed TOML is; for `file`, see `load_run_config`.

    Raises:
        ConfigError: It has problems; all of them are listed.
    """
    unknown = list(_unknown_languages(data))
    try:
        config = run_config(data, file)
    except ConfigError as error:
        if not unknown:
            raise
        raise ConfigError(str(file), [*error.problems, *unknown], error.hint) from None
    if unknown:
        raise ConfigError(str(file), unknown)
    return config


def problems_of(data: Mapping[str, Any]) -> list[Problem]:
    """Every problem of a configuration that is still being made, and whose paths are absolute; no disk is looked at."""
    found: list[Problem] = []
    config: RunConfig | None
    try:
        config = parse(RunConfig, data, "The draft")
    except ConfigError as error:
        config, found = mended(data, error.problems), list(error.problems)
    return [*found, *(cross_checks(config) if config else ()), *_unknown_languages(data)]


def mended(data: Mapping[str, Any], problems: Sequence[Problem] | None = None) -> RunConfig | None:
    """The configuration with defaults, or with examples where there are none, in the place of what is wrong with it.

    It shows what the rest of it comes to: problems between fields, and estimates.

    Args:
        data: As for `problems_of`.
        problems: What is wrong with it, where that is known.

    Returns:
        None where that cannot be told.
    """
    if problems is None:
        problems = problems_of(data)
    kept = copy.deepcopy(dict(data))
    for problem in problems:
        _drop(kept, [int(part) if part.isdigit() else part for part in re.findall(r"[^.\[\]]+", problem.key)])
    try:
        return parse(RunConfig, {**_EXAMPLE, **kept, **_required(kept)}, "The draft")
    except ConfigError:
        return None


def _required(data: Mapping[str, Any]) -> dict[str, Any]:
    """Sections with an example of what they need, where that is missing."""
    filled: dict[str, Any] = {}
    for section in ("model", "adapter"):
        given = data.get(section)
        filled[section] = {**_EXAMPLE[section], **(given if isinstance(given, dict) else {})}
    return filled


def _drop(data: Any, path: Sequence[str | int]) -> None:
    *above, last = path
    try:
        for step in above:
            data = data[step]
        del data[last]
    except (KeyError, IndexError, TypeError):  # it is missing, which is what is wrong with it
        return


def _unknown_languages(data: Mapping[str, Any]) -> Iterator[Problem]:
    """Of what is a text in the lists of languages; what is not, or lies elsewhere, is a problem of its own."""
    projects = data.get("projects")
    for index, project in enumerate(projects if isinstance(projects, list) else ()):
        languages = project.get("languages") if isinstance(project, dict) else None
        for name in languages if isinstance(languages, list) else ():
            if isinstance(name, str) and by_name(bare(name)) is None:
                yield Problem(
                    f"projects[{index}].languages", name, "is not a language that is known", nearest(bare(name))
                )
