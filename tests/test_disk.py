"""What a power loss or another process may not find half done."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pytest

from duotune.disk import alone_in, rename, sync_tree, write_whole


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of what was synced, in order."""
    names: list[str] = []
    monkeypatch.setattr(
        os, "fsync", lambda descriptor: names.append(Path(f"/proc/self/fd/{descriptor}").readlink().name)
    )
    return names


def test_all_of_a_tree_is_synced(tmp_path: Path, synced: list[str]) -> None:
    (tmp_path / "draft" / "inner").mkdir(parents=True)
    (tmp_path / "draft" / "inner" / "file").touch()
    (tmp_path / "draft" / ".hidden").touch()
    sync_tree(tmp_path / "draft")
    assert sorted(synced) == [".hidden", "draft", "file", "inner"]


def test_a_file_is_durable_before_it_gets_its_name_and_the_name_after(tmp_path: Path, synced: list[str]) -> None:
    file = tmp_path / "file"
    file.write_text("old")
    write_whole(file, "é\n")
    assert file.read_bytes() == b"\xc3\xa9\n"
    assert synced == [".file.part", tmp_path.name]
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_an_error_while_writing_leaves_the_older_file(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("old")
    with pytest.raises(UnicodeEncodeError):
        write_whole(file, "\ud800")
    assert file.read_text() == "old"


def test_a_rename_never_replaces_a_directory_that_holds_something(tmp_path: Path) -> None:
    for name in ("draft", "target"):
        (tmp_path / name).mkdir()
        (tmp_path / name / name).touch()
    with pytest.raises(OSError, match="not empty"):
        rename(tmp_path / "draft", tmp_path / "target")
    assert (tmp_path / "target" / "target").exists()


def test_one_block_at_a_time_holds_a_directory(tmp_path: Path) -> None:
    other = os.open(tmp_path, os.O_RDONLY)
    try:
        with alone_in(tmp_path), pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    finally:
        os.close(other)
