"""Starts a run's worker so that it outlives its starter, and asks it to stop."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

from duotune.config.host import ServingConfig, host_setting
from duotune.errors import HostError, RunFailed, UsageError, printable
from duotune.runs.directory import RunDirectory
from duotune.runs.events import RunResumed, RunStarted
from duotune.runs.journal import Journal, gone, read_events
from duotune.runs.lock import owner_of, try_lock
from duotune.runs.pause import make_room, refusal
from duotune.runs.systemd import find_manager, is_active, start_service, worker_unit

START_SECONDS = 60.0
POLL_SECONDS = 0.05
TAIL_LINES = 15
TAIL_BYTES = 8192


@dataclass(frozen=True)
class Launched:
    """A worker that came up.

    Attributes:
        how: "systemd" for a transient service, "session" for a process in a session of its own.
        pid: Its process id; None when it had already ended its work as we looked.
        unit: The service's name; empty for a session.
        note: Why systemd was passed over although it is there; empty otherwise.
    """

    how: Literal["systemd", "session"]
    pid: int | None
    unit: str = ""
    note: str = ""


def launch(
    run: RunDirectory,
    command: Sequence[str] | None = None,
    environment: Mapping[str, str] | None = None,
    inherit: bool = False,
    serving: ServingConfig | None = None,
) -> Launched:
    """Start a worker for the run, for the first time or again, and wait until it holds the run's lock.

    Args:
        run: The run; for a second worker on it, `run_resumed` is written first.
        command: What to run; by default `python -m duotune.worker RUN_DIR`.
        environment: Its environment; by default this process's.
        inherit: The worker needs all of that environment, keys included, which no systemd unit may show.
        serving: How vLLM serves here, which may have to make room.

    Raises:
        UsageError: A live worker has the run.
        RunFailed: The worker died before it took the run up; the end of its log is in the message.
        HostError: The run directory is gone or unwritable, or vLLM cannot make room.
    """
    serving = serving or ServingConfig()
    refused = refusal(serving, inherit)
    if refused:
        raise no_room(refused)
    command = command or [sys.executable, "-P", "-m", "duotune.worker", str(run.path)]
    environment = _with_absolute_import_path(os.environ if environment is None else environment)
    offset = _announce(run)
    manager, note = (None, "") if inherit else find_manager()
    if manager is not None:
        unit, room = worker_unit(run.id), make_room(serving, manager)
        said = start_service(manager, unit, command, run.path, run.log_file, environment, room)
        if not said:
            return Launched("systemd", _await_worker(run, offset, partial(is_active, manager, unit)), unit)
        if room:
            raise no_room(f"systemd would not start the worker: {printable(said)}")
        note = f"systemd would not start the worker: {printable(said)}"
    child = _start_session(run, command, environment)
    return Launched("session", _await_worker(run, offset, lambda: child.poll() is None), note=note)


def no_room(reason: str) -> HostError:
    """The error for a run that vLLM would not make room for."""
    return HostError(
        f'vLLM cannot make room for the run, as serving.during_training = "stop" asks for: {reason}.',
        f"Set {host_setting('serving.during_training', 'keep')}; stop vLLM yourself if the GPU is too small.",
    )


def request_stop(run: RunDirectory) -> int:
    """Ask the run's worker to stop at the next safe point; returns its process id.

    Raises:
        UsageError: No worker has the run.
        HostError: The worker belongs to another user.
    """
    owner = owner_of(run.lock_file)
    if owner is None:
        raise UsageError(f"The run {run.id} is not being worked on.", f"See `duotune status {run.id}`.")
    try:
        process: int | None = os.pidfd_open(
            owner.pid
        )  # pins the process, so that the check below and the signal mean the same one
    except ProcessLookupError:
        raise UsageError(f"The run {run.id} has just ended.", f"See `duotune status {run.id}`.") from None
    except OSError:  # a kernel or a sandbox without pidfds
        process = None
    try:
        if process is None:
            os.kill(owner.pid, signal.SIGTERM)
        elif owner.alive():
            signal.pidfd_send_signal(process, signal.SIGTERM)
    except PermissionError:
        raise HostError(
            f"The worker of run {run.id} (process {owner.pid}) belongs to another user.",
            "Stop it as that user, or as root.",
        ) from None
    except ProcessLookupError:
        pass  # it ended between the two lines: what was asked for is so
    finally:
        if process is not None:
            os.close(process)
    return owner.pid


def _announce(run: RunDirectory) -> int:
    """Write `run_resumed` unless the run is fresh or it is there; returns the journal's length before the worker."""
    if not run.path.is_dir():
        raise gone(run.journal_file)
    lock = try_lock(run.lock_file)
    if lock is None:
        owner = owner_of(run.lock_file)
        by = f" by process {owner.pid}" if owner is not None else ""
        raise UsageError(
            f"The run {run.id} is already being worked on{by}.", f"Follow it with `duotune logs {run.id} -f`."
        )
    with lock:
        reading = read_events(run.journal_file)
        tried = any(isinstance(event, RunStarted | RunResumed) for event in reading.events)
        announced = bool(reading.events) and isinstance(reading.events[-1], RunResumed)
        if announced or (not tried and not run.log_file.exists()):
            return reading.offset
        with Journal(run.journal_file) as journal:
            journal.append(RunResumed())
        return read_events(run.journal_file).offset


def _with_absolute_import_path(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment for a process that works in another directory than this one."""
    entries = [os.path.abspath(entry) for entry in environment.get("PYTHONPATH", "").split(os.pathsep) if entry]
    return {**environment, "PYTHONPATH": os.pathsep.join(entries)} if entries else dict(environment)


def _start_session(
    run: RunDirectory, command: Sequence[str], environment: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    try:
        with run.log_file.open("ab") as log:
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                close_fds=True,
                start_new_session=True,
                cwd=run.path,
                env=dict(environment),
            )
    except OSError as error:
        raise HostError(
            f"The worker of run {run.id} cannot be started: {error.strerror}.",
            "Check the run directory's owner and the space on its disk.",
        ) from error


def _await_worker(run: RunDirectory, offset: int, alive: Callable[[], bool]) -> int | None:
    """Wait for a worker that holds the lock or wrote to the journal; its process id, None when it ended already."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        owner = owner_of(run.lock_file)
        if owner is not None:
            return owner.pid
        dead = not alive()  # asked before the journal is read: a worker's last words come before its death
        if read_events(run.journal_file, offset).events:
            return None
        if dead:
            raise RunFailed(
                f"The worker of run {run.id} died as it started:\n{_tail(run)}", f"The whole log is {run.log_file}."
            )
        time.sleep(POLL_SECONDS)
    raise RunFailed(
        f"The worker of run {run.id} did not come up within {START_SECONDS:.0f} seconds:\n{_tail(run)}",
        f"The whole log is {run.log_file}.",
    )


def _tail(run: RunDirectory) -> str:
    try:
        with run.log_file.open("rb") as stream:
            stream.seek(max(0, run.log_file.stat().st_size - TAIL_BYTES))
            lines = stream.read().decode(errors="replace").splitlines()
    except OSError:
        return "  (it printed nothing)"
    return "\n".join(f"  {printable(line)}" for line in lines[-TAIL_LINES:]) or "  (it printed nothing)"
