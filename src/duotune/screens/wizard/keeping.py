"""Where a draft comes from and is kept: its own file, a TOML file, or the configuration of an earlier run."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from duotune import paths
from duotune.config.resolve import expanded
from duotune.config.run import RunConfig
from duotune.config.write import brief_toml
from duotune.disk import rename, sync
from duotune.errors import HostError, UsageError, printable
from duotune.plan.configuration import load
from duotune.runs.directory import find_run
from duotune.screens.wizard.draft import STEPS, Draft
from duotune.sources.mirror import needs_mirror


@dataclass(frozen=True)
class Kept:
    """A draft as it was kept.

    Attributes:
        draft: The draft.
        step: Where its author was.
        kept_at: Seconds since 1970; 0 for one that was not kept.
        origin: What else it was made from, in words; empty for one of one's own.
        before: What is kept for its author meanwhile: what was there when it was read.
        aside: Where another draft was put, so that this one can take its place; empty when there was none.
    """

    draft: Draft
    step: str = STEPS[0].name
    kept_at: float = 0.0
    origin: str = ""
    before: Draft = field(default_factory=Draft)
    aside: str = ""


def draft_file() -> Path:
    """This user's draft: several people may share a state directory."""
    return paths.home() / "drafts" / f"wizard-{os.getuid()}.json"


def read_kept() -> Kept:
    """The draft that was kept; an empty one where there is none, or none that can be read."""
    return read_draft(draft_file()) or Kept(Draft())


def keep(draft: Draft, step: str, file: Path | None = None) -> None:
    """Keep a draft: whole or not at all, for its author's eyes only.

    Args:
        draft: The draft.
        step: Where its author is.
        file: Where; by default where the draft is looked for.

    Raises:
        HostError: It cannot be written.
    """
    file = file or draft_file()
    part = file.with_name(f".{file.name}.part")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        part.unlink(missing_ok=True)
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with open(descriptor, "w", encoding="utf-8") as stream:
            json.dump({"step": step, "config": draft.data}, stream, indent=1)
        sync(part)
        rename(part, file)
    except OSError as error:
        raise not_kept(file, error) from error


def not_kept(file: Path, error: OSError) -> HostError:
    """What is said where the disk refuses a draft."""
    return HostError(
        f"The draft {printable(file)} cannot be kept: {error.strerror}.",
        "What you have chosen is lost when duotune ends. Free some space, or correct the folder's owner.",
    )


def forget() -> None:
    """Delete the draft: its run has started, or its author begins anew."""
    try:
        draft_file().unlink(missing_ok=True)
    except OSError as error:
        raise not_deleted(draft_file(), error) from error


def not_deleted(file: Path, error: OSError) -> HostError:
    """What is said where the disk refuses to forget a draft."""
    return HostError(
        f"The draft {printable(file)} cannot be deleted: {error.strerror}.", "Check its folder and whose it is."
    )


def open_start(start: str) -> Kept:
    """A draft from a TOML file, or from the configuration of an earlier run.

    Args:
        start: A path, which may be that of a draft that was put aside, or a run's id or name.

    Raises:
        UsageError: There is neither, or the draft cannot be read.
        ConfigError: It has problems; all of them are listed.
    """
    file = expanded(start.strip())
    if file.suffix == ".json":
        kept = read_draft(file)
        if kept is None:
            raise UsageError(f"There is no draft {printable(file)} that can be read.", "Check its path and its owner.")
        return replace(kept, origin=f"the draft of {datetime.fromtimestamp(kept.kept_at):%d %b %H:%M}")
    if file.suffix == ".toml" or "/" in start or file.is_file():
        return Kept(_draft_of(load(file)), origin=f"the file {file}")
    run = find_run(start.strip())
    created = run.created()
    if created is not None and created.kind != "train":
        raise UsageError(f"The run {run.id} trained nothing: it did a {created.kind}.", "Name the run that trained.")
    return Kept(_draft_of(run.read_config()), origin=f"the run {run.id}, whose projects stay at the commits of then")


def read_draft(file: Path) -> Kept | None:
    """A draft from its file; None where there is none that can be read."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        kept_at = file.stat().st_mtime
        step = str(content["step"])
        draft = Draft(dict(content["config"]))
        _ = draft.problems, [project["name"] for project in draft.projects]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return Kept(draft, step if step in {one.name for one in STEPS} else STEPS[0].name, kept_at)


def _draft_of(config: RunConfig) -> Draft:
    """The draft that a configuration is; a source that would put a password into it is refused."""
    for project in config.projects:
        needs_mirror(project.source)
    return Draft(config.model_dump(mode="json"))


def write_config(config: RunConfig, file: str, replace: bool) -> Path:
    """Write a configuration as a TOML file.

    Args:
        config: The configuration.
        file: Where, as a person typed it.
        replace: Whether another file there may be overwritten.

    Returns:
        The path, absolute.

    Raises:
        UsageError: Something is there already, or it cannot be written.
    """
    path = expanded(file.strip()).absolute()
    if not file.strip() or path.is_dir():
        raise UsageError(f"{printable(path)} is a folder.", "Name a file in it, such as run.toml.")
    flags = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | (os.O_TRUNC if replace else os.O_EXCL)
    try:
        with open(os.open(path, flags, 0o644), "w", encoding="utf-8") as stream:
            stream.write(brief_toml(config))
    except FileExistsError:
        raise Taken(f"There is a file {printable(path)} already.", "Press Enter again to replace it.") from None
    except (OSError, UnicodeEncodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "a path in it is not UTF-8"
        raise UsageError(f"{printable(path)} cannot be written: {reason}.", "Choose another file.") from error
    return path


class Taken(UsageError):
    """Another file is there already."""
