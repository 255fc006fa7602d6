"""A change of what is served, carried out by the command line in a session of its own: it outlives a lost terminal."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from duotune.errors import HostError, printable
from duotune.serving.files import directory

READ_BYTES = 64 << 10


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


class Request:
    """`duotune serve …` under way.

    Args:
        arguments: Behind `duotune serve`, such as `apply --yes --json`.

    Raises:
        HostError: It cannot be started.
    """

    def __init__(self, arguments: Sequence[str]) -> None:
        self.command = f"duotune serve {' '.join(arguments)}"
        self.begun = time.monotonic()
        self._stays = "--foreground" in arguments
        folder = directory()
        self._said, self._result = folder / "request.log", folder / "request.json"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with self._said.open("wb") as said, self._result.open("wb") as result:
                self._child = subprocess.Popen(
                    [sys.executable, "-m", "duotune", "serve", *arguments],
                    stdin=subprocess.DEVNULL,
                    stdout=result,
                    stderr=said,
                    start_new_session=True,
                    env={**os.environ, "PYTHONUNBUFFERED": "1"},
                )
        except OSError as error:
            raise HostError(
                f"`{self.command}` cannot be started: {error.strerror}.", "Check the disk and the owner of its folder."
            ) from error

    def lines(self) -> list[str]:
        """What it has said so far, safe to print."""
        return _lines(self._said)

    def ending(self) -> Ending | None:
        """How it ended; None while it is under way. One that keeps vLLM in its foreground has ended when it serves."""
        code = self._child.poll()
        answer = _document(self._result)
        error = answer.get("error")
        found = error if isinstance(error, dict) else {}
        if code is None and not (answer and self._stays):
            return None
        if code is None:  # with an error it serves the last good deployment instead
            code = int(found.get("exit_code", 0))
        words = self.lines()
        message = str(found.get("message", "")) or (words[-1] if code and words else "")
        return Ending(code, message, str(found.get("hint", "")), answer)


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
