"""Runs git so that nothing which a repository configures is ever executed.

A repository's own configuration can name programs (`core.fsmonitor`, `core.sshCommand`, `uploadpack` of a promisor
remote, filters, hooks, aliases). Objects are therefore read through a *shadow*: a temporary bare git directory with a
configuration of ours, whose `refs` and `objects` are links to the repository's. Git never sees the original
configuration, attributes or hooks, asks nobody for missing objects, and has no reason to doubt the ownership.
"""

from __future__ import annotations

import contextlib
import os
import platform
import re
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from duotune import paths
from duotune.errors import HostError, SourceError, is_full, no_space, printable

TIMEOUT_SECONDS = 120
KEPT_VARIABLES = ("PATH", "LD_LIBRARY_PATH", "TMPDIR")


@dataclass(frozen=True)
class GitDirectory:
    """Where a repository keeps its things.

    Attributes:
        own: Holds HEAD; differs from `common` in a linked work tree.
        common: Holds objects, refs and configuration.
    """

    own: Path
    common: Path


def find_git_directory(folder: Path) -> GitDirectory | None:
    """The git directory of a work tree's top folder, of a linked work tree, or of a bare repository; else None."""
    dot_git = folder / ".git"
    if dot_git.is_dir():
        own = dot_git
    elif dot_git.is_file():
        pointed = _small_text(dot_git)
        if not pointed.startswith("gitdir: "):
            return None
        own = folder / pointed.removeprefix("gitdir: ").strip()
    else:
        own = folder
    common_file = own / "commondir"
    common = own / _small_text(common_file).strip() if common_file.is_file() else own
    has_head = (own / "HEAD").is_file() or (own / "HEAD").is_symlink()
    if has_head and (common / "objects").is_dir() and (common / "refs").is_dir():
        return GitDirectory(own.resolve(), common.resolve())
    return None


def enclosing_repository(folder: Path) -> Path | None:
    """The nearest folder above that is the top of a work tree; None outside of any."""
    for above in folder.absolute().parents:
        with contextlib.suppress(OSError):
            if find_git_directory(above) is not None:
                return above
    return None


def make_shadow(repository: GitDirectory) -> Path:
    """A temporary bare git directory with links to the repository's objects and refs and a configuration of ours.

    Raises:
        HostError: duotune's own directory cannot be written.
        OSError: The repository cannot be read.
    """
    shadow = _own_directory()
    try:
        head = repository.own / "HEAD"
        (shadow / "HEAD").write_text(f"ref: {os.readlink(head)}\n" if head.is_symlink() else _small_text(head))
        for name in ("objects", "refs", "packed-refs", "reftable", "shallow"):
            if (repository.common / name).exists():
                (shadow / name).symlink_to(repository.common / name)
        (shadow / "config").write_text(_shadow_config(repository.common / "config"))
    except BaseException:
        shutil.rmtree(shadow, ignore_errors=True)
        raise
    return shadow


def neutral_environment(git_directory: Path | None = None) -> dict[str, str]:
    """Environment in which git reads no configuration but that of the given directory, and talks to nobody."""
    kept = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
    chosen = {"GIT_DIR": str(git_directory)} if git_directory else {}
    return {
        **kept,
        **chosen,
        "HOME": "/nonexistent",
        "LC_ALL": "C",
        "GIT_ALLOW_PROTOCOL": "none",
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_PAGER": "cat",
        "GIT_TERMINAL_PROMPT": "0",
    }


def run_git(arguments: Sequence[str], environment: dict[str, str]) -> subprocess.CompletedProcess[bytes]:
    """Run a short git command and return its result, whatever its exit status.

    Raises:
        HostError: git is not installed, or does not answer.
    """
    try:
        return subprocess.run(
            ["git", *arguments],
            env=environment,
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
    except FileNotFoundError as error:
        raise git_missing() from error
    except subprocess.TimeoutExpired as error:
        raise HostError(
            f"`git {arguments[0]}` has not answered for {TIMEOUT_SECONDS} seconds.", "Check the disk, then try again."
        ) from error


def start_git(arguments: Sequence[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
    """Start a git command that is read from, and written to, through pipes.

    Raises:
        HostError: git is not installed.
    """
    try:
        return subprocess.Popen(
            ["git", *arguments],
            env=environment,
            cwd="/",
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
    except FileNotFoundError as error:
        raise git_missing() from error


def records_of(process: subprocess.Popen[bytes]) -> Iterator[bytes]:
    """NUL-terminated records of a process's output, as they come."""
    assert process.stdout is not None
    rest = b""
    while chunk := process.stdout.read1(1 << 16):  # type: ignore[attr-defined]
        *records, rest = (rest + chunk).split(b"\0")
        yield from records


def end_git(process: subprocess.Popen[bytes]) -> None:
    """End a process that `start_git` began, whatever it is doing."""
    if process.poll() is None:
        process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(BrokenPipeError):
                pipe.close()


def git_missing() -> HostError:
    """The error of a host without git."""
    return HostError("git is not installed on this host.", "Install it (for example `apt install git`).")


def _own_directory() -> Path:
    """An empty directory that says whose it is; those of dead processes of this machine are removed."""
    parent = paths.cache() / "git"
    ours = re.compile(rf"{re.escape(platform.node())}-(\d+)-\w+")
    try:
        parent.mkdir(parents=True, exist_ok=True)
        for left in parent.iterdir():
            match = ours.fullmatch(left.name)
            if match and not Path(f"/proc/{match[1]}").exists():
                shutil.rmtree(left, ignore_errors=True)
        return Path(tempfile.mkdtemp(prefix=f"{platform.node()}-{os.getpid()}-", dir=parent))
    except OSError as error:
        if is_full(error):
            raise no_space(parent) from error
        raise HostError(
            f"{printable(parent)} cannot be written: {error.strerror}.",
            "Check its owner, or set DUOTUNE_HOME to another directory.",
        ) from error


def _shadow_config(original: Path) -> str:
    """Our configuration with the two settings of the original that say how its files are written."""
    lines = ["[core]", "\trepositoryformatversion = 1", "\tbare = true", "[extensions]"]
    for key, known in (("objectformat", ("sha1", "sha256")), ("refstorage", ("files", "reftable"))):
        value = _setting(original, f"extensions.{key}")
        if value and value not in known:
            raise SourceError(
                f"The repository {printable(original.parent)} uses {key} = {printable(value)}, "
                "which duotune does not know.",
                "Clone it with the default format and name the clone.",
            )
        if value:
            lines.append(f"\t{key} = {value}")
    return "\n".join(lines) + "\n"


def _setting(config: Path, key: str) -> str:
    if not config.is_file():
        return ""
    arguments = ("config", "--file", str(config), "--no-includes", "--get", key)
    answer = run_git(arguments, neutral_environment())
    return answer.stdout.decode("utf-8", "replace").strip()


def _small_text(file: Path, limit: int = 4096) -> str:
    """First bytes of a regular file; a FIFO in its place is not waited for."""
    descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb") as stream:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return ""
        return os.fsdecode(stream.read(limit))
