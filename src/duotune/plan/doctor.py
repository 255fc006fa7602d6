"""What `duotune doctor` looks at: the host itself, before any run or deployment is planned."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import stat
import subprocess
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from duotune import paths
from duotune.adapters.verify import Check
from duotune.config.host import HostConfig, host_setting
from duotune.errors import DuotuneError, printable
from duotune.hardware.gpu import driver, visible_gpus
from duotune.hardware.host import disk_free_bytes, read_host
from duotune.plan.checks import device_check
from duotune.serving.checks import check_service
from duotune.serving.systemd import find_service
from duotune.storage.locations import open_storage

LEAST_FREE_BYTES = 10 * 10**9
"""A run of default settings keeps a few gigabytes of parts, datasets and checkpoints."""
CLOCK_SECONDS = 10


def look_around(host: HostConfig) -> list[Check]:
    """All that a run or a deployment needs of this host, each with what to do where it is missing; changes nothing.

    Args:
        host: The host's settings.
    """
    found = visible_gpus()
    device = device_check(next(iter(found), None), read_host().cores)
    hint = "" if found else "; with a GPU, install NVIDIA's driver and look at CUDA_VISIBLE_DEVICES"
    return [
        Check("device", True, device.detail + hint, warning=device.status == "warning"),
        *_driver(bool(found)),
        _torch(bool(found)),
        _program("git", "reads Git repositories", needed=True),
        *([_program("cc", "compiles kernels for vLLM", needed=False)] if found else []),
        _home(),
        _disk(),
        *_places(host),
        *_clock(),
        *check_service(host.serving, find_service(host.serving)),
    ]


def _driver(gpu: bool) -> Iterator[Check]:
    known = driver()
    if known:
        yield Check("driver", True, f"{known[0]}, runs CUDA up to {known[1]}")
    elif gpu:
        yield Check("driver", True, "it does not tell its version", warning=True)


def _torch(gpu: bool) -> Check:
    """Which build of torch is installed, read from its files: importing it takes seconds."""
    spec = find_spec("torch")
    try:
        number = version("torch")
    except PackageNotFoundError:
        return Check("torch", False, "it is not installed; install duotune again by constraints.txt")
    file = Path(str(spec.origin)).with_name("version.py") if spec and spec.origin else None
    text = file.read_text() if file and file.is_file() else ""
    cuda = re.search(r"^cuda.*= *'([0-9.]+)'", text, re.MULTILINE)
    build = f"for CUDA {cuda[1]}" if cuda else "for CPUs"
    if gpu and not cuda:
        return Check("torch", False, f"{number} is a build {build}; install the CUDA build of the same version")
    return Check("torch", True, f"{number} {build}")


def _program(name: str, why: str, needed: bool) -> Check:
    where = shutil.which(name)
    if where:
        return Check(name, True, where)
    return Check(name, not needed, f"it {why} and is not on this host; install it", warning=not needed)


def _home() -> Check:
    """Whether state can be kept, and by whom it can be read."""
    home = paths.home()
    existing = next(path for path in (home, *home.parents) if path.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        words = f"{printable(existing)} cannot be written by you; set DUOTUNE_HOME, or ask to be in the group duotune"
        return Check("permissions", False, words)
    if existing == home and stat.S_IMODE(home.stat().st_mode) & stat.S_IRWXO:
        command = f"chmod o= {shlex.quote(printable(home))}"
        words = f"{printable(home)} is open to every user of this host, and holds code; run `{command}`"
        return Check("permissions", True, words, warning=True)
    return Check("permissions", True, f"{printable(home)} is yours or your group's")


def _disk() -> Check:
    free = disk_free_bytes(paths.home())
    short = free < LEAST_FREE_BYTES
    hint = "; a run may not fit: free some, or set DUOTUNE_HOME to a larger disk" if short else ""
    return Check("disk", True, f"{free / 1e9:.1f} GB free for {printable(paths.home())}{hint}", warning=short)


def _places(host: HostConfig) -> Iterator[Check]:
    """Whether the places that runs use by default can be written, S3 with the keys of here."""
    places = (("data location", host.defaults.data_location), ("adapter location", host.defaults.adapter_location))
    for name, location in places:
        if not location:
            continue
        try:
            open_storage(location).check_writable()
        except DuotuneError as error:
            own = host_setting(f"defaults.{name.replace(' ', '_')}")
            yield Check(name, False, f"{error.message} {error.hint} It is set as {own}.")
        else:
            yield Check(name, True, f"{printable(location)} is writable")


def _clock() -> Iterator[Check]:
    """Whether the clock is kept right, where systemd knows: S3 refuses requests that are a quarter of an hour off."""
    command = shutil.which("timedatectl")
    if command is None:
        return
    try:
        asked = [command, "show", "--property=NTPSynchronized", "--value"]
        done = subprocess.run(asked, capture_output=True, text=True, timeout=CLOCK_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return
    if done.stdout.strip() == "yes":
        yield Check("clock", True, "kept right by a time server")
    elif done.stdout.strip() == "no":
        words = "no time server keeps it right; run `timedatectl set-ntp true`, since S3 refuses a clock that is off"
        yield Check("clock", True, words, warning=True)
