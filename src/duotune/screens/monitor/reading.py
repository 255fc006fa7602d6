"""What the monitor shows: read in threads, only what is new each time."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from duotune.catalog.catalog import open_catalog
from duotune.errors import DuotuneError
from duotune.runs.directory import RunDirectory, find_run
from duotune.runs.history import Bucket, RunFollower
from duotune.runs.log_tail import LogTail
from duotune.runs.results import DATA_REPORT, Published
from duotune.runs.state import RunState

BREATH_SECONDS = 0.001
"""Between two batches of a journal, so that the thread that answers keys never waits for long."""
SHARE_TOLD = 0.02
OVERVIEW, DATA = "overview", "data"


@dataclass(frozen=True)
class Seen:
    """One look at a run.

    Attributes:
        state: Where it stands.
        curves: What it has measured, by metric.
        log: What its log has gained since the last look.
        has_log: Whether its worker has printed anything.
        reports: Its pages for people, by the tab that they belong to.
    """

    state: RunState
    curves: Mapping[str, tuple[Bucket, ...]]
    log: Sequence[str]
    has_log: bool
    reports: Mapping[str, Path]


@dataclass(frozen=True)
class MemoryInUse:
    """A GPU's memory at one moment, in bytes.

    Attributes:
        gpu: Its number.
        by_runs: Held by workers of ours.
        in_use: Held by anybody.
    """

    gpu: int
    by_runs: int
    in_use: int


class RunWatch:
    """Looks at one run again and again."""

    def __init__(self, run: str) -> None:
        self.directory: RunDirectory = find_run(run)
        self._follower = RunFollower(self.directory.path)
        self._log = LogTail(self.directory.log_file)

    def look(self, told: Callable[[float], bool]) -> Seen | None:
        """Read what is new.

        Args:
            told: Called while a long journal is read, with the share that is read; False gives up.

        Returns:
            What there is to see; None when it was given up.

        Raises:
            HostError: The run is gone or unreadable.
        """
        last = 0.0
        for share in self._follower.catch_up():
            if last + SHARE_TOLD <= share < 1.0:
                last = share
                if not told(share):
                    return None
            time.sleep(BREATH_SECONDS)
        history = self._follower.history
        curves = {name: history.buckets(name) for name in history.names()}
        state = _as_published_now(self._follower.read())
        return Seen(state, curves, self._log.read(), self.directory.log_file.exists(), self._reports())

    def _reports(self) -> Mapping[str, Path]:
        pages = {OVERVIEW: self.directory.path / "evaluation" / "report.md", DATA: self.directory.path / DATA_REPORT}
        return {tab: page for tab, page in pages.items() if page.exists()}


def _as_published_now(state: RunState) -> RunState:
    """The state, with what somebody has published since the run withheld it."""
    done = Published.of(state.results, "publish")
    if done is None or done.published.state == "published":
        return state
    try:
        with open_catalog() as catalog:
            now = catalog.adapters.get(done.published.name).state
    except DuotuneError:  # removed since, or the catalog is being changed: the journal's word stands
        return state
    published = Published(published=done.published.model_copy(update={"state": now}))
    return state.model_copy(update={"results": {**state.results, "publish": published.model_dump(mode="json")}})


def stop(run: str) -> None:
    """Ask the run's worker to stop at its next step."""
    from duotune.runs.launcher import request_stop

    request_stop(find_run(run))


def resume(run: str) -> str:
    """Launch a new worker for the run; what a person should know of it, often nothing."""
    from duotune.plan.start import go_on

    return go_on(find_run(run)).note


def read_memory() -> tuple[MemoryInUse, ...]:
    """The memory of each GPU; nothing where there is none."""
    from duotune.screens.home.reading import read_machine

    return tuple(MemoryInUse(use.gpu.index, use.training, use.gpu.memory_used_bytes) for use in read_machine().gpus)
