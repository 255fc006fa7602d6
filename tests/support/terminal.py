"""A program on a terminal of its own, which can be taken away."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Mapping, Sequence


class Terminal:
    """Runs a command with a pseudo-terminal as its controlling terminal.

    Args:
        command: The command.
        environment: What it sees besides ours.
        ignore_hangup: As `nohup` does: SIGHUP does not reach it.
        size: Columns and rows.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str] | None = None,
        ignore_hangup: bool = False,
        size: tuple[int, int] = (80, 24),
    ) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
        self.output = b""

        def take_terminal() -> None:
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
            if ignore_hangup:
                signal.signal(signal.SIGHUP, signal.SIG_IGN)

        self.process = subprocess.Popen(
            command,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            preexec_fn=take_terminal,
            env={**os.environ, "TERM": "xterm-256color", **(environment or {})},
        )
        os.close(slave)

    def wait_for(self, text: str, seconds: float = 60) -> None:
        """Read until `text` was printed."""
        deadline = time.monotonic() + seconds
        while text.encode() not in self.output:
            assert time.monotonic() < deadline, self.output[-2000:].decode(errors="replace")
            self.read(0.2)

    def read(self, seconds: float) -> bytes:
        """What came within so many seconds, at most."""
        if not select.select([self._master], [], [], seconds)[0]:
            return b""
        with contextlib.suppress(OSError):  # it ended
            found = os.read(self._master, 1 << 16)
            self.output += found
            return found
        return b""

    def write(self, text: str) -> None:
        """Press keys."""
        os.write(self._master, text.encode())

    def drop(self) -> None:
        """Take the terminal away, as a lost connection does."""
        os.close(self._master)
        self._master = -1

    def ended(self, seconds: float = 30, meanwhile: Callable[[], object] = lambda: None) -> int:
        """Its exit status."""
        deadline = time.monotonic() + seconds
        while self.process.poll() is None:
            assert time.monotonic() < deadline, "it goes on"
            if self._master >= 0:
                self.read(0.05)
            meanwhile()
        return self.process.returncode

    def close(self) -> None:
        """End it, whatever it does."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if self._master >= 0:
            os.close(self._master)


def duotune_on_a_terminal(*arguments: str, **options: object) -> Terminal:
    """`duotune` on a terminal of its own."""
    return Terminal([sys.executable, "-m", "duotune", *arguments], **options)  # type: ignore[arg-type]
