"""Run directories: made at once or not at all, found by id, beginning or name."""

from __future__ import annotations

import difflib
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from duotune import paths
from duotune.config.load import load_run_config
from duotune.config.run import RunConfig
from duotune.config.write import dump_toml
from duotune.disk import sync, write_whole
from duotune.errors import HostError, UsageError, printable
from duotune.runs.events import MergeOrder, RunCreated, RunKind, parse_event
from duotune.runs.journal import Journal, gone
from duotune.runs.liveness import JOURNAL, LOCK, read_state
from duotune.runs.lock import owner_of, try_lock
from duotune.runs.state import RunState, stages_of

SHOWN = 5


@dataclass(frozen=True)
class RunDirectory:
    """One run's directory.

    Attributes:
        path: Where it is; its last part is the run's id.
    """

    path: Path

    @property
    def id(self) -> str:
        """The run's id, such as `20260131-120000-payments`."""
        return self.path.name

    @property
    def config_file(self) -> Path:
        """The frozen configuration."""
        return self.path / "config.toml"

    @property
    def journal_file(self) -> Path:
        """The events."""
        return self.path / JOURNAL

    @property
    def log_file(self) -> Path:
        """What the worker printed."""
        return self.path / "worker.log"

    @property
    def lock_file(self) -> Path:
        """Held by the worker for as long as it lives."""
        return self.path / LOCK

    def read_config(self) -> RunConfig:
        """The frozen configuration.

        Raises:
            ConfigError: It is missing or damaged.
        """
        return load_run_config(self.config_file)

    def state(self) -> RunState:
        """The run's state now.

        Raises:
            HostError: The directory is gone or unreadable.
        """
        return read_state(self.path)

    def created(self) -> RunCreated | None:
        """The event that began the run; None when the journal is gone or damaged."""
        try:
            with self.journal_file.open("rb") as stream:
                event = parse_event(stream.readline())
        except OSError:
            return None
        return event if isinstance(event, RunCreated) else None


def check_until(until: str | None, kind: RunKind = "train") -> None:
    """Refuse a last stage that such a run does not have.

    Raises:
        UsageError: `until` is no stage of a run of that kind.
    """
    if until is not None and until not in stages_of(kind, None):
        known = ", ".join(stages_of(kind, None))
        raise UsageError(f"A run of kind {kind!r} has no stage {printable(until)!r}.", f"Its stages are: {known}.")


def create_run(
    config: RunConfig,
    kind: RunKind = "train",
    until: str | None = None,
    clock: Callable[[], float] = time.time,
    order: MergeOrder | None = None,
) -> RunDirectory:
    """Make a run's directory with its frozen configuration and its first event.

    Args:
        config: The configuration.
        kind: What it does.
        until: Last stage to run; None runs all.
        clock: Seconds since 1970.
        order: What a run of kind `merge` shall merge, and where to.

    Raises:
        UsageError: `until` is no stage of such a run.
        HostError: The directory cannot be made.
    """
    check_until(until, kind)
    now = clock()
    beginning = f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime(now))}-{config.name}"
    root = paths.runs()
    try:
        root.mkdir(parents=True, exist_ok=True)
        draft = root / f".new-{os.getpid()}-{time.monotonic_ns()}"
        draft.mkdir()
    except OSError as error:
        raise _unwritable(root, error) from error
    try:
        first = RunCreated(run=beginning, name=config.name, kind=kind, until=until, order=order)
        return _place(draft, config, first, now)
    except OSError as error:
        raise _unwritable(root, error) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _place(draft: Path, config: RunConfig, first: RunCreated, now: float) -> RunDirectory:
    """Fill the draft and give it the first free id; renaming onto a run that is there fails, as it is not empty."""
    write_whole(draft / "config.toml", dump_toml(config))
    attempt = 1
    while True:
        name = first.run if attempt == 1 else f"{first.run}-{attempt}"
        journal_file = draft / JOURNAL
        journal_file.unlink(missing_ok=True)
        with Journal(journal_file, clock=lambda: now) as journal:
            journal.append(first.model_copy(update={"run": name}))
        target = draft.with_name(name)
        try:
            draft.rename(target)
        except OSError:
            if not target.exists():
                raise
            attempt += 1
            continue
        sync(target.parent)
        return RunDirectory(target)


def list_runs() -> list[RunDirectory]:
    """All runs, newest first."""
    root = paths.runs()
    if not root.is_dir():
        return []
    found = [RunDirectory(path) for path in root.iterdir() if path.is_dir() and not path.name.startswith(".")]
    return sorted(found, key=_age, reverse=True)


def find_run(text: str) -> RunDirectory:
    """The run that `text` names: an id, a name (its newest run), or a unique beginning of an id.

    Raises:
        UsageError: There is no such run, or several begin like that.
    """
    runs = list_runs()
    for run in runs:
        if run.id == text:
            return run
    named = [run for run in runs if (created := run.created()) is not None and created.name == text]
    if named:
        return named[0]
    begun = [run for run in runs if text and run.id.startswith(text)]
    if len(begun) == 1:
        return begun[0]
    if begun:
        shown = ", ".join(run.id for run in begun[:SHOWN]) + (", ..." if len(begun) > SHOWN else "")
        raise UsageError(f"{len(begun)} runs begin with {printable(text)!r}: {shown}.", "Write more of the id.")
    raise UsageError(f"There is no run {printable(text)!r}.", _nearest(text, runs))


def remove_run(run: RunDirectory) -> None:
    """Delete a run's directory; published adapters and cached data stay.

    Raises:
        UsageError: Its worker is alive.
        HostError: It cannot be deleted, or is gone already.
    """
    if not run.path.is_dir():
        raise gone(run.journal_file)
    try:
        lock = try_lock(run.lock_file)
        if lock is None:
            owner = owner_of(run.lock_file)
            by = f" by process {owner.pid}" if owner is not None else ""
            raise UsageError(
                f"The run {run.id} cannot be removed: it is being worked on{by}.",
                f"Stop it first: `duotune stop {run.id}`.",
            )
        with lock:
            doomed = run.path.with_name(f".removed-{run.id}-{time.monotonic_ns()}")
            run.path.rename(doomed)
        shutil.rmtree(doomed)
    except OSError as error:
        raise HostError(
            f"The run directory {printable(run.path)} cannot be removed: {error.strerror}.", "Check its owner."
        ) from error


def _age(run: RunDirectory) -> tuple[str, float, int, str]:
    created = run.created()
    return (run.id[:15], created.ts if created else 0.0, len(run.id), run.id)


def _nearest(text: str, runs: list[RunDirectory]) -> str:
    names = [created.name for run in runs if (created := run.created()) is not None]
    near = difflib.get_close_matches(text, [*names, *(run.id for run in runs)], n=3, cutoff=0.5)
    if near:
        return f"Did you mean {', '.join(dict.fromkeys(near))}?"
    return "See `duotune runs`." if runs else "There are no runs yet; start one with `duotune run CONFIG.toml`."


def _unwritable(root: Path, error: OSError) -> HostError:
    return HostError(
        f"No run can be created in {printable(root)}: {error.strerror}.",
        "Check its owner and the space on its disk, or set DUOTUNE_HOME to another directory.",
    )
