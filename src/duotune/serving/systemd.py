"""vLLM as a systemd service, of the system or of a user."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from duotune.config.host import ServingConfig, host_setting
from duotune.disk import write_whole
from duotune.errors import HostError, printable
from duotune.runs.pause import pause_name
from duotune.runs.systemd import Manager, ended, serving_manager
from duotune.serving.elsewhere import Nobody, elsewhere
from duotune.serving.files import config_file
from duotune.serving.namespaces import may_make_user_namespaces
from duotune.serving.service import Phase, Service, ServiceState
from duotune.serving.unit import WRITTEN, quote

SYSTEM_UNITS = Path("/etc/systemd/system")
COMMAND_SECONDS = 60
STOP_SECONDS = 180
CLOCK_SECONDS = 0.1
_PROPERTIES = (
    "ActiveState", "SubState", "Result", "NRestarts", "MainPID", "ExecMainStatus", "StateChangeTimestampMonotonic",
    "NeedDaemonReload", "DropInPaths", "LoadState", "Job", "ExecMainStartTimestampMonotonic", "InvocationID",
)  # fmt: skip
_FIELDS_OF_A_START = ("_SYSTEMD_INVOCATION_ID", "INVOCATION_ID", "USER_INVOCATION_ID")
_PHASES: Mapping[str, Phase] = {
    "active": "running",
    "reloading": "running",
    "activating": "starting",
    "deactivating": "stopping",
    "failed": "failed",
}


def find_service(serving: ServingConfig) -> Service:
    """Who would run vLLM here: the system's systemd in a system install or for root, else the user's, else nobody."""
    manager, reason = serving_manager()
    if manager is None:
        return elsewhere() or Nobody(reason or "there is no systemd on this host")
    return SystemdService(manager, serving.unit, pause_name(serving))


@dataclass(frozen=True)
class SystemdService:
    """A service of systemd; see `Service`.

    Attributes:
        manager: Which systemd.
        unit: Name of vLLM's service.
        pause: Name of the target that pauses it.
    """

    manager: Manager
    unit: str
    pause: str
    refusal: str = ""
    pauses: bool = True
    lasts: bool = True
    held: str = ""

    @property
    def title(self) -> str:
        """Who runs it."""
        return "your systemd" if self.manager.user else "systemd"

    @property
    def user_manager(self) -> bool:
        """Whether units must be those of a user's systemd."""
        return self.manager.user

    @property
    def confines(self) -> bool:
        """Whether the unit hides parts of the file system from vLLM."""
        return self.private_users or not self.manager.user

    @cached_property
    def private_users(self) -> bool:
        """Whether a service of this systemd may have a user namespace; a user's one is asked to make such a service.

        Where it does not tell in time, what is installed stays: a busy moment must not cost vLLM its confinement.
        """
        may = may_make_user_namespaces(self.manager)
        return "\nPrivateUsers=yes\n" in (self.unit_text() or "") if may is None else may

    @property
    def unit_file(self) -> Path:
        """Where the service's file goes."""
        return self._units() / self.unit

    def state(self) -> ServiceState:
        """What systemd says of it."""
        found = self._show()
        active, sub = found.get("ActiveState", ""), found.get("SubState", "")
        if active != "deactivating" and _job(found):
            phase: Phase = "starting"  # until its turn comes it looks as it did before
        else:
            phase = "restarting" if sub == "auto-restart" else _PHASES.get(active, "stopped")
        pid = int(found.get("MainPID") or 0)
        words = [sub, f"result {found['Result']}" if found.get("Result", "success") != "success" else ""]
        return ServiceState(
            phase=phase,
            restarts=int(found.get("NRestarts") or 0),
            pid=pid or None,
            since=_on_the_clock(found.get("StateChangeTimestampMonotonic", "")),
            detail=", ".join(filter(None, words)),
            start=found.get("InvocationID", ""),
        )

    def drop_ins(self) -> list[Path]:
        """The admin's own additions to the unit, also those that systemd has not read yet."""
        read = [Path(word) for word in self._show().get("DropInPaths", "").split()]
        return list(dict.fromkeys([*read, *sorted(self._additions().glob("*.conf"))]))

    def changed_drop_ins(self) -> list[Path]:
        """Those that changed since vLLM was started, whether systemd has read them by now or not.

        A folder stands for a file that is gone.
        """
        found, candidates = self._show(), [*self.drop_ins(), self._additions()]
        started = _on_the_clock(found.get("ExecMainStartTimestampMonotonic", ""))
        if started is None:
            return []
        unread = found.get("NeedDaemonReload") == "yes" and len(candidates) > 1
        return [place for place in candidates if unread or _changed_at(place) > started]

    def bars(self, unit_text: str, pause_text: str) -> str:
        """Why this user cannot install these units; empty when they can, or need not."""
        folder = next(place for place in (self._units(), *self._units().parents) if place.exists())
        wanted = {self.unit_file: unit_text, self._units() / self.pause: pause_text}
        changed = [file for file, text in wanted.items() if _installed(file) != text]
        if not changed or os.access(folder, os.W_OK):
            return ""
        return f"it changes, and you may not write {printable(changed[0])}; apply this once as root"

    def unit_text(self) -> str | None:
        """The unit that is installed; None without one."""
        return _installed(self.unit_file)

    def pause_text(self) -> str | None:
        """The target that pauses it, as it is installed; None without one."""
        return _installed(self._units() / self.pause)

    def strays(self) -> list[Path]:
        """Services that duotune wrote for the same configuration when `serving.unit` had another name."""
        reads = f" --config {quote(str(config_file()))}\n"
        others = [file for file in sorted(self._units().glob("*.service")) if file.name != self.unit]
        texts = {file: _installed(file) or "" for file in others if file.is_file() and not file.is_symlink()}
        return [file for file, text in texts.items() if text.startswith(WRITTEN) and reads in text]

    def install(self, unit_text: str, pause_text: str) -> None:
        """Verify and write the units that differ, and let systemd read them."""
        wanted = {self.unit_file: unit_text, self._units() / self.pause: pause_text}
        changed = {file: text for file, text in wanted.items() if _installed(file) != text}
        if changed:
            self._verify(wanted)
            for file, text in changed.items():
                _write(file, text)
        if changed or self._show().get("NeedDaemonReload") == "yes":
            self._control("daemon-reload")
        if changed:
            self._control("enable", self.unit)

    def begin(self) -> None:
        """Restart without waiting; what failed before does not count against the limit of starts."""
        self._control("reset-failed", self.unit, may_fail=True)
        self._control("restart", "--no-block", self.unit)

    def stop(self) -> None:
        """Stop it, also in the middle of its start, and clear the failure that systemd makes of that."""
        if self._show().get("LoadState") == "not-found":
            return
        self._control("stop", self.unit, seconds=STOP_SECONDS)
        self._control("reset-failed", self.unit, may_fail=True)

    def log(self, lines: int, start: str = "") -> list[str]:
        """The end of the journal, where this user may read it: vLLM's lines, and systemd's about it.

        Source: systemd.journal-fields(7) for what marks the lines of one start.
        """
        unit = ["--user-unit" if self.manager.user else "--unit", self.unit]
        if not start:
            return _journal(lines, *unit)
        marked = [f"{field}={start}" for field in _FIELDS_OF_A_START]
        by_time = self._log_by_time(lines, start, unit) if self.manager.user else []
        return by_time or _journal(lines, *" + ".join(marked).split())

    def _log_by_time(self, lines: int, start: str, unit: list[str]) -> list[str]:
        """The same of a user's service, whose own lines the journal marks with the start of all of that systemd."""
        found = self._show()
        began = _on_the_clock(found.get("ExecMainStartTimestampMonotonic", ""))
        if began is None or found.get("InvocationID") != start:
            return []
        return _journal(lines, f"--since=@{began - CLOCK_SECONDS:.3f}", *unit)

    def paused(self) -> bool:
        """Whether the target that pauses it is active."""
        return self._show(self.pause).get("ActiveState") in ("active", "activating")

    def _additions(self) -> Path:
        return self._units() / f"{self.unit}.d"

    def _units(self) -> Path:
        if not self.manager.user:
            return SYSTEM_UNITS
        config = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
        return Path(config) / "systemd" / "user"

    def _show(self, unit: str = "") -> dict[str, str]:
        names = ",".join(_PROPERTIES)
        found = self._control("show", f"--property={names}", unit or self.unit, may_fail=True)
        pairs = (line.partition("=") for line in found.splitlines())
        return {name: value for name, _, value in pairs}

    def _verify(self, units: Mapping[Path, str]) -> None:
        """Ask systemd's own verifier; it only warns of unknown keys, so that a word about our units is a failure."""
        with tempfile.TemporaryDirectory() as folder:
            for file, text in units.items():
                (Path(folder) / file.name).write_text(text)
            files = [str(Path(folder) / file.name) for file in units]
            found = ended(["systemd-analyze", *self.manager.scope, "verify", "--man=no", *files])
        words = [line for line in (found.stderr if found else "").splitlines() if self._is_ours(line)]
        if words:
            raise HostError(
                f"systemd does not accept the unit: {printable(words[0])}",
                f"Nothing was changed; check {host_setting('serving.executable')}.",
            )

    def _is_ours(self, line: str) -> bool:
        return any(name in line for name in (self.unit, self.pause))

    def _control(self, *words: str, may_fail: bool = False, seconds: int = COMMAND_SECONDS) -> str:
        done = ended(["systemctl", *self.manager.scope, "--no-ask-password", *words], seconds)
        if done is None or (done.returncode != 0 and not may_fail):
            said = printable(done.stderr.strip()) if done else "it did not answer in time"
            raise HostError(f"`systemctl {' '.join(words)}` failed: {said}", "Do it as root, or see `duotune doctor`.")
        return done.stdout


def _journal(lines: int, *which: str) -> list[str]:
    found = ended(["journalctl", "--no-pager", "--quiet", "--output=cat", f"--lines={lines}", *which])
    if found is None or found.returncode != 0:
        return []
    return [printable(line) for line in found.stdout.splitlines()]


def _job(found: Mapping[str, str]) -> bool:
    return found.get("Job", "") not in ("", "0")


def _on_the_clock(monotonic_microseconds: str) -> float | None:
    if not monotonic_microseconds.isdigit() or monotonic_microseconds == "0":
        return None
    return time.time() - time.monotonic() + int(monotonic_microseconds) / 1e6


def _changed_at(place: Path) -> float:
    """When it was written, renamed or put there, in seconds since 1970; copies keep only the time of their content."""
    try:
        return place.stat().st_ctime
    except OSError:
        return 0.0


def _installed(file: Path) -> str | None:
    """Its text; bytes that are none, which only a hand can write, are replaced."""
    try:
        return file.read_text(errors="replace")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise HostError(
            f"The unit {printable(file)} cannot be read: {error.strerror}.", "Check its permissions."
        ) from error


def _write(file: Path, text: str) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_whole(file, text)
        file.chmod(0o644)
    except OSError as error:
        raise HostError(
            f"The unit {printable(file)} cannot be written: {error.strerror}.",
            "Run this once as root; later changes of adapters do not touch the unit.",
        ) from error
