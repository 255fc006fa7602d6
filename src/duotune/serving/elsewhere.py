"""vLLM as the child of another process of this home, seen from outside."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from duotune.disk import write_whole
from duotune.errors import HostError, printable
from duotune.runs.lock import Owner, owner_of
from duotune.serving.files import directory
from duotune.serving.service import NoService, ServiceState, Unitless

STOP_SECONDS = 130
"""Above what vLLM gets to end in."""
POLL_SECONDS = 0.5
TAIL_BYTES = 64 << 10
KEPT_BYTES = 4 << 20


class Child(BaseModel):
    """What the process in the foreground tells of its vLLM.

    Attributes:
        pid: vLLM's process id.
        since: When it was started, in seconds since 1970.
        restarts: How often it was started again by itself.
    """

    model_config = ConfigDict(frozen=True)

    pid: int
    since: float
    restarts: int

    def tell(self) -> None:
        """Write it where other processes look."""
        with contextlib.suppress(OSError):  # it serves, whoever may know of it
            write_whole(_child_file(), self.model_dump_json())

    @staticmethod
    def told() -> Child | None:
        """What was written; None when vLLM does not run."""
        try:
            return Child.model_validate_json(_child_file().read_bytes())
        except (OSError, ValidationError):
            return None

    @staticmethod
    def forget() -> None:
        """There is none any more."""
        with contextlib.suppress(OSError):
            _child_file().unlink(missing_ok=True)


def _child_file() -> Path:
    return directory() / "foreground.json"


def lock_file() -> Path:
    """Held by the process in the foreground."""
    return directory() / "foreground.lock"


def log_file() -> Path:
    """What vLLM prints under `--foreground`."""
    return directory() / "vllm.log"


def elsewhere() -> Elsewhere | None:
    """The foreground process of this home that runs vLLM now; None without one."""
    owner = owner_of(lock_file())
    return Elsewhere(owner) if owner else None


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
        return f"process {self.owner.pid} in its foreground"

    @property
    def held(self) -> str:
        """Only that process can start its child again."""
        return (
            f"vLLM runs in the foreground of process {self.owner.pid}, which alone can start it again; end that one "
            "with `duotune serve stop`, and apply with --foreground"
        )

    def state(self) -> ServiceState:
        """What that process tells; between its vLLMs there is none."""
        if not self.owner.alive():
            return ServiceState("stopped")
        child = Child.told()
        if child is None or not Path(f"/proc/{child.pid}").exists():
            return ServiceState("starting")
        return ServiceState("running", child.restarts, child.pid, child.since, start=str(child.since))

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
        """Ask that process to end, and wait until it has.

        Raises:
            HostError: It may not be asked, or does not end.
        """
        pid = self.owner.pid
        try:
            os.kill(pid, signal.SIGTERM)
        except ProcessLookupError:
            return
        except PermissionError as error:
            raise HostError(
                f"vLLM runs in the foreground of process {pid}, which is another user's.", "Ask them, or do it as root."
            ) from error
        deadline = time.monotonic() + STOP_SECONDS
        while self.owner.alive():
            if time.monotonic() > deadline:
                raise HostError(
                    f"Process {pid}, in whose foreground vLLM runs, did not end within {STOP_SECONDS} seconds.",
                    f"See {printable(log_file())}; `kill -KILL {pid}` ends it, and vLLM with it.",
                )
            time.sleep(POLL_SECONDS)

    def log(self, lines: int, start: str = "") -> list[str]:
        """The last lines that it printed."""
        return tail(log_file(), lines)


class Nobody(NoService):
    """A host on which nothing runs vLLM now: what the last foreground process printed is still there."""

    def log(self, lines: int, start: str = "") -> list[str]:
        """The last lines that it printed."""
        return tail(log_file(), lines)


def keep_short(file: Path) -> None:
    """Leave the end of a log before it is added to: what the vLLM before died of has to stay readable.

    Raises:
        OSError: It cannot be written.
    """
    if file.exists() and file.stat().st_size > KEPT_BYTES:
        with file.open("rb") as stream:
            stream.seek(-KEPT_BYTES, os.SEEK_END)
            end = stream.read()
        file.write_bytes(end.partition(b"\n")[2])


def tail(file: Path, lines: int, begin: int = 0) -> list[str]:
    """The last lines of a log from a byte on, safe to print; empty without one."""
    try:
        with file.open("rb") as stream:
            stream.seek(max(begin, file.stat().st_size - TAIL_BYTES))
            text = stream.read().decode(errors="replace")
    except OSError:
        return []
    return [printable(line) for line in text.splitlines()[-lines:]]
