"""What a new run can begin with: the drafts that were put aside, and the runs that trained."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from duotune.config.run import RunConfig
from duotune.errors import DuotuneError
from duotune.runs.directory import RunDirectory, list_runs
from duotune.screens.wizard.aside import asides
from duotune.screens.wizard.draft import STEPS, Draft
from duotune.screens.wizard.keeping import Kept, read_draft

MOST_RUNS = 30
"""So many of the newest runs are listed: an older one can be typed by its name."""


@dataclass(frozen=True)
class Beginning:
    """A draft that was put aside, or a run.

    Attributes:
        start: What opens it: a path, or a run's id.
        file: The draft's file; None of a run.
        at: When it was put aside or made, in seconds since 1970.
        name: The run's name; empty for a draft that has none yet.
        projects: Names of its projects.
        facts: What else is known of it, in a sentence.
    """

    start: str
    file: Path | None
    at: float
    name: str
    projects: tuple[str, ...]
    facts: str


def beginnings() -> list[Beginning]:
    """Drafts that were put aside, then runs, each the newest first."""
    return [*map(_of_draft, asides()), *_runs()]


def _of_draft(file: Path) -> Beginning:
    kept = read_draft(file)
    if kept is None:
        return Beginning(str(file), file, 0.0, "", (), f"It cannot be read: {file}")
    draft = kept.draft
    names = tuple(str(project["name"]) for project in draft.projects)
    return Beginning(str(file), file, kept.kept_at, str(draft.value("name") or ""), names, _facts(kept))


def _facts(kept: Kept) -> str:
    step = next(step.title for step in STEPS if step.name == kept.step)
    return f"Put aside in the step {step}. {_settings(kept.draft)}"


def _settings(draft: Draft) -> str:
    config = draft.mended
    given = [f"Base model {draft.value('model.path')}"] if draft.value("model.path") else ["No base model yet"]
    return ", ".join([*given, *([_lora(config)] if config else [])])


def _lora(config: RunConfig) -> str:
    return f"r {config.lora.r}, {config.data.sequence_length:,} tokens per row"


def _runs() -> Iterator[Beginning]:
    for run in list_runs()[:MOST_RUNS]:
        created = run.created()
        if created is None or created.kind == "train":
            yield _of_run(run, created.ts if created is not None else 0.0)


def _of_run(run: RunDirectory, at: float) -> Beginning:
    try:
        config = run.read_config()
    except DuotuneError as error:
        return Beginning(run.id, None, at, run.id, (), f"It cannot be read: {error.message}")
    names = tuple(project.name for project in config.projects)
    facts = f"The run {run.id}: model {config.model.path}, {_lora(config)}"
    return Beginning(run.id, None, at, config.name, names, facts)
