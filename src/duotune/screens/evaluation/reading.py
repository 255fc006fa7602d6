"""What the evaluation screen shows and changes: read and done in threads."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from duotune.adapters.publish import found_harmful, publish_withheld
from duotune.catalog.adapters import Version
from duotune.catalog.catalog import Catalog, open_catalog
from duotune.errors import UsageError
from duotune.evaluation.examples import GROUPS, ITEMS, read_groups, read_results
from duotune.evaluation.results import Evaluation, Groups, ItemResult
from duotune.runs.directory import find_run
from duotune.runs.results import Published
from duotune.runs.state import RunState

BREATH_ITEMS = 50
BREATH_SECONDS = 0.001


@dataclass(frozen=True)
class Compared:
    """An evaluation with all that belongs to it.

    Attributes:
        state: The run's.
        evaluation: The figures; None when the run has not come so far.
        items: Every answer; empty when they are not there any more.
        unread: How many answers are damaged, or of another version of duotune.
        groups: The figures by language and project; empty where they are not there any more.
        report: The page for people.
        version: The adapter's row in the catalog as it is now; None when the run published nothing.
        harmful: Some evaluation found that version harmful, so that publishing it takes a reason.
    """

    state: RunState
    evaluation: Evaluation | None
    items: Sequence[ItemResult]
    unread: int
    groups: Groups
    report: Path
    version: Version | None
    harmful: bool

    @property
    def withheld(self) -> bool:
        """Whether there is something to publish."""
        return self.version is not None and self.version.state == "withheld"


def read(run: str) -> Compared:
    """The comparison that a run made.

    Raises:
        UsageError: There is no such run.
        HostError: Its directory or the catalog is unreadable.
    """
    directory = find_run(run)
    state = directory.state()
    folder = directory.path / "evaluation"
    evaluation = Evaluation.model_validate(state.evaluation) if state.evaluation else None
    there = evaluation is not None and (folder / ITEMS).exists()
    items, unread = read_results(folder / ITEMS, _Breaths()) if there else ([], 0)
    groups = read_groups(folder / GROUPS) or Groups(languages={}, projects={})
    with open_catalog() as catalog:
        version = _version(catalog, state)
        harmful = version is not None and found_harmful(catalog, version)
    return Compared(state, evaluation, items, unread, groups, folder / "report.md", version, harmful)


def publish(version: str, reason: str) -> Version:
    """Let a withheld version be served, as `duotune adapters publish` does."""
    with open_catalog() as catalog:
        return publish_withheld(catalog, version, reason)


def _version(catalog: Catalog, state: RunState) -> Version | None:
    published = Published.of(state.results, "publish")
    if published is None:
        return None
    try:
        return catalog.adapters.get(published.published.name)
    except UsageError:  # removed since
        return None


class _Breaths:
    """Lets the thread that answers keys go on, every few items."""

    def __init__(self) -> None:
        self._count = 0

    def __call__(self) -> None:
        self._count += 1
        if self._count % BREATH_ITEMS == 0:
            time.sleep(BREATH_SECONDS)
