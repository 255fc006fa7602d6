"""The stages of a training run, each a function of the frozen config and of what earlier stages left behind."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from duotune.config.run import RunConfig
from duotune.errors import HostError
from duotune.hardware.gpu import visible_gpus
from duotune.runs.directory import RunDirectory
from duotune.runs.events import StageFinished, StageStarted
from duotune.runs.journal import read_events
from duotune.runs.lease import GpuLease
from duotune.runs.reporter import JournalReporter, JsonValue, Stopped
from duotune.runs.state import fold

Results = Mapping[str, Mapping[str, JsonValue]]
Stage = Callable[[RunDirectory, RunConfig, Results, JournalReporter], dict[str, JsonValue]]

# These compute on the device; preparation does not, and may go on while another run trains.
ON_DEVICE = ("train", "evaluate")
STAGES = ("prepare", "train", "evaluate", "publish")


def run_stages(run: RunDirectory, report: JournalReporter) -> None:
    """Run every stage that the journal does not show as finished, up to the one that the run was limited to.

    Raises:
        Stopped: A stop was asked for, and the work is at a safe point.
        DuotuneError: A stage cannot go on.
    """
    config = run.read_config()
    state = fold(read_events(run.journal_file).events)
    results: dict[str, Mapping[str, JsonValue]] = {}
    until = state.until or STAGES[-1]
    with contextlib.ExitStack() as held:
        on_device = False
        for name in STAGES[: STAGES.index(until) + 1]:
            done = state.results.get(name)
            if done is not None and _still_there(done):
                results[name] = done
                continue
            if name in ON_DEVICE and not on_device:
                held.enter_context(_device_lease(run, report))
                on_device = True
            if name not in ON_DEVICE and on_device:
                held.close()
                on_device = False
            results[name] = _run_stage(name, run, config, results, report)


def _run_stage(
    name: str, run: RunDirectory, config: RunConfig, results: Results, report: JournalReporter
) -> Mapping[str, JsonValue]:
    if report.stop_requested:
        raise Stopped
    if not run.path.is_dir():
        raise HostError(f"The run directory {run.path} has vanished.", "Start the run again from its config.")
    report.append(StageStarted(stage=name))
    result = _stage(name)(run, config, results, report)
    report.flush()
    report.append(StageFinished(stage=name, result=result))
    return result


def _stage(name: str) -> Stage:
    """Import a stage when its turn comes: preparation never waits for torch."""
    from importlib import import_module

    stage: Stage = import_module(f"duotune.worker.{name}").run
    return stage


def _still_there(result: Mapping[str, JsonValue]) -> bool:
    """Whether the paths that a finished stage left behind exist: a cleaned cache makes the stage run again."""
    kept = (result.get(key) for key in ("dataset", "adapter"))
    return all(Path(path).exists() for path in kept if isinstance(path, str))


@contextlib.contextmanager
def _device_lease(run: RunDirectory, report: JournalReporter) -> Iterator[None]:
    gpus = visible_gpus()
    device = gpus[0].uuid if gpus else "cpu"
    with GpuLease.acquire(device, holder=run.id, report=report):
        yield
