"""vLLM as a child of this process, for hosts without systemd, such as containers."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from duotune.config.host import ServingConfig, host_setting
from duotune.endpoint.address import parse_address
from duotune.errors import HostError, RunFailed, printable
from duotune.runs.lock import OwnedLock, owner_of, try_lock
from duotune.serving.elsewhere import Child, keep_short, lock_file, log_file, tail
from duotune.serving.files import config_file, directory, written_config
from duotune.serving.service import ServiceState, Unitless
from duotune.serving.sockets import clear, make_room
from duotune.serving.vllm_config import address_of, parsed

STOP_SECONDS = 120
DEATHS = 3
DEATHS_WITHIN_SECONDS = 3600
_PR_SET_PDEATHSIG = 1
_OURS = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")
"""Of our own Python, which vLLM's must not read."""
_ENVIRONMENT = {"HF_HUB_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1"}


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
        self._address = parse_address(serving.listen)
        self._restarts = 0
        self._since = 0.0
        self._log_begins = 0
        self._deaths: list[float] = []
        directory().mkdir(parents=True, exist_ok=True)
        lock = try_lock(lock_file(), note="serve apply --foreground")
        if lock is None:
            owner = owner_of(lock_file())
            raise HostError(
                f"Process {owner.pid if owner else '?'} runs vLLM in its foreground already.",
                "Change its adapters with `duotune serve apply`, or end it with `duotune serve stop`.",
            )
        self._lock: OwnedLock = lock
        Child.forget()  # of one that was killed

    @property
    def lasts(self) -> bool:
        """It ends with this process."""
        return False

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
            return ServiceState("running", self._restarts, self._child.pid, self._since, start=str(self._since))
        return ServiceState("failed", self._restarts, detail=f"it ended with status {status}", start=str(self._since))

    def begin(self) -> None:
        """Start it, after the one before has ended."""
        self._restarts = 0
        self._start()

    def _start(self) -> None:
        self.stop()
        address = self._address = address_of(parsed(written_config() or "")) or parse_address(self._serving.listen)
        environment = {name: value for name, value in os.environ.items() if name not in _OURS} | _ENVIRONMENT
        if address.socket:
            make_room(Path(address.socket))
            environment["VLLM_ALLOW_RUNTIME_LORA_UPDATING"] = "1"
        command = [self._serving.executable, "serve", "--config", str(config_file())]
        try:
            keep_short(log_file())
            with log_file().open("ab") as log:
                self._log_begins = log.tell()
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
                f"Set its full path, such as {host_setting('serving.executable', '/opt/vllm/bin/vllm')}.",
            ) from error
        self._since = time.time()
        Child(pid=self._child.pid, since=self._since, restarts=self._restarts).tell()

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
        Child.forget()
        if self._address.socket:
            clear(Path(self._address.socket))

    def log(self, lines: int, start: str = "") -> list[str]:
        """The last lines that it printed."""
        begin = self._log_begins if start and start == str(self._since) else 0
        return tail(log_file(), lines, begin)

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
        self._restarts += 1
        self._start()


def _die_with_parent() -> None:
    """In the child: end when the parent is killed, which would leave a GPU taken and nobody to know of it."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
