"""Real Git repositories, and a real git server, for tests."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

AUTHOR = {
    "GIT_AUTHOR_NAME": "A",
    "GIT_AUTHOR_EMAIL": "a@example.com",
    "GIT_AUTHOR_DATE": "2024-01-01T00:00:00Z",
    "GIT_COMMITTER_NAME": "A",
    "GIT_COMMITTER_EMAIL": "a@example.com",
    "GIT_COMMITTER_DATE": "2024-01-01T00:00:00Z",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
}


def git(repository: Path, *arguments: str, **environment: str) -> str:
    """Run git in a repository and return what it prints, without the last newline."""
    answer = subprocess.run(
        ["git", "-C", str(repository), *arguments],
        env={**os.environ, **AUTHOR, **environment},
        check=True,
        capture_output=True,
    )
    return answer.stdout.decode("utf-8", "surrogateescape").rstrip("\n")


def commit_files(repository: Path, files: Mapping[str, bytes], message: str = "change") -> str:
    """Write files into a work tree, commit everything, and return the commit."""
    for name, content in files.items():
        file = Path(os.fsdecode(os.fsencode(repository) + b"/" + name.encode("utf-8", "surrogateescape")))
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    git(repository, "add", "--all", "--force")
    git(repository, "commit", "--quiet", "--allow-empty", "--message", message)
    return git(repository, "rev-parse", "HEAD")


def make_repository(path: Path, files: Mapping[str, bytes], object_format: str = "sha1") -> str:
    """Make a Git repository with one commit on `main` that holds the files, and return the commit."""
    path.mkdir(parents=True, exist_ok=True)
    git(path, "init", "--quiet", "--initial-branch=main", f"--object-format={object_format}", "--template=")
    return commit_files(path, files, "first")


@contextmanager
def serve_repositories(root: Path, password: str = "") -> Iterator[str]:
    """Serve the repositories below a folder over HTTP by git's own backend; yields the URL of the folder.

    Args:
        root: Each repository below it is `URL/name` (or `URL/name/.git`).
        password: When given, only this one, of any user, is let in.
    """
    handler = type("Handler", (_Backend,), {"root": root, "password": password})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Backend(BaseHTTPRequestHandler):
    """Hands each request to `git http-backend` by the CGI protocol."""

    root: Path
    password: str

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers.get("Content-Length") or 0)))

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the base class names it so
        """Keep the tests' output clean."""

    def _answer(self, body: bytes) -> None:
        if self.password and not self._let_in():
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="test"')
            self.end_headers()
            return
        path, _, query = self.path.partition("?")
        environment = {
            **os.environ,
            **AUTHOR,
            "GIT_PROJECT_ROOT": str(self.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "REQUEST_METHOD": self.command,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "REMOTE_ADDR": "127.0.0.1",
        }
        answer = subprocess.run(["git", "http-backend"], input=body, env=environment, capture_output=True, check=False)
        head, _, content = answer.stdout.partition(b"\r\n\r\n")
        headers = [line.split(": ", 1) for line in head.decode("ascii").split("\r\n") if line]
        status = next((value for name, value in headers if name == "Status"), "200 OK")
        self.send_response(int(status.split()[0]))
        for name, value in headers:
            if name != "Status":
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _let_in(self) -> bool:
        from base64 import b64decode

        kind, _, encoded = self.headers.get("Authorization", "").partition(" ")
        return kind == "Basic" and b64decode(encoded).decode().partition(":")[2] == self.password
