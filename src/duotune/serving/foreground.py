"""vLLM as a child of this process, for hosts without systemd, such as containers."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from duotune.config.host import ServingConfig
from duotune.endpoint.address import Address, parse_address
from duotune.errors import HostError, RunFailed, printable
from duotune.runs.lock import OwnedLock, Owner, owner_of, try_lock
from duotune.serving.files import config_file, directory
from duotune.serving.service import ServiceState, Unitless

STOP_SECONDS = 120
POLL_SECONDS = 0.5
DEATHS = 3
DEATHS_WITHIN_SECONDS = 3600
TAIL_BYTES = 64 << 10
_PR_SET_PDEATHSIG = 1
_OURS = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")
"""Of our own Python, which vLLM's must not read."""
_ENVIRONMENT = {"HF_HUB_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1"}


def log_file() -> Path:
    """What vLLM prints under `--foreground`."""
    return directory() / "vllm.log"


def _lock_file() -> Path:
    return directory() / "foreground.lock"


def elsewhere() -> Elsewhere | None:
    """The foreground process of this home that runs vLLM now; None without one."""
    owner = owner_of(_lock_file())
    return Elsewhere(owner) if owner else None


class Foreground(Unitless):
    """vLLM as a child; see `Service`. A context manager, which ends it.

    Raises:
        HostError: Another process of this home runs it already.
    """

    title = "this process"
    refusal = ""

    def __init__(self, serving: ServingConfig) -> None:
        self._serving = serving
        self._child: subprocess.Popen[bytes] | None = None
        self._restarts = 0
        self._deaths: list[float] = []
        directory().mkdir(parents=True, exist_ok=True)
        lock = try_lock(_lock_file(), note="serve apply --foreground")
        if lock is None:
            owner = owner_of(_lock_file())
            raise HostError(
                f"Process {owner.pid if owner else '?'} runs vLLM in its foreground already.",
                "Change its adapters with `duotune serve apply`, or end it with `duotune serve stop`.",
            )
        self._lock: OwnedLock = lock

    def __enter__(self) -> Foreground:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._lock.release()

    def state(self) -> ServiceState:
        """Whether the child lives."""
        if self._child is None:
            return ServiceState("stopped")
        status = self._child.poll()
        if status is None:
            return ServiceState("running", self._restarts, self._child.pid)
        return ServiceState("failed", self._restarts, detail=f"it ended with status {status}")

    def begin(self) -> None:
        """Start it, after the one before has ended."""
        self.stop()
        address = parse_address(self._serving.listen)
        environment = {name: value for name, value in os.environ.items() if name not in _OURS} | _ENVIRONMENT
        _make_room(address)
        if address.socket:
            environment["VLLM_ALLOW_RUNTIME_LORA_UPDATING"] = "1"
        command = [self._serving.executable, "serve", "--config", str(config_file())]
        try:
            with log_file().open("wb") as log:
                self._child = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env=environment,
                    start_new_session=True,
                    umask=0o007,
                    preexec_fn=_die_with_parent,
                )
        except OSError as error:
            raise HostError(
                f"vLLM's command {printable(self._serving.executable)} cannot be started: {error.strerror}.",
                "Set serving.executable to its full path.",
            ) from error

    def stop(self) -> None:
        """Ask it to end, and make it end when it does not; its own children too."""
        child, self._child = self._child, None
        if child is None:
            return
        for number, seconds in ((signal.SIGTERM, STOP_SECONDS), (signal.SIGKILL, None)):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(seconds)
        _make_room(parse_address(self._serving.listen))

    def log(self, lines: int) -> list[str]:
        """The last lines that it printed."""
        return tail(log_file(), lines)

    def supervise(self, tell: Callable[[str], None]) -> None:
        """Keep it running until a signal ends this process.

        Raises:
            RunFailed: It died three times within an hour.
        """
        while True:
            self.revive(tell)

    def revive(self, tell: Callable[[str], None]) -> None:
        """Wait until it dies, and start it again.

        Raises:
            RunFailed: It died three times within an hour.
        """
        if self._child is None:
            return
        self._child.wait()
        now, words = time.monotonic(), self.state().detail
        self._deaths = [*(moment for moment in self._deaths if now - moment < DEATHS_WITHIN_SECONDS), now]
        if len(self._deaths) >= DEATHS:
            raise RunFailed(f"vLLM died {DEATHS} times within an hour; {words}.", f"Its output is in {log_file()}.")
        tell(f"vLLM died ({words}); it is started again.")
        self.begin()
        self._restarts += 1


@dataclass(frozen=True)
class Elsewhere(Unitless):
    """vLLM under another process's foreground; see `Service`. Adapters can be changed, a restart is up to that process.

    Attributes:
        owner: That process.
    """

    owner: Owner
    refusal: str = ""

    @property
    def title(self) -> str:
        """Who runs it."""
        return f"process {self.owner.pid}, in its foreground"

    def state(self) -> ServiceState:
        """It runs as long as that process does."""
        return ServiceState("running", pid=self.owner.pid) if self.owner.alive() else ServiceState("stopped")

    def begin(self) -> None:
        """Only that process can restart its child.

        Raises:
            HostError: Always.
        """
        raise HostError(
            f"This change needs a restart of vLLM, which runs in the foreground of process {self.owner.pid}.",
            "End that one with `duotune serve stop`, and apply again with --foreground.",
        )

    def stop(self) -> None:
        """Ask that process to end, and wait until it has."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.owner.pid, signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS + 10
        while self.owner.alive() and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)

    def log(self, lines: int) -> list[str]:
        """The last lines that it printed."""
        return tail(log_file(), lines)


def tail(file: Path, lines: int) -> list[str]:
    """The last lines of a log, safe to print; empty without one."""
    try:
        with file.open("rb") as stream:
            stream.seek(max(0, file.stat().st_size - TAIL_BYTES))
            text = stream.read().decode(errors="replace")
    except OSError:
        return []
    return [printable(line) for line in text.splitlines()[-lines:]]


def _make_room(address: Address) -> None:
    """Make room for a socket: its directory, and no stale file of a server that died, which would break `bind`.

    Raises:
        HostError: Somebody listens there.
    """
    if not address.socket:
        return
    path = Path(address.socket)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except FileNotFoundError:
            return
        except ConnectionRefusedError:
            path.unlink(missing_ok=True)
            return
    raise HostError(f"Somebody listens at {printable(path)} already.", "Stop that server, or change serving.listen.")


def _die_with_parent() -> None:
    """In the child: end when the parent is killed, which would leave a GPU taken and nobody to know of it."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
