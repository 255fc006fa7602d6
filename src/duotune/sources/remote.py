"""Talks to a remote Git repository: fetches with progress, and turns git's complaints into sentences."""

from __future__ import annotations

import os
import re
import selectors
import signal
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from duotune.errors import DuotuneError, HostError, SourceError, printable
from duotune.sources.git import git_missing
from duotune.sources.source import Progress

STALL_SECONDS = 300
"""A remote that says nothing for so long is given up."""
NOT_INHERITED = re.compile(
    r"GIT_(DIR|WORK_TREE|INDEX_FILE|OBJECT_DIRECTORY|ALTERNATE_OBJECT_DIRECTORIES|COMMON_DIR|NAMESPACE|"
    r"TRACE.*|CURL_VERBOSE|CEILING_DIRECTORIES|PREFIX)|SSH_ASKPASS"
)
PROGRESS = re.compile(r"(?:remote: )?([A-Z][a-z]+ [a-z]+): +\d+% \((\d+)/(\d+)\)")
USER_IN_URL = re.compile(r"//[^/@\s]*@")
CREDENTIALS_HINT = "Store credentials with a git credential helper or an ssh key for the account that runs duotune."

COMPLAINTS: tuple[tuple[str, type[DuotuneError], str, str], ...] = (
    (
        r"authentication failed|could not read (username|password)|permission denied|http basic: access denied"
        r"|error: 40[13]|invalid credentials",
        SourceError,
        "refuses access",
        CREDENTIALS_HINT,
    ),
    (
        r"host key verification failed",
        HostError,
        "has an ssh host key that this account does not know",
        "Check the key and add it to known_hosts (`ssh-keyscan`).",
    ),
    (
        r"not found|does not appear to be a git repository|does not exist|could not be found|error: 404",
        SourceError,
        "has no such repository, or hides it from this account",
        f"Correct `source`. {CREDENTIALS_HINT}",
    ),
    (
        r"could not resolve host|name or service not known|temporary failure in name resolution",
        HostError,
        "has a host name that cannot be resolved",
        "Check the name and this host's DNS, then try again.",
    ),
    (
        r"certificate|ssl",
        HostError,
        "has a TLS certificate that this host does not trust",
        "Add your certificate authority to the system's, or to git's `http.sslCAInfo`.",
    ),
    (
        r"no space left",
        HostError,
        "does not fit on the disk of the mirrors",
        "Free some space in duotune's directory, then try again.",
    ),
)


def fetch(directory: Path, url: str, on_progress: Progress | None) -> None:
    """Fetch all branches and tags of a URL into a bare repository; refs change only when everything is there.

    Raises:
        SourceError: The remote has no such repository, or does not let us in.
        HostError: The remote does not answer, or git is missing.
    """
    refs = ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
    options = ("--prune", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance", "--update-head-ok")
    _talk(directory, url, ("fetch", "--progress", *options, "--", url, *refs), on_progress)


def remote_head(directory: Path, url: str) -> str:
    """The remote's default branch as a full ref name, or "" when it has none.

    Raises:
        SourceError, HostError: As `fetch`.
    """
    answer = _talk(directory, url, ("ls-remote", "--symref", "--", url, "HEAD"), None)
    found = re.match(r"ref: (refs/heads/\S+)\tHEAD", answer)
    return found[1] if found else ""


def _talk(directory: Path, url: str, arguments: Sequence[str], on_progress: Progress | None) -> str:
    """Run a git command that uses the network, and return its output."""
    settings = ("-c", "core.hooksPath=/dev/null", "-c", "http.lowSpeedLimit=1000", "-c", "http.lowSpeedTime=60")
    try:
        process = subprocess.Popen(
            ["git", *settings, *arguments],
            env=_environment(directory),
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            # Without a terminal neither git nor ssh can stop to ask for a password.
            start_new_session=True,
        )
    except FileNotFoundError as error:
        raise git_missing() from error
    output, said = bytearray(), bytearray()
    try:
        for is_output, chunk in _chunks(process, url):
            (output if is_output else said).extend(chunk)
            if on_progress is not None and not is_output:
                _report(chunk, on_progress)
        if process.wait() != 0:
            raise _complaint(url, said.decode("utf-8", "replace"))
    finally:
        _end(process)
    return output.decode("utf-8", "replace")


def _end(process: subprocess.Popen[bytes]) -> None:
    """End git with its transport helpers, which are processes of their own in git's session."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for pipe in (process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()


def _environment(directory: Path) -> dict[str, str]:
    """The user's environment, whose git configuration holds proxies and credential helpers, without its traps."""
    inherited = {name: value for name, value in os.environ.items() if not NOT_INHERITED.fullmatch(name)}
    return {
        **inherited,
        "GIT_DIR": str(directory),
        "GIT_ALLOW_PROTOCOL": "https:http:ssh",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "SSH_ASKPASS_REQUIRE": "never",
        "LC_ALL": "C",
    }


def _chunks(process: subprocess.Popen[bytes], url: str) -> Iterator[tuple[bool, bytes]]:
    """What a process writes, as it comes: (whether to standard output, bytes)."""
    with selectors.DefaultSelector() as selector:
        assert process.stdout is not None
        assert process.stderr is not None
        selector.register(process.stdout, selectors.EVENT_READ, True)
        selector.register(process.stderr, selectors.EVENT_READ, False)
        while selector.get_map():
            ready = selector.select(STALL_SECONDS)
            if not ready:
                raise HostError(
                    f"{_shown(url)} has said nothing for {STALL_SECONDS} seconds.", "Check the network, then try again."
                )
            for key, _ in ready:
                chunk = os.read(key.fd, 1 << 16)
                if not chunk:
                    selector.unregister(key.fileobj)
                yield key.data, chunk


def _report(chunk: bytes, on_progress: Progress) -> None:
    for phase, done, total in PROGRESS.findall(chunk.decode("ascii", "replace"))[-1:]:
        on_progress(phase, int(done), int(total))


def _complaint(url: str, said: str) -> DuotuneError:
    lines = [line.removeprefix("remote: ") for line in re.split(r"[\r\n]+", said)]
    words = [line for line in lines if line.strip() and not PROGRESS.search(line)]
    for pattern, kind, sentence, hint in COMPLAINTS:
        if re.search(pattern, "\n".join(words).lower()):
            return kind(f"{_shown(url)} {sentence}.", hint)
    reason = USER_IN_URL.sub("//", printable(_telling(words))).rstrip(".")
    return HostError(f"{_shown(url)} cannot be fetched: {reason}.", "Check the network and the URL, then try again.")


def _telling(lines: Sequence[str]) -> str:
    """The line that says why: ssh's own, else git's first error; what follows them is advice."""
    for prefix in ("ssh: ", "error: ", "fatal: "):
        for line in lines:
            if line.startswith(prefix):
                return line.removeprefix(prefix).strip()
    return lines[-1].strip() if lines else "no reason given"


def _shown(url: str) -> str:
    return printable(USER_IN_URL.sub("//", url))
