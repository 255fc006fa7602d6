"""vLLM's YAML on disk, and the right to change it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from duotune import paths
from duotune.adapters.verify import Check
from duotune.disk import write_whole
from duotune.errors import HostError, is_full, no_space, printable
from duotune.hardware.host import user_name
from duotune.runs.lock import owner_of, try_lock


def directory() -> Path:
    """Where the configuration of what is served lies."""
    return paths.home() / "serving"


def config_file() -> Path:
    """vLLM's YAML."""
    return directory() / "vllm.yaml"


def written_config() -> str | None:
    """The YAML that is there now; None without one. Bytes that are no text, as only a hand writes, are replaced."""
    try:
        return config_file().read_text(errors="replace")
    except OSError:
        return None


def lock_file() -> Path:
    """Held by who changes what is served."""
    return directory() / "apply.lock"


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Hold the right to change what is served.

    Raises:
        HostError: Somebody else has it.
    """
    file = lock_file()
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise HostError(
            f"{printable(file.parent)} cannot be made: {error.strerror}.", "Check the owner of duotune's directory."
        ) from error
    lock = try_lock(file, note=printable(user_name()))
    if lock is None:
        owner = owner_of(file)
        who = f"{owner.note} (process {owner.pid})" if owner else "somebody else"
        raise HostError(
            f"What is served is being changed by {printable(who)}.",
            "Wait for it; `duotune serve status` shows the result.",
        )
    with lock:
        yield


def check_nobody_else() -> Iterator[Check]:
    """Whether another process changes what is served: what is looked at then is of no moment."""
    owner = owner_of(lock_file())
    if owner is not None and owner.pid != os.getpid():
        who = f"{printable(owner.note)} (process {owner.pid})"
        yield Check("apply", False, f"what is served is being changed by {who}; wait for that, and plan again")


def make_place_of_adapters() -> None:
    """Make the directory of all adapters, which the unit's view of our home needs to be there.

    Raises:
        HostError: The disk refuses.
    """
    try:
        paths.adapters().mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise HostError(
            f"{printable(paths.adapters())} cannot be made: {error.strerror}.",
            "Check the owner of duotune's directory.",
        ) from error


def write_config(text: str) -> None:
    """Replace vLLM's YAML, durably and whole; to be called by who holds the lock.

    Raises:
        HostError: The disk refuses.
    """
    file = config_file()
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_whole(file, text)
        file.chmod(0o640 if file.parent.stat().st_mode & 0o2000 else 0o644)
    except OSError as error:
        if is_full(error):
            raise no_space(file) from error
        raise HostError(
            f"{printable(file)} cannot be written: {error.strerror}.", "Check its directory's owner."
        ) from error
