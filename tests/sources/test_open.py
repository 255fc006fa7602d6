"""What a source can be, and a sentence of its own for everything that it cannot be."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from duotune.errors import ExitCode, SourceError, printable
from duotune.sources.mirror import needs_mirror
from duotune.sources.open import open_source
from support.repositories import make_repository


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("", "source is empty"),
        ("  ", "source is empty"),
        ("{here}/nothing", "There is no "),
        ("file://{here}/nothing", "There is no "),
        ("{here}/file.py", "is a file, not a folder"),
        ("{here}/dangling", "symbolic link to nowhere"),
        ("{here}/empty", "is empty"),
        ("{here}/loop", r"cannot be read|symbolic link to nowhere"),
        ("{here}/\x1b]0;x", r"There is no .*\\x1b\]0;x"),
        ("ext::sh -c id", "ext is not a transport"),
        ("ftp://host/x.git", "ftp is not a transport"),
        ("fd://1", "fd is not a transport"),
        ("https:///x.git", "names no host"),
        ("ssh://-oProxyCommand=id/x", "names no host"),
        ("https://[::1/x", "malformed"),
    ],
)
def test_each_kind_of_wrong_source_has_its_own_sentence(tmp_path: Path, source: str, said: str) -> None:
    (tmp_path / "file.py").write_text("x")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "empty").mkdir()
    with pytest.raises(SourceError, match=said) as caught:
        open_source(source.format(here=tmp_path))
    assert caught.value.hint
    assert caught.value.exit_code == ExitCode.USAGE


@pytest.mark.parametrize(
    "url",
    [
        "https://user:hunter2secret@git.example.com/x.git",
        "https://:hunter2secret@git.example.com/x.git",
        "https://glpat-hunter2secret@git.example.com/x.git",
        "ssh://git:hunter2secret@git.example.com/x.git",
    ],
)
def test_secret_in_a_url_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(SourceError, match=r"git\.example\.com holds a password or token") as caught:
        open_source(url)
    assert "hunter2" not in caught.value.message + caught.value.hint
    assert "credential helper" in caught.value.hint


@pytest.mark.parametrize(
    ("source", "remote"),
    [
        ("https://host/x.git", True),
        ("https://me@host/x.git", True),
        ("HTTPS://host/x.git", True),
        ("ssh://git@host:2222/x.git", True),
        ("git@host:group/x.git", True),
        ("host.example.com:x.git", True),
        ("file:///srv/x", False),
        ("/srv/x", False),
        ("relative/x", False),
        ("-host:x", False),
        ("~/x", False),
    ],
)
def test_urls_are_told_from_paths(source: str, remote: bool) -> None:
    assert needs_mirror(source) is remote


def test_existing_path_with_a_colon_is_a_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a:b").mkdir()
    (tmp_path / "a:b" / "x.py").write_text("x")
    with open_source("a:b") as opened:
        assert opened.kind == "folder"


def test_unreadable_folder_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(SourceError, match="permission denied"):
        open_source(str(tmp_path))


def test_unreadable_repository_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_repository(tmp_path / "r", {"a": b"1"})
    real_open = os.open

    def refuse(path: object, *arguments: int, **options: int) -> int:
        if str(path).endswith("HEAD"):
            raise PermissionError(13, "Permission denied")
        return real_open(path, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(SourceError, match="cannot be read: Permission denied"):
        open_source(str(tmp_path / "r"))


def test_ref_of_a_plain_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x")
    with pytest.raises(SourceError, match="plain folder without Git history"):
        open_source(str(tmp_path), "main")


def test_folder_inside_a_work_tree_is_read_as_it_is(tmp_path: Path) -> None:
    make_repository(tmp_path / "r", {"sub/a.py": b"1"})
    (tmp_path / "r" / "sub" / "new.py").write_text("x")
    with open_source(str(tmp_path / "r" / "sub")) as opened:
        assert opened.kind == "folder"
        assert [entry.path for entry in opened.files()] == ["a.py", "new.py"]


def test_empty_dot_git_makes_no_repository(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "a.py").write_text("x")
    with open_source(str(tmp_path)) as opened:
        assert opened.kind == "folder"


def test_foreign_text_is_escaped_for_people() -> None:
    assert printable("a b/é\u4e2d.py") == "a b/é\u4e2d.py"
    assert printable("\x1b[2J\n\udcff\u202e") == "\\x1b[2J\\n\\udcff\\u202e"
