"""`start(plan)`: the second phase; it acts on what `plan` has checked."""

from __future__ import annotations

from dataclasses import dataclass

from duotune.catalog.catalog import open_catalog
from duotune.catalog.projects import Project
from duotune.config.load import load_host_config
from duotune.config.run import RunConfig
from duotune.errors import UsageError
from duotune.plan.records import Plan
from duotune.runs.directory import RunDirectory, check_until, create_run
from duotune.runs.events import DecisionTaken
from duotune.runs.fold import EXPECTED_SECONDS
from duotune.runs.journal import Journal
from duotune.runs.launcher import launch
from duotune.storage.credentials import only_in_environment


@dataclass(frozen=True)
class Started:
    """A run whose worker is up.

    Attributes:
        note: What a person should know of how it was launched; often empty.
    """

    run: RunDirectory
    note: str


def start(planned: Plan, until: str | None = None, detach: bool = False) -> Started:
    """Freeze the plan into a run directory and launch its worker.

    Args:
        planned: From `plan`.
        until: Last stage to run; None runs all.
        detach: Nobody stays to watch.

    Raises:
        UsageError: The plan is refused, `until` is no stage, or keys would not reach a detached worker.
        HostError: The machine lacks something, or the worker does not come up.
    """
    check_until(until)
    planned.raise_if_refused()
    inherit = _inherits_keys(planned.config, detach)
    _enter_projects(planned)
    run = create_run(_pinned(planned), until=until)
    expected = {stage: round(duration.seconds, 1) for stage, duration in planned.durations.items()}
    with Journal(run.journal_file) as journal:
        journal.append(DecisionTaken(name=EXPECTED_SECONDS, value=dict(expected)))
    return Started(run, _launched(run, inherit))


def go_on(run: RunDirectory, detach: bool = False) -> Started:
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
    if state.kind == "merge":
        return Started(run, launched_beside(run))
    return Started(run, _launched(run, _inherits_keys(run.read_config(), detach)))


def launched_beside(run: RunDirectory) -> str:
    """Launch a worker that needs no keys, and no GPU that vLLM holds; what a person should know of it."""
    return launch(run, serving=load_host_config().serving.model_copy(update={"during_training": "keep"})).note


def _launched(run: RunDirectory, inherit: bool) -> str:
    return launch(run, inherit=inherit, serving=load_host_config().serving).note


def _inherits_keys(config: RunConfig, detach: bool) -> bool:
    """Whether the worker needs keys that live in this process's environment alone.

    Raises:
        UsageError: It does, and it is to be detached: a restart of the worker would find them gone.
    """
    if not only_in_environment([config.data.location, config.adapter.location]):
        return False
    if detach:
        raise UsageError(
            "The keys of the S3 location are only in this shell's environment, which a detached run outlives.",
            "Put them into an AWS profile or credentials file, or leave --detach out.",
        )
    return True


def _pinned(planned: Plan) -> RunConfig:
    """The configuration with every Git source at the commit that was planned: a branch may move before a resume."""
    commits = {project.name: project.commit for project in planned.projects}
    projects = [
        project.model_copy(update={"ref": commits[project.name] or project.ref}) for project in planned.config.projects
    ]
    return planned.config.model_copy(update={"projects": projects})


def _enter_projects(planned: Plan) -> None:
    with open_catalog() as catalog:
        catalog.projects.add_missing(map(Project.of, planned.config.projects))
