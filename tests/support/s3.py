"""An S3 server on this machine, spoken to over real HTTP."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer


class S3Server:
    """A moto server whose objects outlive a stop and a start.

    Attributes:
        url: Its endpoint while it runs.
    """

    def __init__(self) -> None:
        self.start()

    def start(self) -> None:
        """Listen on a free port."""
        self._server: Any = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        self._server.start()
        host, port = self._server.get_host_and_port()
        self.url = f"http://{host}:{port}"
        self._client: Any = None

    def stop(self) -> None:
        """Answer no more."""
        self._server.stop()

    def client(self) -> Any:
        """A client of it."""
        self._client = self._client or boto3.client("s3", endpoint_url=self.url)
        return self._client

    def empty(self) -> None:
        """Forget all buckets."""
        from moto.backends import get_backend

        get_backend("s3").reset()


def lead_to(server: S3Server, monkeypatch: pytest.MonkeyPatch, bucket: str) -> None:
    """Empty the server, make one bucket, and set an environment that leads to it."""
    set_keys(monkeypatch)
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
    server.empty()
    server.client().create_bucket(Bucket=bucket)


def set_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys in the environment, no files, and no patience."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_MAX_ATTEMPTS": "1",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_PROFILE", raising=False)


@contextmanager
def refusing_server(status: int, code: str) -> Iterator[str]:
    """A server that answers every request with one S3 error; yields its endpoint."""

    class Refusal(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"  # answers `Expect: 100-continue`, for which clients wait a second otherwise

        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            body = f"<Error><Code>{code}</Code><Message>no</Message></Error>".encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_PUT = do_HEAD = do_DELETE = do_POST = answer

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Refusal)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
