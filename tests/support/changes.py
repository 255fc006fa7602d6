"""Changes of what is served, halted and let go on, so that a test can look at one that is under way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress

from duotune.serving.request import Request, under_way

STOP = ("stop", "--yes", "--json")
OTHER_TERMINAL = """
import os, signal, sys
from duotune.serving.request import begin
os.kill(begin(sys.argv[1:]).begun.child.pid, signal.SIGSTOP)
"""


def halt(request: Request) -> Request:
    """Have its process do nothing for now."""
    os.kill(request.begun.child.pid, signal.SIGSTOP)
    return request


def go_on(request: Request) -> None:
    with suppress(ProcessLookupError):
        os.kill(request.begun.child.pid, signal.SIGCONT)


def begin_elsewhere(*arguments: str) -> Request:
    """A change that another terminal has begun, halted; that terminal is gone."""
    subprocess.run([sys.executable, "-c", OTHER_TERMINAL, *arguments], check=True)
    found = under_way()
    assert found is not None
    return found


def wait(request: Request) -> None:
    """Wait for its process, which is a child of this one."""
    os.waitid(os.P_PID, request.begun.child.pid, os.WEXITED | os.WNOWAIT)
