"""Waits until vLLM answers: the unit's ExecStartPost, so that `systemctl start` returns when there is something to use.

A script of its own, run as `python -I -S ready.py ADDRESS` by whoever the unit runs as: it imports nothing but the
standard library, and needs no installed duotune. It ends with 0 when `/health` says 200, and with 1 when the process
named in the environment variable MAINPID is gone. systemd's TimeoutStartSec ends it otherwise.
"""

from __future__ import annotations

import http.client
import os
import socket
import sys
import time

POLL_SECONDS = 0.5
ANSWER_SECONDS = 10.0


class _SocketConnection(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("vllm", timeout=ANSWER_SECONDS)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(ANSWER_SECONDS)
        self.sock.connect(self._path)


def healthy(address: str) -> bool:
    """Whether the server at `host:port` or `unix:/path` answers `/health` with 200."""
    if address.startswith("unix:"):
        connection: http.client.HTTPConnection = _SocketConnection(address.removeprefix("unix:"))
    else:
        host, _, port = address.rpartition(":")
        connection = http.client.HTTPConnection(host.strip("[]"), int(port), timeout=ANSWER_SECONDS)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _is_gone(pid: int) -> bool:
    """Whether that process ended; /proc does not tell, which hides it where each process has a user namespace."""
    try:
        os.kill(pid, 0)
    except OSError as error:
        return isinstance(error, ProcessLookupError)
    return False


def main(address: str, main_pid: str) -> int:
    """Wait; returns the exit status."""
    while not healthy(address):
        if main_pid and _is_gone(int(main_pid)):
            print("vLLM ended before it answered.", file=sys.stderr)
            return 1
        time.sleep(POLL_SECONDS)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], os.environ.get("MAINPID", "")))
