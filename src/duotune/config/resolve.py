"""Relative paths of a configuration become absolute, so that a run means the same from any folder."""

from __future__ import annotations

import re
from os.path import lexists, normpath
from pathlib import Path

from duotune.config.run import ProjectConfig, RunConfig
from duotune.errors import ConfigError, Problem, UsageError, printable

_URL = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_SCP_LIKE = re.compile(r"([\w.-]+@)?(?!-)[\w.-]+:(?!//)(?!:).+")
_GIT_HELPER = re.compile(r"\w+::")


def is_url(location: str) -> bool:
    """Whether a location is a URL (`s3://…`, `file://…`) rather than a path."""
    return _URL.match(location) is not None


def is_remote(source: str, folder: Path | None = None) -> bool:
    """Whether a source is an address rather than a path: a URL, or one of git's short forms.

    Args:
        source: As a person wrote it: `https://…`, `file://…`, `user@host:path`, `host:path`, `helper::address`.
        folder: Where a relative path starts; the working directory by default. A `host:path` that exists is a path.
    """
    if is_url(source) or _GIT_HELPER.match(source):
        return True
    return _SCP_LIKE.fullmatch(source) is not None and not lexists(Path(folder or "", source))


def resolve_paths(config: RunConfig, folder: Path) -> RunConfig:
    """Return the configuration with paths taken from `folder` and with every project named.

    Raises:
        ConfigError: Two projects have the same name, or the held-out fractions leave nothing to train on.
    """
    resolved = config.model_copy(
        update={
            "projects": [_resolve_project(project, folder) for project in config.projects],
            "model": config.model.model_copy(update={"path": _local(config.model.path, folder, ("tiny",))}),
            "data": config.data.model_copy(update={"location": _absolute(config.data.location, folder)}),
            "adapter": config.adapter.model_copy(update={"location": _absolute(config.adapter.location, folder)}),
            "evaluation": config.evaluation.model_copy(
                update={"embedder": _local(config.evaluation.embedder, folder, ("base",))}
            ),
        }
    )
    problems = cross_checks(resolved)
    if problems:
        raise ConfigError("The configuration", problems, "Correct the keys above.")
    return resolved


def resolve_source(source: str, folder: Path | None = None) -> str:
    """A project's source as the catalog knows it: an address as it was written, a path absolute and without `..`.

    Args:
        source: As a person wrote it.
        folder: Where a relative path starts; the working directory by default.
    """
    folder = folder or Path.cwd()
    return source if is_remote(source, folder) else _absolute(source, folder)


def expanded(path: str | Path) -> Path:
    """A path that a person wrote, with `~` and `~NAME` written out.

    Raises:
        UsageError: There is no user of that name.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise UsageError(
            f"{printable(path)} names the folder of a user who is not known here.", "Write the whole path."
        ) from error


def project_name(source: str) -> str:
    """A catalog name from the last part of a source: `/srv/git/Billing.git` gives `billing`."""
    last = re.split(r"[/:]", source.rstrip("/"))[-1].removesuffix(".git")
    return re.sub(r"[^a-z0-9._-]+", "-", last.lower()).strip("-._")[:63] or "project"


def _resolve_project(project: ProjectConfig, folder: Path) -> ProjectConfig:
    source = resolve_source(project.source, folder)
    return project.model_copy(update={"source": source, "name": project.name or project_name(source)})


def _absolute(location: str, folder: Path) -> str:
    if not location or is_url(location):
        return location
    # normpath and not resolve: a symlinked folder is a name that its owner chose
    return normpath(folder / expanded(location))


def _local(location: str, folder: Path, words: tuple[str, ...]) -> str:
    """A path when it looks like one or exists; otherwise a hub id, left as it is."""
    looks_like_path = location.startswith((".", "/", "~"))
    if location in words or not (looks_like_path or (folder / location).exists()):
        return location
    return _absolute(location, folder)


def cross_checks(config: RunConfig) -> list[Problem]:
    """What single fields cannot say: names that clash, and fractions that leave nothing."""
    problems = []
    names = [project.name for project in config.projects]
    for index, name in enumerate(names):
        if name in names[:index]:
            reason = f"is also the name of projects[{names.index(name)}]; give each project a name of its own"
            problems.append(Problem(f"projects[{index}].name", name, reason))
    held_out = config.data.validation_fraction + config.data.test_fraction
    if held_out > 0.6:
        reason = "validation_fraction and test_fraction together leave too little to train on (at most 0.6)"
        problems.append(Problem("data", round(held_out, 3), reason))
    return problems
