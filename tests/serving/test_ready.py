"""The unit's readiness probe, run as systemd runs it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from duotune.serving import ready
from support.serving import free_port


class Loading(BaseHTTPRequestHandler):
    """Healthy from the third request on."""

    asked = 0

    def log_message(self, *args: object) -> None:
        return

    def do_GET(self) -> None:
        type(self).asked += 1
        self.send_response(200 if self.asked > 2 else 503)
        self.send_header("content-length", "0")
        self.end_headers()


def script(address: str, main_pid: int) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-I", "-S", ready.__file__, address],
        env={**os.environ, "MAINPID": str(main_pid)},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_it_waits_until_health_is_good() -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Loading)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    done = script(f"127.0.0.1:{server.server_port}", os.getpid())
    server.shutdown()
    server.server_close()
    assert done.returncode == 0, done.stderr
    assert Loading.asked == 3


@pytest.mark.parametrize("address", ["unix:{folder}/none.sock", "127.0.0.1:{port}"])
def test_it_gives_up_when_the_server_is_gone(address: str, tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    done = script(address.format(folder=tmp_path, port=free_port()), gone.pid)
    assert done.returncode == 1
    assert "ended before it answered" in done.stderr
