"""When files entered a history: by committer's date, under whatever name, and never guessed."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from duotune.errors import SourceError
from duotune.sources.open import open_source
from support.repositories import commit_files, git, make_repository


def on(day: str, author: str = "2020-01-01") -> dict[str, str]:
    return {"GIT_COMMITTER_DATE": f"{day}T12:00:00Z", "GIT_AUTHOR_DATE": f"{author}T00:00:00Z"}


def commit_on(repository: Path, day: str, message: str = "change") -> None:
    git(repository, "add", "--all", "--force")
    git(repository, "commit", "--quiet", "--message", message, **on(day))


def days(repository: Path, *paths: str) -> dict[str, str]:
    with open_source(str(repository)) as source:
        found = source.first_commits(paths)
    return {path: datetime.fromtimestamp(seconds, UTC).date().isoformat() for path, seconds in found.items()}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Files of three days, one of them with a line feed in its name, and one that came, went and came again."""
    folder = tmp_path / "project"
    make_repository(folder, {"old.py": b"1\n", "back.py": b"1\n"})
    (folder / "back.py").unlink()
    (folder / "\nnew\nline.py").write_bytes(b"2\n")
    (folder / "a b.py").write_bytes(b"2\n")
    commit_on(folder, "2025-03-01")
    (folder / "back.py").write_bytes(b"3\n")
    git(folder, "mv", "a b.py", "moved.py")
    (folder / "old.py").write_bytes(b"3\n")
    commit_on(folder, "2025-06-01")
    return folder


def test_the_first_commit_counts_also_of_a_moved_file(repository: Path) -> None:
    assert days(repository, "old.py", "back.py", "\nnew\nline.py", "moved.py", "nothing.py") == {
        "old.py": "2024-01-01",
        "back.py": "2024-01-01",
        "\nnew\nline.py": "2025-03-01",
        "moved.py": "2025-03-01",
    }


LINES = [f"line {number} of a file that is known\n" for number in range(20)]


def test_a_file_that_was_moved_and_changed_is_as_old_as_it_was(tmp_path: Path) -> None:
    folder = tmp_path / "project"
    make_repository(folder, {"a.py": "".join(LINES).encode(), "__init__.py": b""})
    (folder / "pkg").mkdir()
    git(folder, "mv", "a.py", "pkg/b.py")
    (folder / "pkg" / "b.py").write_text("".join([*LINES[:15], "another end\n"]))
    git(folder, "rm", "--quiet", "__init__.py")
    (folder / "pkg" / "__init__.py").write_bytes(b"")
    commit_on(folder, "2025-02-01")
    git(folder, "mv", "pkg/b.py", "pkg/c.py")
    (folder / "pkg" / "new.py").write_text("nothing like it\n" * 9)
    commit_on(folder, "2025-03-01")
    assert days(folder, "pkg/c.py", "pkg/new.py", "pkg/__init__.py") == {
        "pkg/c.py": "2024-01-01",
        "pkg/new.py": "2025-03-01",
        "pkg/__init__.py": "2025-02-01",
    }


@pytest.mark.parametrize("deleted_first", [True, False])
def test_a_move_over_two_commits_is_told_by_the_content(tmp_path: Path, deleted_first: bool) -> None:
    folder = tmp_path / "project"
    make_repository(folder, {"a.py": b"1\n" * 50, "keep.py": b"2\n" * 50})
    content = (folder / "a.py").read_bytes()
    for number, deleting in enumerate((deleted_first, not deleted_first), start=2):
        if deleting:
            (folder / "a.py").unlink()
        else:
            (folder / "z.py").write_bytes(content)
        commit_on(folder, f"2025-0{number}-01")
    (folder / "copy.py").write_bytes((folder / "keep.py").read_bytes())
    commit_on(folder, "2025-05-01")
    assert days(folder, "z.py", "copy.py") == {"z.py": "2024-01-01", "copy.py": "2025-05-01"}


def test_a_clone_without_the_contents_of_the_past_still_tells_of_moves(repository: Path, tmp_path: Path) -> None:
    git(repository, "config", "uploadpack.allowFilter", "true")
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", "--filter=blob:none", f"file://{repository}", str(clone))
    assert days(clone, "moved.py", "back.py") == {"moved.py": "2025-03-01", "back.py": "2024-01-01"}


def test_what_a_branch_brought_is_dated_by_its_own_commit(repository: Path) -> None:
    git(repository, "checkout", "--quiet", "-b", "side", "HEAD~1")
    (repository / "side.py").write_bytes(b"s\n")
    commit_on(repository, "2025-04-01")
    git(repository, "checkout", "--quiet", "main")
    git(repository, "merge", "--quiet", "--no-ff", "--message", "merge", "side", **on("2025-09-01"))
    assert days(repository, "side.py") == {"side.py": "2025-04-01"}


def test_a_shallow_clone_is_refused(repository: Path, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{repository}", str(clone))
    with pytest.raises(SourceError, match="shallow clone"):
        days(clone)


def test_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("a = 1\n")
    with pytest.raises(SourceError, match="plain folder without Git history"):
        days(tmp_path)


def test_history_runs_nothing_that_the_repository_names(repository: Path, tmp_path: Path) -> None:
    trap = tmp_path / "trap.sh"
    trap.write_text(f'#!/bin/sh\ntouch "{tmp_path}/sprung"\n')
    trap.chmod(0o755)
    config = str(repository / ".git" / "config")
    for key in ("diff.external", "diff.evil.textconv", "diff.evil.command", "core.pager", "gpg.program", "alias.log"):
        git(repository, "config", "--file", config, key, f"!{trap}" if key.startswith("alias") else str(trap))
    git(repository, "config", "--file", config, "log.showSignature", "true")
    commit_files(repository, {".gitattributes": b"* diff=evil\n"})
    assert days(repository, "old.py") == {"old.py": "2024-01-01"}
    assert "sprung" not in os.listdir(tmp_path)
