"""Reads a run's configuration for a person: its languages too, which are known above the floor of `config` alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from duotune.config.load import read_toml, run_config
from duotune.config.run import RunConfig
from duotune.data.languages import bare, by_name, nearest
from duotune.errors import ConfigError, Problem


def load(file: Path) -> RunConfig:
    """Read, check and resolve a run's configuration, with the languages of its projects.

    Raises:
        UsageError: The file cannot be read.
        ConfigError: It has problems; all of them are listed.
    """
    data = read_toml(file)
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
