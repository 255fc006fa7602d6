"""A run's worker as a transient systemd service: its own control group, no ties to the session that started it."""

from __future__ import annotations

import os
import pwd
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from duotune import paths

BOOTED = Path("/run/systemd/system")
LINGER = Path("/var/lib/systemd/linger")
COMMAND_SECONDS = 30
STOP_SECONDS = 600
ROOM_SECONDS = 150
"""How long another service may take to make room, which is above vLLM's TimeoutStopSec."""
PASSED = (
    "PATH",
    "PYTHONPATH",
    "VIRTUAL_ENV",
    "LANG",
    "LC_ALL",
    "TZ",
    "TMPDIR",
    "HOME",
    "XDG_STATE_HOME",
    "XDG_CONFIG_HOME",
    "XDG_CACHE_HOME",
    "DUOTUNE_HOME",
    "DUOTUNE_UMASK",
    "DUOTUNE_HOST_CONFIG",
    "HF_HOME",
    "HF_HUB_CACHE",
    "HF_HUB_OFFLINE",
    "CUDA_DEVICE_ORDER",
    "CUDA_VISIBLE_DEVICES",
    "LD_LIBRARY_PATH",
    "OMP_NUM_THREADS",
    "AWS_PROFILE",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_S3",
    "AWS_CONFIG_FILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_CA_BUNDLE",
    "SSL_CERT_FILE",
)
"""What a worker may need from its starter's environment. Keys are not among it: they would show in the unit."""


@dataclass(frozen=True)
class Manager:
    """A systemd that answers.

    Attributes:
        user: Whether it is the user's manager rather than the system's.
    """

    user: bool

    @property
    def scope(self) -> tuple[str, ...]:
        """Option that addresses it."""
        return ("--user",) if self.user else ()


def find_manager(user: bool | None = None) -> tuple[Manager | None, str]:
    """The manager to start workers with, or None and the reason; an empty reason means that there is no systemd.

    Args:
        user: Whether to take the user's; by default everybody but root does.
    """
    if not BOOTED.is_dir():
        return None, ""
    manager = Manager(user=os.geteuid() != 0 if user is None else user)
    answer = _answer(["systemctl", *manager.scope, "is-system-running"])
    if answer not in ("running", "degraded", "starting"):
        return None, f"systemd does not answer here ({answer or 'no reply'})"
    name = _user_name()
    if manager.user and not (LINGER / name).exists():
        return None, f"the user's systemd ends at logout (`loginctl enable-linger {name}` would keep it)"
    return manager, ""


def serving_manager() -> tuple[Manager | None, str]:
    """The manager that vLLM belongs to: the system's in a system install, whose polkit rule lets the group use it."""
    return find_manager(user=os.geteuid() != 0 and paths.home() != paths.SYSTEM_HOME)


def start_service(
    manager: Manager,
    unit: str,
    command: Sequence[str],
    directory: Path,
    log: Path,
    environment: Mapping[str, str],
    dependencies: Sequence[str] = (),
) -> str:
    """Start `command` as a transient service; returns an empty text, or why it did not start.

    Args:
        manager: Which systemd.
        unit: The service's name.
        command: What it runs.
        directory: Where it runs.
        log: What its output is added to.
        environment: Where the variables that it may see are taken from.
        dependencies: Settings of its unit that name others, which may have to stop before it starts.
    """
    options = [
        *(f"--property={dependency}" for dependency in dependencies),
        f"--unit={unit}",
        "--collect",
        "--quiet",
        "--no-ask-password",
        "--service-type=exec",
        "-p",
        "KillMode=mixed",  # SIGTERM to the worker alone: its children must not die before its safe point
        "-p",
        f"TimeoutStopSec={STOP_SECONDS}",
        "-p",
        f"WorkingDirectory={directory}",
        "-p",
        f"StandardOutput=append:{log}",
        "-p",
        f"StandardError=append:{log}",
        *(f"--setenv={name}" for name in PASSED if name in environment),
    ]
    try:
        done = subprocess.run(
            ["systemd-run", *manager.scope, *options, "--", *command],
            capture_output=True,
            text=True,
            errors="replace",
            stdin=subprocess.DEVNULL,
            env=dict(environment),
            timeout=COMMAND_SECONDS + (ROOM_SECONDS if dependencies else 0),
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return "" if done.returncode == 0 else done.stderr.strip() or f"systemd-run ended with {done.returncode}"


def is_active(manager: Manager, unit: str) -> bool:
    """Whether the service runs, or is about to."""
    return _answer(["systemctl", *manager.scope, "is-active", unit]) in ("active", "activating", "reloading")


def is_wanted(manager: Manager, unit: str) -> bool:
    """Whether a unit runs or is about to, also while its start still waits for others to stop."""
    jobs = _answer(["systemctl", *manager.scope, "--no-legend", "list-jobs", unit])  # number, unit, type, state
    return any(words[2:3] in (["start"], ["restart"]) for words in map(str.split, jobs.splitlines())) or is_active(
        manager, unit
    )


def worker_unit(run: str) -> str:
    """Name of the service that works on a run."""
    return f"duotune-run-{run}"


def is_stopping(unit: str) -> bool:
    """Whether systemd is stopping the service, rather than somebody who sent its process a signal."""
    manager, _ = find_manager()
    return manager is not None and _answer(["systemctl", *manager.scope, "is-active", unit]) == "deactivating"


def forgive(manager: Manager, unit: str) -> None:
    """Start the count anew of how often a service was started; it says nothing about one that runs."""
    _answer(["systemctl", *manager.scope, "--no-ask-password", "reset-failed", unit])


def ended(command: Sequence[str], seconds: float = COMMAND_SECONDS) -> subprocess.CompletedProcess[str] | None:
    """What a command that asks nothing ended with; None where it cannot be run, or does not end in time."""
    try:
        return subprocess.run(
            command,
            capture_output=True,
            text=True,
            errors="replace",
            stdin=subprocess.DEVNULL,
            timeout=seconds,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None


def _answer(command: Sequence[str]) -> str:
    done = ended(command)
    return done.stdout.strip() if done else ""


def _user_name() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())
