"""The stages of a run, in order: what is finished is not done again, and the device is leased while it computes."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

from pydantic import JsonValue

from duotune.config.run import RunConfig
from duotune.errors import HostError
from duotune.runs.directory import RunDirectory
from duotune.runs.events import RunQueued, StageFinished, StageStarted
from duotune.runs.journal import Journal
from duotune.runs.lease import GpuLease, leased_device
from duotune.runs.reporter import JournalReporter, Stopped
from duotune.runs.results import StageResult
from duotune.runs.state import RunState, stages_of

log = logging.getLogger("duotune.worker")

Journaled = dict[str, JsonValue]

# These compute on the device; preparation does not, and may go on while another run trains. Merging needs it for the
# proof at most, and takes the lease for that alone.
ON_DEVICE = ("train", "evaluate")


@dataclass
class RunInProgress:
    """One attempt at a run.

    Attributes:
        directory: The run's directory.
        journal: Its journal, open for writing.
        report: What stages speak through.
        before: The state that earlier attempts left.
        results: What the finished stages left behind, by stage.
    """

    directory: RunDirectory
    journal: Journal
    report: JournalReporter
    before: RunState
    results: dict[str, Journaled] = field(default_factory=dict)


Stage = Callable[[RunInProgress, RunConfig], StageResult]


def run_stages(run: RunInProgress) -> None:
    """Run every stage that is not finished yet, up to the one that the run was limited to.

    Raises:
        Stopped: A stop was asked for, and the work is at a safe point.
        DuotuneError: A stage cannot go on.
    """
    config = run.directory.read_config()
    redo = False
    with contextlib.ExitStack() as lease:
        leased = False
        for name in stages_of(run.before.kind, run.before.until):
            done = run.before.results.get(name)
            if done is not None and not redo and _still_there(done):
                run.results[name] = done
                continue
            redo = True  # what follows was made from this stage's result
            if leased != (name in ON_DEVICE):
                leased = not leased
                if leased:
                    lease.enter_context(_lease_device(run))
                else:
                    lease.close()
            run.results[name] = _run_stage(name, run, config)


def _run_stage(name: str, run: RunInProgress, config: RunConfig) -> Journaled:
    if run.report.stop_requested:
        raise Stopped
    if not run.directory.path.is_dir():
        raise HostError(f"The run directory {run.directory.path} has vanished.", "Start the run again from its config.")
    run.journal.append(StageStarted(stage=name))
    log.info("stage %s begins", name)
    # imported when its turn comes: preparation never waits for torch
    stage: Stage = import_module(f"duotune.worker.{name}").run
    result: Journaled = stage(run, config).model_dump(mode="json")
    run.report.flush()
    run.journal.append(StageFinished(stage=name, result=result))
    log.info("stage %s is finished", name)
    return result


def _still_there(result: Journaled) -> bool:
    """Whether the paths that a finished stage left behind exist: a cleaned cache makes the stage run again."""
    kept = (result.get(key) for key in ("dataset", "adapter"))
    return all(Path(path).exists() for path in kept if isinstance(path, str))


def _lease_device(run: RunInProgress) -> GpuLease:
    device = leased_device()

    def queued(holder: str) -> None:
        run.journal.append(RunQueued(device=device, holder=holder))

    return GpuLease.acquire(device, run.directory.id, queued, lambda: run.report.stop_requested)
