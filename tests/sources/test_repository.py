"""Git repositories: blobs of a pinned commit, with a reason for everything that is no source file."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from duotune import paths
from duotune.errors import HostError, SourceError
from duotune.sources import repository, source
from duotune.sources.open import open_source
from duotune.sources.source import Rejected, SourceFile, Unreadable, blob_id
from support.repositories import commit_files, git, make_repository

FILES = {"b.py": b"x = 1\n", "a/c.py": b"\xff\x00\r\n", "a.py": b"", "new\nline": b"1", "\udcfflatin": b"2", "é": b"3"}


@pytest.fixture
def here(tmp_path: Path) -> Path:
    make_repository(tmp_path / "here", FILES)
    return tmp_path / "here"


def listing(folder: Path, ref: str = "HEAD") -> dict[str, str]:
    """Path -> blob id, or the reason for leaving it out."""
    with open_source(str(folder), ref) as opened:
        return {
            entry.path: entry.blob_id if isinstance(entry, SourceFile) else entry.reason for entry in opened.files()
        }


def drop_blob(folder: Path, content: bytes) -> None:
    name = blob_id(content)
    (folder / ".git" / "objects" / name[:2] / name[2:]).unlink()


def test_every_committed_byte_comes_back_in_gits_order(here: Path) -> None:
    with open_source(str(here)) as opened:
        files = [entry for entry in opened.files() if isinstance(entry, SourceFile)]
        assert [file.path for file in files] == ["a.py", "a/c.py", "b.py", "new\nline", "é", "\udcfflatin"]
        assert [opened.read(file) for file in files] == [FILES[file.path] for file in files]
        assert [file.size for file in files] == [len(FILES[file.path]) for file in files]
        assert [file.blob_id for file in files] == [blob_id(FILES[file.path]) for file in files]
        assert list(opened.contents(files)) == [(file, FILES[file.path]) for file in files]
        assert opened.commit == opened.version == git(here, "rev-parse", "HEAD")
        assert opened.kind == "git"


def test_what_is_not_committed_does_not_count(here: Path) -> None:
    before = listing(here)
    (here / "b.py").write_text("changed")
    (here / "untracked.py").write_text("new")
    git(here, "add", "untracked.py")
    assert listing(here) == before


def test_branches_tags_and_commits_are_pinned(here: Path) -> None:
    first = git(here, "rev-parse", "HEAD")
    git(here, "tag", "--annotate", "--message=v", "v1")
    git(here, "checkout", "--quiet", "-b", "feature/x")
    second = commit_files(here, {"b.py": b"x = 2\n"})
    git(here, "pack-refs", "--all")
    refs = {"HEAD": second, "main": first, "v1": first, "feature/x": second, first[:10]: first, "HEAD~1": first}
    for ref, commit in refs.items():
        with open_source(str(here), ref) as opened:
            assert opened.commit == commit


def test_links_submodules_and_lfs_pointers_are_left_out_with_their_reason(here: Path, tmp_path: Path) -> None:
    other = make_repository(tmp_path / "other", {"x": b"1"})
    (here / "link").symlink_to("/etc/passwd")
    git(here, "update-index", "--add", "--cacheinfo", f"160000,{other},sub")
    git(here, "commit", "--quiet", "--message", "submodule")
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n"
    (here / "model.bin").write_bytes(pointer)
    git(here, "add", "link", "model.bin")
    git(here, "commit", "--quiet", "--message", "more")
    found = listing(here)
    assert found["link"] == "symbolic link"
    assert found["sub"] == "submodule"
    with open_source(str(here)) as opened:
        files = [entry for entry in opened.files() if isinstance(entry, SourceFile) and entry.path == "model.bin"]
        assert list(opened.contents(files)) == [Rejected("model.bin", "Git LFS pointer", 64)]
        with pytest.raises(Unreadable, match="Git LFS pointer"):
            opened.read(files[0])


def test_missing_blobs_are_left_out_and_the_rest_is_read(here: Path) -> None:
    drop_blob(here, b"x = 1\n")
    assert listing(here)["b.py"] == "missing from the repository"
    with open_source(str(here)) as opened:
        wanted = [SourceFile(path, blob_id(FILES[path]), len(FILES[path]), 0o100644) for path in ("b.py", "é")]
        assert list(opened.contents(wanted)) == [Rejected("b.py", "missing from the repository", 6), (wanted[1], b"3")]


def test_missing_tree_is_an_error_and_never_a_shorter_list(here: Path) -> None:
    tree = git(here, "rev-parse", "HEAD:a")
    (here / ".git" / "objects" / tree[:2] / tree[2:]).unlink()
    with open_source(str(here)) as opened, pytest.raises(SourceError, match="cannot be listed completely"):
        list(opened.files())


def test_many_files_and_large_ones_do_not_block_the_pipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repository, "BYTES_AT_ONCE", 300_000)
    files = {f"f{number}": os.urandom(20_000 if number % 3 else 400_000) for number in range(150)}
    make_repository(tmp_path / "many", files)
    with open_source(str(tmp_path / "many")) as opened:
        listed = [entry for entry in opened.files() if isinstance(entry, SourceFile)]
        answers = [answer for answer in opened.contents(listed) if isinstance(answer, tuple)]
        assert {file.path: content for file, content in answers} == files


def test_contents_left_unfinished_do_not_disturb_the_next(here: Path) -> None:
    with open_source(str(here)) as opened:
        files = [entry for entry in opened.files() if isinstance(entry, SourceFile)]
        next(iter(opened.contents(files)))
        assert opened.read(files[-1]) == FILES[files[-1].path]


def test_files_too_large_to_read_are_never_asked_for(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repository, "MAX_READ_BYTES", 5)
    with open_source(str(here)) as opened:
        answers = list(opened.contents(entry for entry in opened.files() if isinstance(entry, SourceFile)))
    assert Rejected("b.py", "too large to read", 6) in answers
    assert len([answer for answer in answers if isinstance(answer, Rejected)]) == 1


def test_bare_shared_linked_and_sha256_repositories_are_read(here: Path, tmp_path: Path) -> None:
    expected = listing(here)
    git(here, "clone", "--quiet", "--bare", str(here), str(tmp_path / "bare.git"))
    git(here, "clone", "--quiet", "--shared", str(here), str(tmp_path / "shared"))
    git(here, "worktree", "add", "--quiet", "-b", "side", str(tmp_path / "linked"))
    git(here, "gc", "--quiet")
    side = commit_files(tmp_path / "linked", {"side.py": b"s"})
    assert listing(tmp_path / "bare.git") == expected
    assert listing(tmp_path / "shared") == expected
    assert listing(here) == expected
    with open_source(str(tmp_path / "linked")) as opened:
        assert opened.commit == side
    commit = make_repository(tmp_path / "long", {"a": b"1"}, object_format="sha256")
    with open_source(str(tmp_path / "long")) as opened:
        assert opened.commit == commit
        assert len(commit) == 64
        assert opened.read(opened_files(opened)[0]) == b"1"


def test_file_url_is_read_in_place(here: Path) -> None:
    with open_source(f"file://{here}") as opened:
        assert opened.commit == git(here, "rev-parse", "HEAD")


def test_replaced_objects_and_grafts_do_not_change_what_is_read(here: Path) -> None:
    before = listing(here)
    head = git(here, "rev-parse", "HEAD")
    other = commit_files(here, {"b.py": b"replaced"})
    git(here, "replace", head, other)
    assert listing(here, head) == before


def test_hand_made_tree_cannot_name_a_path_outside(here: Path) -> None:
    blob = bytes.fromhex(blob_id(b"x = 1\n"))
    raw = b"100644 ..\0" + blob
    tree = hashlib.sha1(b"tree %d\0" % len(raw) + raw).hexdigest()
    (here / "raw").write_bytes(raw)
    assert git(here, "hash-object", "-w", "-t", "tree", "--literally", str(here / "raw")) == tree
    commit = git(here, "commit-tree", "-m", "evil", tree)
    assert listing(here, commit) == {"..": "unsafe path"}


def test_a_closed_source_leaves_no_process_and_no_temporary_directory(here: Path) -> None:
    opened = open_source(str(here))
    list(opened.contents(opened_files(opened)))
    assert shadows()
    opened.close()
    assert shadows() == []
    with pytest.raises(SourceError):
        open_source(str(here), "no-such-branch")
    assert shadows() == []


def test_what_a_killed_process_left_is_removed_and_what_a_living_one_uses_stays(here: Path) -> None:
    script = """
import sys
from duotune.sources.open import open_source
source = open_source(sys.argv[1])
print("open", flush=True)
sys.stdin.read()
"""
    command = [sys.executable, "-c", script, str(here)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "open\n"
        (left,) = shadows()
        with open_source(str(here)):
            assert len(shadows()) == 2
        other.kill()
    assert shadows() == [left]
    with open_source(str(here)):
        assert left not in shadows()


def shadows() -> list[Path]:
    return list((paths.cache() / "git").iterdir())


def opened_files(opened: source.Source) -> list[SourceFile]:
    return [entry for entry in opened.files() if isinstance(entry, SourceFile)]


def test_repository_without_commits_says_so(tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    git(tmp_path / "new", "init", "--quiet")
    for ref in ("HEAD", "main"):
        with pytest.raises(SourceError, match="has no commits yet"):
            open_source(str(tmp_path / "new"), ref)


def test_commit_without_files_says_so(tmp_path: Path) -> None:
    make_repository(tmp_path / "bare", {})
    with pytest.raises(SourceError, match="has no files"):
        open_source(str(tmp_path / "bare"))


@pytest.mark.parametrize("ref", ["nope", "main:b.py", "--all", "-", "", "HEAD~9", "0" * 40])
def test_unknown_ref_is_refused(here: Path, ref: str) -> None:
    with pytest.raises(SourceError, match=r"has no branch, tag or commit|cannot be a ref"):
        open_source(str(here), ref)


def test_unknown_ref_names_the_branches_there_are(here: Path) -> None:
    with pytest.raises(SourceError) as caught:
        open_source(str(here), "mian")
    assert "main" in caught.value.hint


def test_head_of_an_unborn_branch_names_the_others(here: Path) -> None:
    git(here, "symbolic-ref", "HEAD", "refs/heads/unborn")
    with pytest.raises(SourceError, match="names a branch without commits") as caught:
        open_source(str(here))
    assert "main" in caught.value.hint


def test_unknown_repository_format_is_refused(here: Path) -> None:
    git(here, "config", "core.repositoryformatversion", "1")
    git(here, "config", "extensions.objectFormat", "sha9000")
    with pytest.raises(SourceError, match="objectformat = sha9000"):
        open_source(str(here))


def test_host_without_git_says_so(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(HostError, match="git is not installed"):
        open_source(str(here))
