"""Who runs vLLM: one interface over systemd, a process in the foreground, and a host that has neither yet."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from duotune.errors import HostError

Phase = Literal["stopped", "starting", "running", "stopping", "restarting", "failed"]


@dataclass(frozen=True)
class ServiceState:
    """What the service is doing.

    Attributes:
        phase: `restarting`: it died, and will be started again by itself.
        restarts: How often it was started again by itself since it was started by somebody.
        pid: vLLM's own process id, whoever started it; None when there is none.
        since: Begin of the phase in seconds since 1970; None when unknown.
        detail: systemd's own words, or the exit status; may be empty.
        start: What tells this start of vLLM from every other, also after it ended; empty before the first.
    """

    phase: Phase
    restarts: int = 0
    pid: int | None = None
    since: float | None = None
    detail: str = ""
    start: str = ""

    @property
    def up(self) -> bool:
        """Whether a vLLM runs, or is about to."""
        return self.phase not in ("stopped", "failed")


class Service(Protocol):
    """vLLM as this host runs it.

    Attributes:
        title: Who runs it, for a sentence: `systemd`, `your systemd`; empty when nobody does.
        unit_file: Its unit; None where there are no units.
        user_manager: Whether units must be those of a user's systemd.
        private_users: Its units may have user namespaces, without which a user's systemd hides nothing from vLLM.
        confines: vLLM runs in a unit that hides parts of the file system from it.
        refusal: Why it can start nothing; empty when it can.
        pauses: It can be stopped while a run trains, and started again after it.
        lasts: vLLM goes on when the process that started it ends.
        held: Why a vLLM that runs, or ran, cannot be started again from here, and what to do; empty when it can.
    """

    @property
    def title(self) -> str: ...
    @property
    def unit_file(self) -> Path | None: ...
    @property
    def user_manager(self) -> bool: ...
    @property
    def private_users(self) -> bool: ...
    @property
    def confines(self) -> bool: ...
    @property
    def refusal(self) -> str: ...
    @property
    def pauses(self) -> bool: ...
    @property
    def lasts(self) -> bool: ...
    @property
    def held(self) -> str: ...

    def state(self) -> ServiceState:
        """What it is doing now."""

    def unit_text(self) -> str | None:
        """The unit that is installed; None without one."""

    def pause_text(self) -> str | None:
        """The target that pauses it, as it is installed; None without one."""

    def strays(self) -> list[Path]:
        """Units under other names that would serve the same configuration."""

    def drop_ins(self) -> list[Path]:
        """Files by which the admin changes the unit."""

    def changed_drop_ins(self) -> list[Path]:
        """Those of them that changed since vLLM was started, or their folder when one was removed."""

    def bars(self, unit_text: str, pause_text: str) -> str:
        """Why this user cannot install these units; empty when they can, or need not."""

    def install(self, unit_text: str, pause_text: str) -> None:
        """Put the units in their place, verified, where they differ from what is there.

        Raises:
            HostError: They cannot be written, or systemd does not accept them.
        """

    def begin(self) -> None:
        """Start vLLM, or stop it and start it again; returns before it answers."""

    def stop(self) -> None:
        """Stop vLLM, and let nothing start it again by itself."""

    def log(self, lines: int, start: str = "") -> list[str]:
        """The last lines that vLLM wrote, safe to print; empty when they cannot be read.

        Args:
            lines: How many.
            start: Only what was written since that start; see `ServiceState`. Empty for all there is.
        """

    def paused(self) -> bool:
        """Whether vLLM is stopped because a run trains."""


class Unitless:
    """What a vLLM without a systemd unit has in common: nothing to install, nothing that hides or pauses it."""

    user_manager = False
    private_users = False
    confines = False
    pauses = False

    @property
    def lasts(self) -> bool:
        """It goes on without us."""
        return True

    @property
    def unit_file(self) -> Path | None:
        """There is none."""
        return None

    @property
    def held(self) -> str:
        """Nothing holds it."""
        return ""

    def unit_text(self) -> str | None:
        """There is none."""
        return None

    def pause_text(self) -> str | None:
        """There is none."""
        return None

    def strays(self) -> list[Path]:
        """There are no units."""
        return []

    def drop_ins(self) -> list[Path]:
        """There are none."""
        return []

    def changed_drop_ins(self) -> list[Path]:
        """There are none."""
        return []

    def bars(self, unit_text: str, pause_text: str) -> str:
        """There is no unit."""
        return ""

    def install(self, unit_text: str, pause_text: str) -> None:
        """There is nothing to install."""

    def paused(self) -> bool:
        """Without systemd nothing pauses."""
        return False


def nobody_to_run_it(refusal: str, command: str) -> HostError:
    """The error for a host on which nothing keeps vLLM running.

    Args:
        refusal: Why; see `Service`.
        command: Of `duotune serve`, which can run it in its foreground.
    """
    return HostError(
        f"Nothing here keeps vLLM running: {refusal}.",
        f"Use `duotune serve {command} --foreground`, which runs vLLM as its child until you stop it.",
    )


@dataclass(frozen=True)
class NoService(Unitless):
    """A host without a systemd that answers: plans can be made, and a foreground process can carry them out.

    Attributes:
        refusal: Why there is none.
    """

    refusal: str
    title: str = ""

    def state(self) -> ServiceState:
        """Nothing runs."""
        return ServiceState("stopped")

    def begin(self) -> None:
        """Nobody could.

        Raises:
            HostError: Always.
        """
        raise nobody_to_run_it(self.refusal, "apply")

    def stop(self) -> None:
        """There is nothing to stop."""

    def log(self, lines: int, start: str = "") -> list[str]:
        """There is none."""
        return []
