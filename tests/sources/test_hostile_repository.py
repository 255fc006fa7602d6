"""Nothing that a repository configures is ever executed, fetched or followed."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from duotune.errors import HostError
from duotune.sources.open import open_source
from duotune.sources.source import Rejected, SourceFile, blob_id
from support.hostile import make_trap, set_traps
from support.repositories import make_repository

FILES = {"a.py": b"a = 1\n", "b.c": b"int b;\n", ".gitattributes": b"* filter=evil diff=evil text eol=crlf\n"}


@pytest.fixture
def trap(tmp_path: Path) -> Path:
    return make_trap(tmp_path)


@pytest.fixture
def hostile(tmp_path: Path, trap: Path) -> Path:
    """A repository that names a program wherever Git's configuration can, and misses a blob that it could fetch."""
    folder = tmp_path / "hostile"
    make_repository(folder, FILES)
    set_traps(folder, trap)
    missing = blob_id(FILES["b.c"])
    (folder / ".git" / "objects" / missing[:2] / missing[2:]).unlink()
    (tmp_path / "sprung").unlink(missing_ok=True)
    return folder


def read_everything(folder: Path) -> dict[str, object]:
    with open_source(str(folder)) as opened:
        entries = list(opened.files())
        answers = list(opened.contents(entry for entry in entries if isinstance(entry, SourceFile)))
        found: dict[str, object] = {entry.path: entry.reason for entry in entries if isinstance(entry, Rejected)}
        found |= {answer[0].path: answer[1] for answer in answers if isinstance(answer, tuple)}
        return found


def test_the_trap_springs_when_plain_git_reads_the_repository(hostile: Path, tmp_path: Path) -> None:
    """Without this the tests below could pass for the wrong reason."""
    command = ["git", "-C", str(hostile), "cat-file", "-p", "HEAD:b.c"]
    subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=60)
    assert (tmp_path / "sprung").exists()


def test_nothing_is_executed_and_blobs_are_raw(hostile: Path, tmp_path: Path) -> None:
    expected = {"a.py": FILES["a.py"], ".gitattributes": FILES[".gitattributes"], "b.c": "missing from the repository"}
    assert read_everything(hostile) == expected
    assert not (tmp_path / "sprung").exists()
    assert not (hostile / "trace").exists()


def test_hostile_environment_of_the_caller_is_not_inherited(
    hostile: Path, tmp_path: Path, trap: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("GIT_SSH_COMMAND", "GIT_PAGER", "GIT_EXTERNAL_DIFF", "GIT_ASKPASS", "GIT_PROXY_COMMAND"):
        monkeypatch.setenv(name, str(trap))
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_OBJECT_DIRECTORY", "GIT_INDEX_FILE", "GIT_TRACE"):
        monkeypatch.setenv(name, str(tmp_path / "elsewhere"))
    assert read_everything(hostile)["a.py"] == FILES["a.py"]
    assert not (tmp_path / "sprung").exists()
    assert not (tmp_path / "elsewhere").exists()


def test_the_repository_is_not_changed_by_reading_it(hostile: Path) -> None:
    def state() -> dict[str, int]:
        return {str(file): file.lstat().st_mtime_ns for file in sorted(hostile.rglob("*"))}

    before = state()
    read_everything(hostile)
    assert state() == before


def test_repository_of_another_user_is_read(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give files to another user")
    folder = tmp_path / "foreign"
    make_repository(folder, FILES)
    for file in (folder, *folder.rglob("*")):
        os.chown(file, 12345, 12345)
    assert read_everything(folder)["b.c"] == FILES["b.c"]


def test_included_configuration_is_not_read(tmp_path: Path) -> None:
    folder = tmp_path / "including"
    make_repository(folder, FILES)
    os.mkfifo(tmp_path / "pipe")
    with (folder / ".git" / "config").open("a") as config:
        config.write(f'[include]\n\tpath = "{tmp_path / "pipe"}"\n')
    assert read_everything(folder)["a.py"] == FILES["a.py"]


def test_pipe_in_the_place_of_head_is_not_waited_for(tmp_path: Path) -> None:
    folder = tmp_path / "piped"
    make_repository(folder, FILES)
    (folder / ".git" / "HEAD").unlink()
    os.mkfifo(folder / ".git" / "HEAD")
    with open_source(str(folder)) as opened:
        assert opened.kind == "folder"


def test_pipe_among_the_objects_ends_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("duotune.sources.git.TIMEOUT_SECONDS", 0.2)
    folder = tmp_path / "piped"
    make_repository(folder, FILES)
    os.mkfifo(folder / ".git" / "objects" / "info" / "alternates")
    with pytest.raises(HostError, match="has not answered for 0"):
        open_source(str(folder))
