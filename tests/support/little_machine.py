"""A machine of its own with the real systemd as process 1, in namespaces that end with it and leave nothing behind.

Its root file system is the host's; `/etc` and `/var` are overlays that last over a reboot, `/run` and `/tmp` do not,
and `/srv` is a folder shared with the test. D-Bus, polkit and a user's systemd are there where the host has them. The
network is the host's.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

BOOT = Path(__file__).with_name("little_machine.sh")
UNITS = Path("/usr/lib/systemd/system")
START_SECONDS = 60
STOP_SECONDS = 60
COMMAND_SECONDS = 900
_NAMESPACES = ("--mount", "--pid", "--fork", "--mount-proc", "--uts", "--ipc", "--cgroup", "--kill-child")
# What a service needs to be started, ordered and stopped as on a real machine; the host's own services stay out.
_WANTED_UNITS = (
    "basic.target",
    "dbus.service",
    "dbus.socket",
    "final.target",
    "local-fs.target",
    "local-fs-pre.target",
    "multi-user.target",
    "network.target",
    "network-online.target",
    "network-pre.target",
    "paths.target",
    "polkit.service",
    "poweroff.target",
    "reboot.target",
    "remote-fs.target",
    "shutdown.target",
    "slices.target",
    "sockets.target",
    "swap.target",
    "sysinit.target",
    "systemd-journald.service",
    "systemd-journald.socket",
    "systemd-poweroff.service",
    "systemd-reboot.service",
    "timers.target",
    "umount.target",
    "user.slice",
    "user@.service",
    "user-runtime-dir@.service",
)


def why_not(folder: Path) -> str:
    """Why no such machine can be had here; empty when it can.

    Args:
        folder: Where its disk would lie.
    """
    if os.geteuid() != 0:
        return "starting systemd in namespaces needs root"
    for command in ("systemctl", "unshare", "nsenter", "setpriv"):
        if shutil.which(command) is None:
            return f"{command} is not installed"
    if not (UNITS / "basic.target").exists():
        return "systemd's own units are not installed"
    if _cgroups() is None:
        return "there is no cgroup2 file system that can be written"
    hidden = [place for place in (Path(sys.prefix), BOOT) if Path("/tmp") in place.resolve().parents]
    if hidden:
        return f"{hidden[0]} lies in /tmp, which services with a /tmp of their own cannot see"
    probe = folder / "probe"
    for name in ("lower", "upper", "work"):
        (probe / name).mkdir(parents=True, exist_ok=True)
    options = f"lowerdir={probe}/lower,upperdir={probe}/upper,workdir={probe}/work"
    mount = ["mount", "-t", "overlay", "overlay", "-o", options, str(probe / "lower")]
    done = subprocess.run(["unshare", *_NAMESPACES, "--", *mount], capture_output=True, text=True)
    return "" if done.returncode == 0 else f"the kernel refuses namespaces or overlays: {done.stderr.strip()}"


class LittleMachine:
    """A machine; a context manager, which ends it.

    Args:
        folder: Holds its disk, which a machine before may have written; it must not be below `/etc` or `/var`.
        needed: Programs that services shall be able to start wherever they lie, besides the Python of these tests.
    """

    def __init__(self, folder: Path, needed: Sequence[Path] = ()) -> None:
        self._disk = folder
        self._closed = _closed_parents([Path(sys.executable), BOOT, *needed])
        self._process: subprocess.Popen[bytes] | None = None
        self._cgroup: Path | None = None
        for name in ("etc", "var", "work-etc", "work-var", "units", "empty", "shared"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        self.shared.chmod(0o755)
        if not any((folder / "units").iterdir()):
            _copy_units(folder / "units")

    def __enter__(self) -> LittleMachine:
        self.boot()
        return self

    def __exit__(self, *_: object) -> None:
        self.lose_power()

    @property
    def shared(self) -> Path:
        """The folder that the machine sees as `/srv`."""
        return self._disk / "shared"

    def boot(self) -> None:
        """Start it, and wait until systemd has started everything."""
        above = _cgroups()
        assert above is not None
        cgroup = self._cgroup = above / f"duotune-test-{os.getpid()}-{time.monotonic_ns()}"
        cgroup.mkdir()
        entering = f'echo $$ > "{cgroup}/cgroup.procs" && exec "$@"'
        command = ["unshare", *_NAMESPACES, "--", "sh", str(BOOT), str(self._disk), *map(str, self._closed)]
        with (self._disk / "boot.log").open("ab") as log:
            self._process = subprocess.Popen(
                ["sh", "-c", entering, "sh", *command], stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        self.wait_for(self._is_up, START_SECONDS)

    def lose_power(self) -> None:
        """End it at once, as a power cut does; nothing of it stays on the host but its disk."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()  # which kills its process 1, and so every process of the machine
            process.wait()
        cgroup, self._cgroup = self._cgroup, None
        if cgroup is not None:
            _remove(cgroup)

    def shut_down(self) -> None:
        """Let systemd stop everything."""
        assert self._process is not None
        self.check("systemctl", "--no-block", "reboot")
        self._process.wait(STOP_SECONDS)
        self.lose_power()

    def reboot(self) -> None:
        """Let systemd stop everything, and start it again from the same disk."""
        self.shut_down()
        self.boot()

    def run(
        self, *command: str | Path, user: str = "", environment: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in it, as root or as a user with their groups."""
        return subprocess.run(
            self._entered(command, user, environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
        )

    def start(self, *command: str | Path, environment: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
        """Run a command as root beside what follows; the machine's end ends it."""
        pipe, entered = subprocess.PIPE, self._entered(command, "", environment)
        return subprocess.Popen(entered, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, text=True)

    def check(self, *command: str | Path, user: str = "", environment: Mapping[str, str] | None = None) -> str:
        """Run a command that must succeed; returns its standard output.

        Raises:
            AssertionError: It did not; with what it said.
        """
        done = self.run(*command, user=user, environment=environment)
        assert done.returncode == 0, f"{' '.join(map(str, command))}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    def property(self, unit: str, name: str) -> str:
        """What systemd says of a unit."""
        return self.check("systemctl", "show", "--value", f"--property={name}", unit).strip()

    def write(self, file: str, text: str, mode: int = 0o644) -> None:
        """Write a file of the machine."""
        script = 'mkdir -p "$(dirname "$1")" && cat > "$1" && chmod "$2" "$1"'
        command = self._entered(("sh", "-c", script, "sh", file, f"{mode:o}"), "", None)
        subprocess.run(command, input=text, text=True, check=True)

    def wait_for(self, what: Callable[[], bool], seconds: float = 60) -> None:
        """Wait until something is so.

        Raises:
            AssertionError: It did not come to be; with the end of the journal.
        """
        deadline = time.monotonic() + seconds
        while not what():
            if time.monotonic() > deadline:
                raise AssertionError(f"not within {seconds} seconds:\n{self._last_words()}")
            time.sleep(0.1)

    def _entered(self, command: tuple[str | Path, ...], user: str, environment: Mapping[str, str] | None) -> list[str]:
        entering = ["nsenter", "-t", str(self._init()), "-m", "-p", "-u", "-i", "-C", "--"]
        as_user = ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups", "--"] if user else []
        variables = {"PATH": os.environ["PATH"], "HOME": "/var/lib/little-home", **(environment or {})}
        given = [f"{name}={value}" for name, value in variables.items()]
        return [*entering, *as_user, "env", "-i", "-C", "/srv", *given, *map(str, command)]

    def _init(self) -> int:
        """Process 1, as the host numbers it."""
        assert self._process is not None, "the machine is off"
        pid = self._process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        assert children, f"the machine has ended:\n{(self._disk / 'boot.log').read_text()}"
        return int(children[0])

    def _is_up(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self._disk / "boot.log").read_text()
        with contextlib.suppress(AssertionError):
            return self.run("systemctl", "is-system-running").stdout.strip() in ("running", "degraded")
        return False

    def _last_words(self) -> str:
        return self.run("journalctl", "--no-pager", "--lines=80").stdout


def _copy_units(target: Path) -> None:
    for name in _WANTED_UNITS:
        if (UNITS / name).exists():
            shutil.copy(UNITS / name, target / name)
    (target / "default.target").symlink_to("multi-user.target")
    wants = target / "sockets.target.wants"
    wants.mkdir()
    for name in ("dbus.socket", "systemd-journald.socket"):
        (wants / name).symlink_to(UNITS / name)


def _closed_parents(files: Sequence[Path]) -> list[Path]:
    """Folders on the way to some files that other users may not enter, the outer ones first."""
    places = {place for file in files for way in (file, file.resolve()) for place in way.parents}
    return sorted(place for place in places if not place.stat().st_mode & 0o001)


def _cgroups() -> Path | None:
    """This process's own group in the unified hierarchy; None when none can be made below it."""
    mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    roots = [Path(words[1]) for words in mounts if words[2] == "cgroup2" and "rw" in words[3].split(",")]
    own = [line.partition("::")[2] for line in Path("/proc/self/cgroup").read_text().splitlines() if "0::" in line]
    return roots[0] / own[0].lstrip("/") if roots and own else None


def _remove(cgroup: Path) -> None:
    """Remove a control group whose processes are dying."""
    deadline = time.monotonic() + STOP_SECONDS
    for below in sorted(_tree(cgroup), key=lambda path: len(path.parts), reverse=True):
        while below.exists():
            try:
                below.rmdir()
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)


def _tree(cgroup: Path) -> Iterator[Path]:
    for folder, _, _ in os.walk(cgroup):
        yield Path(folder)
