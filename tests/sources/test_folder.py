"""Plain folders: nothing outside is followed, nothing blocks, and `.gitignore` means what Git means by it."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from duotune.errors import SourceError
from duotune.sources import folder as folder_module
from duotune.sources.open import open_source
from duotune.sources.source import Rejected, SourceFile, Unreadable
from support.repositories import git, make_repository


def write(root: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return root


def reasons(root: Path) -> dict[str, str]:
    with open_source(str(root)) as opened:
        return {entry.path: entry.reason for entry in opened.files() if isinstance(entry, Rejected)}


def paths_of(root: Path) -> list[str]:
    with open_source(str(root)) as opened:
        return [entry.path for entry in opened.files() if isinstance(entry, SourceFile)]


def test_folder_and_repository_agree_on_order_paths_and_blob_ids(tmp_path: Path) -> None:
    files = {"b.py": b"1", "a/x.py": b"22", "a.py": b"", "a-b": b"3", "z/é": b"4", "\udcff": b"5"}
    make_repository(tmp_path / "r", files)
    (tmp_path / "r" / "b.py").chmod(0o755)
    git(tmp_path / "r", "commit", "--quiet", "--all", "--message", "mode")
    with open_source(str(tmp_path / "r")) as repository:
        committed = list(repository.files())
    (tmp_path / "r" / ".git").rename(tmp_path / "away")
    with open_source(str(tmp_path / "r")) as folder:
        assert list(folder.files()) == committed
        assert folder.kind == "folder"
        assert folder.commit is None


def test_special_files_and_links_are_left_out_with_their_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = write(tmp_path / "here", {"a.py": b"1", "model.bin": b"version https://git-lfs.github.com/spec/v1\noid"})
    write(tmp_path / "outside", {"secret": b"s"})
    (root / "link").symlink_to(tmp_path / "outside" / "secret")
    (root / "linked-folder").symlink_to(tmp_path / "outside")
    (root / "loop").symlink_to(root)
    os.mkfifo(root / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        monkeypatch.chdir(root)
        listener.bind("socket")
    assert reasons(root) == {
        "link": "symbolic link",
        "linked-folder": "symbolic link",
        "loop": "symbolic link",
        "pipe": "not a regular file",
        "socket": "not a regular file",
    }
    with open_source(str(root)) as opened:
        answers = list(opened.contents(entry for entry in opened.files() if isinstance(entry, SourceFile)))
    assert Rejected("model.bin", "Git LFS pointer") in answers


def test_gits_own_directories_are_skipped(tmp_path: Path) -> None:
    root = write(tmp_path / "here", {"a": b"1", ".gitlab-ci.yml": b"2", "sub/b": b"3", "sub2/.git": b"gitdir: x"})
    make_repository(root / "sub", {})
    assert paths_of(root) == [".gitlab-ci.yml", "a", "sub/b"]
    assert reasons(root) == {}


def test_ignored_directories_are_not_entered(tmp_path: Path) -> None:
    root = write(
        tmp_path / "here",
        {
            ".gitignore": b"\xef\xbb\xbfbuild/\r\n*.log\n!keep.log\n!\n\\\n",
            "build/deep/x": b"1",
            "a.log": b"2",
            "keep.log": b"3",
            "sub/.gitignore": b"!a.log\n/only-here\n",
            "sub/a.log": b"4",
            "sub/only-here": b"5",
            "sub/sub/only-here": b"6",
        },
    )
    assert paths_of(root) == [".gitignore", "keep.log", "sub/.gitignore", "sub/a.log", "sub/sub/only-here"]
    ignored = "ignored by .gitignore"
    assert reasons(root) == {"a.log": ignored, "build/": ignored, "sub/only-here": ignored}


def test_unreadable_files_and_directories_are_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = write(tmp_path / "here", {"a": b"1", "closed": b"2", "locked/b": b"3"})
    real_open = os.open

    def refuse(path: object, *arguments: int, dir_fd: int | None = None) -> int:
        if path in (b"closed", b"locked"):
            raise PermissionError(13, "Permission denied")
        return real_open(path, *arguments, dir_fd=dir_fd)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "open", refuse)
    assert reasons(root) == {"closed": "cannot be read", "locked/": "cannot be read"}


def test_file_that_changed_since_it_was_listed_is_left_out(tmp_path: Path) -> None:
    root = write(tmp_path / "here", {"a": b"1", "b": b"2", "c": b"3", "d/e": b"4", "f": b"5"})
    write(tmp_path / "outside", {"e": b"secret", "f": b"5"})
    with open_source(str(root)) as opened:
        files = [entry for entry in opened.files() if isinstance(entry, SourceFile)]
        (root / "a").write_bytes(b"changed")
        (root / "b").unlink()
        (root / "c").unlink()
        os.mkfifo(root / "c")
        (root / "d").rename(tmp_path / "d")
        (root / "d").symlink_to(tmp_path / "outside")
        (root / "f").unlink()
        (root / "f").symlink_to(tmp_path / "outside" / "f")
        assert list(opened.contents(files)) == [
            Rejected("a", "changed while it was read"),
            Rejected("b", "cannot be read"),
            Rejected("c", "changed while it was read"),
            Rejected("d/e", "changed while it was read"),
            Rejected("f", "cannot be read"),
        ]
        with pytest.raises(Unreadable, match="changed while it was read"):
            opened.read(files[0])


def test_huge_files_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = write(tmp_path / "here", {"a": b"1"})
    with (root / "sparse").open("wb") as stream:
        stream.truncate(2**40)
    assert reasons(root) == {"sparse": "too large to read"}


def test_files_that_are_not_wanted_are_listed_without_being_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = write(tmp_path / "here", {"a.py": b"1", "data.bin": b"22"})
    real_read = folder_module._read
    seen: list[str] = []

    def read(name: bytes, path: str, directory: int | None) -> bytes:
        seen.append(path)
        return real_read(name, path, directory)

    monkeypatch.setattr(folder_module, "_read", read)
    with open_source(str(root)) as opened:
        listed = [entry for entry in opened.files(lambda path, size: size < 2) if isinstance(entry, SourceFile)]
        assert seen == ["a.py"]
        assert [(file.path, file.size, bool(file.blob_id)) for file in listed] == [
            ("a.py", 1, True),
            ("data.bin", 2, False),
        ]


def test_too_deep_folders_are_left_out_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder_module, "MAX_DEPTH", 2)
    root = write(tmp_path / "here", {"1/2/a": b"1", "1/2/3/b": b"2"})
    assert reasons(root) == {"1/2/3/": "nested too deep"}


def test_version_follows_paths_and_contents_alone(tmp_path: Path) -> None:
    def version(name: str, files: dict[str, bytes]) -> str:
        with open_source(str(write(tmp_path / name, files))) as opened:
            return opened.version

    first = version("one", {"a": b"1", "b": b"2"})
    assert version("two", {"b": b"2", "a": b"1"}) == first
    assert version("three", {"a": b"2", "b": b"1"}) != first
    assert version("four", {"a": b"1", "c": b"2"}) != first


def test_folder_that_vanished_says_so(tmp_path: Path) -> None:
    root = write(tmp_path / "here", {"a": b"1"})
    with open_source(str(root)) as opened:
        root.rename(tmp_path / "gone")
        with pytest.raises(SourceError, match="cannot be read: No such file"):
            list(opened.files())
