"""The system install: a group whose members share one home and one vLLM on this host; made by root, once."""

from __future__ import annotations

import grp
import os
import pwd
import shutil
import string
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from duotune import paths
from duotune.config.host import ServingConfig, host_setting
from duotune.errors import HostError, UsageError, printable
from duotune.serving import unit
from duotune.serving.files import config_file
from duotune.serving.systemd import SystemdService, find_service

USER = unit.GROUP
HOME_MODE = 0o2770
"""Members work in it; what is made in it belongs to the group, and nobody else sees it."""
POLKIT_RULE = Path("/etc/polkit-1/rules.d/60-duotune.rules")
_TEMPLATE = Path(__file__).parent.parent / "assets" / "polkit.rules.template"
_COMMAND_SECONDS = 60


@dataclass(frozen=True)
class Step:
    """One thing that the install sees to.

    Attributes:
        what: For a person.
        change: What was done, or would be; empty when it was so already.
        left_out: Why it was passed over; empty when it was not.
    """

    what: str
    change: str = ""
    left_out: str = ""


def install(serving: ServingConfig, dry_run: bool = False) -> Iterator[Step]:
    """Make this host a system install, step by step; what is there already stays.

    Args:
        serving: The host's settings, for the unit.
        dry_run: Change nothing, and tell what would be.

    Raises:
        HostError: This is not root, or the machine refuses.
        UsageError: The environment leads to another home.
    """
    if os.environ.get("DUOTUNE_HOME", str(paths.SYSTEM_HOME)) != str(paths.SYSTEM_HOME):
        raise UsageError(f"DUOTUNE_HOME leads to another home than {paths.SYSTEM_HOME}.", "Unset it, and repeat.")
    if os.geteuid() != 0 and not dry_run:
        raise HostError("The system install needs root.", "Repeat it with sudo, or add --dry-run to see what it does.")
    act = _Acting(dry_run)
    yield act.unless(_group_is_there(), f"group {unit.GROUP}", _make_group)
    yield act.unless(_user_is_there(), f"user {USER}", _make_user)
    yield act.unless(_home_is_there(), f"{paths.SYSTEM_HOME}, {HOME_MODE:o} {USER}:{unit.GROUP}", _make_home)
    settings = paths.SYSTEM_HOST_CONFIG.parent
    yield act.unless(settings.is_dir(), str(settings), lambda: settings.mkdir(mode=0o755))
    yield _polkit(act, serving)
    yield _units(act, serving)


@dataclass(frozen=True)
class _Acting:
    dry_run: bool

    def unless(self, there: bool, what: str, do: Callable[[], None]) -> Step:
        """Do it unless it is so already, or nothing shall be changed."""
        if there:
            return Step(what)
        if not self.dry_run:
            try:
                do()
            except OSError as error:
                raise HostError(
                    f"{what} cannot be made: {error.strerror}.", "Repeat it when this is mended."
                ) from error
        return Step(what, change="would be made" if self.dry_run else "made")


def _group_is_there() -> bool:
    return any(group.gr_name == unit.GROUP for group in grp.getgrall())


def _user_is_there() -> bool:
    return any(user.pw_name == USER for user in pwd.getpwall())


def _home_is_there() -> bool:
    if not (paths.SYSTEM_HOME.is_dir() and _group_is_there() and _user_is_there()):
        return False
    found = paths.SYSTEM_HOME.stat()
    ours = (found.st_uid, found.st_gid) == (pwd.getpwnam(USER).pw_uid, grp.getgrnam(unit.GROUP).gr_gid)
    return ours and found.st_mode & 0o7777 == HOME_MODE


def _make_group() -> None:
    _run("groupadd", "--system", unit.GROUP)


def _make_user() -> None:
    nologin = shutil.which("nologin") or "/usr/sbin/nologin"
    home = str(paths.SYSTEM_HOME)
    _run("useradd", "--system", "--gid", unit.GROUP, "--home-dir", home, "--no-create-home", "--shell", nologin, USER)


def _make_home() -> None:
    paths.SYSTEM_HOME.mkdir(parents=True, exist_ok=True)
    shutil.chown(paths.SYSTEM_HOME, USER, unit.GROUP)
    paths.SYSTEM_HOME.chmod(HOME_MODE)


def _polkit(act: _Acting, serving: ServingConfig) -> Step:
    what = f"polkit rule {POLKIT_RULE}"
    if not POLKIT_RULE.parent.is_dir():
        return Step(what, left_out="polkit is not installed, so that only root can start and stop vLLM")
    template = string.Template(_TEMPLATE.read_text())
    text = template.substitute(unit=serving.unit, group=unit.GROUP)

    def write() -> None:
        POLKIT_RULE.write_text(text)
        POLKIT_RULE.chmod(0o644)

    try:
        there = POLKIT_RULE.read_text() == text
    except OSError:
        there = False
    return act.unless(there, what, write)


def _units(act: _Acting, serving: ServingConfig) -> Step:
    what = f"unit {serving.unit}"
    service = find_service(serving)
    if not isinstance(service, SystemdService):
        return Step(what, left_out=f"{service.refusal or service.title}; `duotune serve apply --foreground` runs vLLM")
    if service.unit_text() is not None:
        return Step(what)  # `duotune serve apply` compares it with what it should be
    if shutil.which(serving.executable) is None:
        command = printable(serving.executable)
        own = host_setting("serving.executable", "/opt/vllm/bin/vllm")
        left_out = f"vLLM's command {command} is not on this host; set its full path, such as {own}, and repeat this"
        return Step(what, left_out=left_out)
    pause = unit.render_pause(serving)
    return act.unless(
        False,
        what,
        lambda: service.install(unit.render(config_file(), serving, private_users=service.private_users), pause),
    )


def _run(*command: str) -> None:
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=_COMMAND_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise HostError(f"`{' '.join(command)}` failed: {printable(error)}.", "Do it by hand, and repeat.") from error
    if done.returncode != 0:
        raise HostError(
            f"`{' '.join(command)}` failed: {printable(done.stderr.strip())}.", "Do it by hand, and repeat this."
        )
