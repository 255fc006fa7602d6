"""A change of what is served, carried out by the command line in a session of its own: it outlives a lost terminal.

Each has files of its own, and one is under way at a time, whichever terminal has begun it: the others follow it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from duotune.disk import alone_in, write_whole
from duotune.errors import HostError, printable
from duotune.hardware.host import user_name
from duotune.runs.lock import Owner
from duotune.serving.files import directory

READ_BYTES = 64 << 10
KEPT = 10
"""So many requests that have ended keep their files."""
SAID, ANSWER, BEGUN = "said.log", "answer.json", "begun.json"


class Begun(BaseModel):
    """What is noted of a request when it begins.

    Attributes:
        arguments: Behind `duotune serve`, such as `apply --yes --json`.
        by: Who has begun it.
        at: When, in seconds since 1970.
        child: The process that carries it out.
    """

    model_config = ConfigDict(frozen=True)

    arguments: tuple[str, ...]
    by: str
    at: float
    child: Owner


@dataclass(frozen=True)
class Ending:
    """How a request ended.

    Attributes:
        code: Its exit status; 0 is good.
        message: What was wrong; empty when nothing was.
        hint: What to do about it.
        answer: Its JSON document; empty without one.
    """

    code: int
    message: str
    hint: str
    answer: dict[str, object]


@dataclass(frozen=True)
class Request:
    """`duotune serve …`, from any terminal.

    Attributes:
        folder: Its files.
        begun: What was noted when it began.
    """

    folder: Path
    begun: Begun
    _child: subprocess.Popen[bytes] | None = field(default=None, compare=False)

    @property
    def command(self) -> str:
        """As typed in a shell."""
        return f"duotune serve {' '.join(self.begun.arguments)}"

    @property
    def is_own(self) -> bool:
        """Whether this process has begun it."""
        return self._child is not None

    @property
    def beginner(self) -> str:
        """Who has begun it and when, for another terminal; empty for one's own."""
        at = f"{datetime.fromtimestamp(self.begun.at):%H:%M}"
        return "" if self.is_own else f"begun in another terminal by {self.begun.by} at {at}"

    @property
    def seconds(self) -> float:
        """Since it began."""
        return max(0.0, time.time() - self.begun.at)

    def lines(self) -> list[str]:
        """What it has said so far, safe to print."""
        return _lines(self.folder / SAID)

    def ending(self) -> Ending | None:
        """How it ended; None while it is under way. One that keeps vLLM in its foreground has ended when it serves."""
        code = self._child.poll() if self._child is not None else None
        alive = code is None and self.begun.child.alive()
        answer = _document(self.folder / ANSWER)
        error = answer.get("error")
        found = error if isinstance(error, dict) else {}
        if alive and not (answer and "--foreground" in self.begun.arguments):
            return None
        if code is None:  # it serves, perhaps the last good deployment instead, or it is no child of this process
            code = int(found.get("exit_code", 0 if answer else 1))
        words = self.lines()
        message = str(found.get("message", "")) or (words[-1] if code and words else "")
        return Ending(code, message, str(found.get("hint", "")), answer)


def begin(arguments: Sequence[str]) -> Request:
    """Begin a request, unless one is under way: then that one.

    Args:
        arguments: Behind `duotune serve`, such as `apply --yes --json`.

    Raises:
        HostError: It cannot be started.
    """
    place = _place()
    try:
        place.mkdir(parents=True, exist_ok=True)
        with alone_in(place):
            found = _all()
            for request in found:
                if request.ending() is None:
                    return request
            for request in found[KEPT - 1 :]:
                if not request.begun.child.alive():  # one that keeps vLLM in its foreground still writes
                    shutil.rmtree(request.folder, ignore_errors=True)
            return _start(arguments, place / f"{datetime.now():%Y%m%d-%H%M%S-%f}")
    except OSError as error:
        raise HostError(
            f"`duotune serve {' '.join(arguments)}` cannot be started: {error.strerror}.",
            "Check the disk and the owner of its folder.",
        ) from error


def under_way() -> Request | None:
    """The request that is under way, whichever terminal has begun it; None when there is none."""
    return next((request for request in _all() if request.ending() is None), None)


def _place() -> Path:
    return directory() / "requests"


def _start(arguments: Sequence[str], folder: Path) -> Request:
    by = printable(user_name())  # before there is a child, which must be noted whatever else goes wrong
    folder.mkdir()
    with (folder / SAID).open("wb") as said, (folder / ANSWER).open("wb") as answer:
        child = subprocess.Popen(
            [sys.executable, "-m", "duotune", "serve", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=answer,
            stderr=said,
            start_new_session=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
    begun = Begun(arguments=tuple(arguments), by=by, at=time.time(), child=Owner.of(child.pid))
    with suppress(OSError):  # it goes on; only other terminals cannot follow it
        write_whole(folder / BEGUN, begun.model_dump_json())
    return Request(folder, begun, child)


def _all() -> list[Request]:
    """Every request that left its files, the newest first."""
    try:
        folders = sorted(_place().iterdir(), reverse=True)
    except OSError:
        return []
    return [request for folder in folders if (request := _read(folder)) is not None]


def _read(folder: Path) -> Request | None:
    try:
        return Request(folder, Begun.model_validate_json((folder / BEGUN).read_bytes()))
    except (OSError, ValidationError):
        return None


def _lines(file: Path) -> list[str]:
    try:
        with file.open("rb") as stream:
            stream.seek(max(0, file.stat().st_size - READ_BYTES))
            text = stream.read().decode(errors="replace")
    except OSError:
        return []
    return [printable(line) for line in text.splitlines()]


def _document(file: Path) -> dict[str, object]:
    """The JSON document on the last line; empty without one."""
    try:
        last = file.read_text(errors="replace").strip().rpartition("\n")[2]
        found = json.loads(last)
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
