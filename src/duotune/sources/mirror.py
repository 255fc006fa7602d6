"""Keeps a bare mirror of each remote repository.

The URL, and so any name in it, stays out of the mirror's configuration; secrets come from git's credential helpers or
ssh keys alone.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from duotune import paths
from duotune.config.resolve import is_remote
from duotune.errors import HostError, SourceError, printable
from duotune.sources.git import GitDirectory, neutral_environment, run_git
from duotune.sources.remote import fetch, remote_head
from duotune.sources.source import Progress

SCHEMES = ("https", "http", "ssh")
HELPER = re.compile(r"\w+::")
TOKEN_AS_USER = re.compile(r"(gl[a-z]+-|gh[a-z]_|github_pat_).*|(?=.*\d)(?=.*[A-Za-z])[\w-]{20,}")
FULL_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


def needs_mirror(source: str) -> bool:
    """Whether a source is an address that needs the network, checked for what duotune does not accept.

    Raises:
        SourceError: The URL holds a password, or asks for a transport that can run programs.
    """
    if not is_remote(source):
        return False
    scheme, separator, _ = source.partition("://")
    if not separator:
        if HELPER.match(source):
            raise _unknown_transport(source)
        return True
    if scheme.lower() == "file":
        return False
    if scheme.lower() not in SCHEMES:
        raise _unknown_transport(source)
    try:
        parts = urlsplit(source)
        host, user, password = parts.hostname, parts.username or "", parts.password
    except ValueError as error:
        raise SourceError("The project's Git URL is malformed.", "Correct `source`.") from error
    if password is not None or TOKEN_AS_USER.fullmatch(user):
        raise SourceError(
            f"The Git URL of {printable(host)} holds a password or token, which would end up in configs and logs.",
            "Take it out of the URL and store it with a git credential helper (`git help credentials`).",
        )
    if not host or host.startswith("-"):
        raise SourceError(f"{printable(source)} names no host.", "Correct `source`.")
    return True


def update_mirror(url: str, ref: str, on_progress: Progress | None) -> GitDirectory:
    """Bring the mirror of a URL up to date, unless `ref` is a full commit id that it already has.

    Raises:
        SourceError: The remote has no such repository, or does not let us in.
        HostError: The remote does not answer, or git is missing.
    """
    directory = paths.mirrors() / f"{hashlib.sha256(url.encode('utf-8', 'surrogateescape')).hexdigest()[:32]}.git"
    try:
        with _locked(directory):
            if FULL_COMMIT.fullmatch(ref) and _has_commit(directory, ref):
                return GitDirectory(directory, directory)
            _initialise(directory)
            fetch(directory, url, on_progress)
            _point_head(directory, remote_head(directory, url))
    except OSError as error:
        raise HostError(
            f"The mirror {printable(directory)} cannot be written: {error.strerror}.",
            "Check free space and permissions of duotune's directory.",
        ) from error
    return GitDirectory(directory, directory)


@contextmanager
def _locked(directory: Path) -> Iterator[None]:
    """Hold the mirror for one process."""
    directory.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(directory.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _has_commit(directory: Path, commit: str) -> bool:
    if not directory.is_dir():
        return False
    answer = run_git(("cat-file", "-e", f"{commit}^{{tree}}"), neutral_environment(directory))
    return answer.returncode == 0


def _initialise(directory: Path) -> None:
    """Make the bare repository; again over one that was cut short, which git allows.

    The caller holds the mirror, so a lock file of git's in it was left by a process that was killed.
    """
    for left in (*directory.glob("*.lock"), *directory.glob("refs/**/*.lock")):
        left.unlink(missing_ok=True)
    answer = run_git(("init", "--quiet", "--bare", "--template=", str(directory)), neutral_environment())
    if answer.returncode != 0:
        raise HostError(
            f"The mirror {printable(directory)} cannot be made: {printable(answer.stderr.decode('utf-8', 'replace'))}.",
            "Check free space and permissions of duotune's directory.",
        )


def _point_head(directory: Path, branch: str) -> None:
    """Let HEAD name the remote's default branch; a remote without one keeps what the mirror has."""
    if branch:
        run_git(("symbolic-ref", "HEAD", branch), neutral_environment(directory))


def _unknown_transport(source: str) -> SourceError:
    return SourceError(
        f"{printable(source.partition(':')[0])} is not a transport that duotune uses for Git.",
        "Use https://, ssh://, http://, file:// or a path.",
    )
