"""A real terminal: tmux, driven by keys and read as a person reads it."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import time
import uuid
from collections.abc import Mapping, Sequence

ABSENT = "" if shutil.which("tmux") else "tmux is not installed"


class Tmux:
    """A program in a tmux of its own; a context manager, which ends both.

    Args:
        command: The program.
        environment: What it sees besides ours.
        size: Columns and rows.
    """

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str] | None = None, size: tuple[int, int] = (80, 24)
    ) -> None:
        self._socket = f"duotune-{uuid.uuid4().hex[:8]}"
        self._command, self._size = command, size
        self._environment = {**os.environ, "LC_ALL": "C.UTF-8", **(environment or {})}

    def __enter__(self) -> Tmux:
        columns, rows = map(str, self._size)
        words = f"{shlex.join(self._command)}; echo ended with $?; exec sleep 600"
        self._tmux("new-session", "-d", "-x", columns, "-y", rows, words)
        return self

    def __exit__(self, *_: object) -> None:
        self._tmux("kill-server", check=False)

    @property
    def text(self) -> str:
        """What stands on the screen now."""
        return self._tmux("capture-pane", "-p")

    def press(self, *keys: str) -> None:
        """Press keys, by tmux's names."""
        for key in keys:
            self._tmux("send-keys", key)
            time.sleep(0.2)  # as a person does: tmux would hand on what came at once as one escape sequence

    def type(self, text: str) -> None:
        """Type literally."""
        self._tmux("send-keys", "-l", text)

    def wait_for(self, *wanted: str, seconds: float = 60) -> str:
        """Wait until all of these stand on the screen; returns it."""
        deadline = time.monotonic() + seconds
        while not all(one in (text := self.text) for one in wanted):
            assert time.monotonic() < deadline, f"{wanted} never came:\n{text}"
            time.sleep(0.2)
        return text

    def _tmux(self, *arguments: str, check: bool = True) -> str:
        done = subprocess.run(
            ["tmux", "-L", self._socket, "-f", "/dev/null", *arguments],
            capture_output=True,
            text=True,
            check=check,
            env=self._environment,
        )
        return done.stdout
