"""`start(plan)`: the second phase; it acts on what `plan` has checked."""

from __future__ import annotations

from duotune.catalog.catalog import open_catalog
from duotune.catalog.projects import Project
from duotune.config.run import RunConfig
from duotune.errors import UsageError
from duotune.plan.records import Plan
from duotune.runs.directory import RunDirectory, create_run
from duotune.runs.events import DecisionTaken, RunResumed
from duotune.runs.fold import EXPECTED_SECONDS
from duotune.runs.journal import Journal
from duotune.runs.launcher import launch
from duotune.runs.lock import try_lock


def start(planned: Plan, until: str | None = None) -> RunDirectory:
    """Freeze the plan into a run directory and launch its worker.

    Args:
        planned: From `plan`.
        until: Last stage to run; None runs all.

    Raises:
        UsageError: The plan is refused, or `until` is no stage.
        HostError: The machine lacks something, or the worker does not come up.
    """
    planned.raise_if_refused()
    _enter_projects(planned)
    run = create_run(_pinned(planned), until=until)
    expected = {stage: round(duration.seconds, 1) for stage, duration in planned.durations.items()}
    with Journal(run.journal_file) as journal:
        journal.append(DecisionTaken(name=EXPECTED_SECONDS, value=dict(expected)))
    launch(run)
    return run


def go_on(run: RunDirectory) -> RunDirectory:
    """Launch a new worker for a run that was stopped, failed or was lost.

    Raises:
        UsageError: The run is finished, or a worker is at it.
        HostError: The worker does not come up.
    """
    state = run.state()
    if state.state == "finished":
        raise UsageError(f"Run {run.id} is finished; there is nothing to resume.", "Start a new run from its config.")
    if not state.ended:
        raise UsageError(f"Run {run.id} is {state.state} already.", f"`duotune status {run.id}` shows where it is.")
    lock = try_lock(run.lock_file)  # the journal has one writer at a time, here too
    if lock is None:
        raise UsageError(f"Run {run.id} is being worked on already.", f"See `duotune status {run.id}`.")
    with lock, Journal(run.journal_file) as journal:
        journal.append(RunResumed())
    launch(run)
    return run


def _pinned(planned: Plan) -> RunConfig:
    """The configuration with every Git source at the commit that was planned: a branch may move before a resume."""
    commits = {project.name: project.commit for project in planned.projects}
    projects = [
        project.model_copy(update={"ref": commits[project.name] or project.ref}) for project in planned.config.projects
    ]
    return planned.config.model_copy(update={"projects": projects})


def _enter_projects(planned: Plan) -> None:
    with open_catalog() as catalog:
        catalog.projects.add_missing(
            Project(
                name=project.name,
                source=project.source,
                ref=project.ref,
                include=tuple(project.include),
                exclude=tuple(project.exclude),
                languages=tuple(project.languages),
            )
            for project in planned.config.projects
        )
