"""The unix socket that vLLM listens on: whether it can be made where the settings say, and room for it."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

from duotune.config.host import host_setting
from duotune.errors import HostError, printable

LONGEST_BYTES = 107
"""Source: unix(7), `sun_path` with its closing zero byte."""


def obstacle(path: Path) -> str:
    """Why no socket can be made there, as the end of a sentence that begins with the path; empty when one can."""
    if len(os.fsencode(path)) > LONGEST_BYTES:
        return f"is longer than the {LONGEST_BYTES} bytes that a socket's path may have"
    try:
        mode = path.lstat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        pass
    except OSError as error:
        return f"cannot be looked at: {error.strerror}"
    else:
        return "" if stat.S_ISSOCK(mode) else "is there already and no socket; name a place where there is nothing"
    above = next(place for place in path.parents if os.path.lexists(place))
    if not above.is_dir():
        return f"cannot be made, since {printable(above)} is no directory"
    if above == Path("/proc") or Path("/proc") in above.parents or Path("/sys") in (above, *above.parents):
        return f"cannot be made in {printable(above)}, which is the kernel's"
    return ""


def make_room(path: Path) -> None:
    """Make the directory of a socket, and remove what a server that died left there, which would break `bind`.

    Raises:
        HostError: Somebody listens there, or no socket can be made there.
    """
    why, own = obstacle(path), host_setting("serving.listen")
    if why:
        raise HostError(f"{printable(path)} {why}.", f"Change {own}.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
        if _listens(path):
            raise HostError(f"Somebody listens at {printable(path)} already.", f"Stop that server, or change {own}.")
        path.unlink(missing_ok=True)  # seen to be a socket
    except OSError as error:
        raise HostError(f"No socket can be made at {printable(path)}: {error.strerror}.", f"Change {own}.") from error


def clear(path: Path) -> None:
    """Remove the socket of a server that has ended; what is not that stays."""
    try:
        if stat.S_ISSOCK(path.lstat().st_mode) and not _listens(path):
            path.unlink(missing_ok=True)
    except OSError:
        return


def _listens(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except (FileNotFoundError, ConnectionRefusedError):
            return False
    return True
