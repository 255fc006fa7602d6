"""Remote repositories, served by git's own HTTP backend."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from duotune import paths
from duotune.errors import HostError, SourceError
from duotune.sources import remote
from duotune.sources.open import open_source
from duotune.sources.source import SourceFile
from support.repositories import commit_files, git, make_repository, serve_repositories


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A repository, and the URL that serves it."""
    make_repository(tmp_path / "server" / "project", {"a.py": b"a = 1\n", "d/b.c": b"int b;\n"})
    with serve_repositories(tmp_path / "server") as url:
        yield tmp_path / "server" / "project", f"{url}/project/.git"


def contents(url: str, ref: str = "HEAD") -> dict[str, bytes]:
    with open_source(url, ref) as opened:
        files = [entry for entry in opened.files() if isinstance(entry, SourceFile)]
        return {file.path: opened.read(file) for file in files}


def test_remote_repository_is_read_at_its_default_branch(served: tuple[Path, str]) -> None:
    repository, url = served
    git(repository, "checkout", "--quiet", "-b", "trunk")
    commit_files(repository, {"a.py": b"a = 2\n"})
    assert contents(url) == {"a.py": b"a = 2\n", "d/b.c": b"int b;\n"}
    assert contents(url, "main")["a.py"] == b"a = 1\n"
    with open_source(url) as opened:
        assert (opened.kind, opened.location) == ("git", url)


def test_second_opening_brings_what_is_new_and_forgets_what_is_gone(served: tuple[Path, str]) -> None:
    repository, url = served
    git(repository, "branch", "gone")
    assert contents(url, "gone")
    git(repository, "branch", "--delete", "gone")
    commit_files(repository, {"a.py": b"a = 3\n"})
    git(repository, "tag", "v1")
    assert contents(url)["a.py"] == b"a = 3\n"
    assert contents(url, "v1")["a.py"] == b"a = 3\n"
    with pytest.raises(SourceError, match="no branch, tag or commit `gone`"):
        open_source(url, "gone")


def test_of_what_git_and_ssh_say_the_line_that_tells_is_shown() -> None:
    advice = "Please make sure you have the correct access rights\nand the repository exists."
    for said, told in (
        (
            "ssh: connect to host 127.0.0.1 port 22: Connection refused\n"
            f"fatal: Could not read from remote repository.\n\n{advice}",
            "connect to host 127.0.0.1 port 22: Connection refused",
        ),
        ("fatal: Could not read from remote repository.\n\n" + advice, "Could not read from remote repository"),
        ("error: RPC failed; curl 56\nfatal: expected 'packfile'\n", "RPC failed; curl 56"),
        ("", "no reason given"),
    ):
        complaint = remote._complaint("git@127.0.0.1:x/y.git", said)
        assert complaint.message == f"git@127.0.0.1:x/y.git cannot be fetched: {told}."


def test_history_that_was_rewritten_is_followed(served: tuple[Path, str]) -> None:
    repository, url = served
    contents(url)
    git(repository, "commit", "--quiet", "--amend", "--message", "other")
    with open_source(url) as opened:
        assert opened.commit == git(repository, "rev-parse", "HEAD")


def test_pinned_commit_that_is_here_needs_no_network(tmp_path: Path) -> None:
    commit = make_repository(tmp_path / "server" / "p", {"a": b"1"})
    with serve_repositories(tmp_path / "server") as url:
        contents(f"{url}/p/.git")
    assert contents(f"{url}/p/.git", commit) == {"a": b"1"}
    with pytest.raises(HostError):
        open_source(f"{url}/p/.git")


def test_progress_is_reported_while_fetching(served: tuple[Path, str]) -> None:
    repository, url = served
    commit_files(repository, {f"f{number}": str(number).encode() for number in range(300)})
    told: list[tuple[str, int, int]] = []
    with open_source(url, on_progress=lambda phase, done, total: told.append((phase, done, total))):
        pass
    assert any(phase.endswith("objects") and done <= total for phase, done, total in told)


def test_files_of_a_killed_fetch_do_not_block_the_next(served: tuple[Path, str]) -> None:
    repository, url = served
    contents(url)
    (bare,) = paths.mirrors().glob("*.git")
    for lock in ("packed-refs.lock", "HEAD.lock", "refs/heads/main.lock", "shallow.lock", "config.lock"):
        (bare / lock).parent.mkdir(parents=True, exist_ok=True)
        (bare / lock).touch()
    commit_files(repository, {"a.py": b"a = 4\n"})
    assert contents(url)["a.py"] == b"a = 4\n"


def test_missing_and_empty_remote_repositories_have_their_own_sentences(tmp_path: Path) -> None:
    (tmp_path / "server" / "new").mkdir(parents=True)
    git(tmp_path / "server" / "new", "init", "--quiet", "--bare")
    with serve_repositories(tmp_path / "server") as url:
        with pytest.raises(SourceError, match="has no such repository"):
            open_source(f"{url}/nothing.git")
        with pytest.raises(SourceError, match="has no commits yet"):
            open_source(f"{url}/new")


def test_refused_access_names_credential_helpers_and_shows_no_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_repository(tmp_path / "server" / "p", {"a": b"1"})
    config = tmp_path / "gitconfig"
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    config.write_text("")
    with serve_repositories(tmp_path / "server", password="right-secret") as url:
        with pytest.raises(SourceError, match="refuses access") as caught:
            open_source(f"{url}/p/.git")
        assert "credential helper" in caught.value.hint
        config.write_text('[credential]\n\thelper = "!f() { echo username=me; echo password=wrong-secret; }; f"\n')
        with pytest.raises(SourceError, match="refuses access") as caught:
            open_source(f"{url}/p/.git")
        assert "secret" not in str(caught.value)
        config.write_text('[credential]\n\thelper = "!f() { echo username=me; echo password=right-secret; }; f"\n')
        assert contents(f"{url}/p/.git") == {"a": b"1"}
    kept = [file.read_bytes() for file in paths.mirrors().rglob("*") if file.is_file()]
    assert not any(b"secret" in content or b"127.0.0.1" in content for content in kept)


def test_host_that_does_not_answer_is_an_error_of_the_environment() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with pytest.raises(HostError, match="cannot be fetched"):
            open_source(f"http://127.0.0.1:{unused.getsockname()[1]}/x.git")


def test_remote_that_falls_silent_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "STALL_SECONDS", 0.2)
    with (
        socket.create_server(("127.0.0.1", 0)) as mute,
        pytest.raises(HostError, match=r"has said nothing for 0\.2 sec"),
    ):
        open_source(f"http://127.0.0.1:{mute.getsockname()[1]}/x.git")


def test_mirror_that_cannot_be_written_says_so(
    served: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("DUOTUNE_HOME", str(tmp_path / "file"))
    with pytest.raises(HostError, match="cannot be written"):
        open_source(served[1])


@pytest.mark.parametrize(
    ("said", "kind", "sentence"),
    [
        ("fatal: Authentication failed for 'https://h/x/'", SourceError, "refuses access"),
        ("git@h: Permission denied (publickey).\nfatal: Could not read from", SourceError, "refuses access"),
        ("Host key verification failed.", HostError, "ssh host key"),
        ("fatal: unable to access 'https://h/': Could not resolve host: h", HostError, "cannot be resolved"),
        ("fatal: unable to access 'https://h/': SSL certificate problem: self-signed", HostError, "TLS certificate"),
        ("fatal: write error: No space left on device", HostError, "does not fit on the disk"),
        ("fatal: something new with https://me:hidden@h/x", HostError, "something new with https://h/x"),
        ("", HostError, "no reason given"),
    ],
)
def test_complaints_of_git_become_sentences(said: str, kind: type[Exception], sentence: str) -> None:
    complaint = remote._complaint("https://h/x", said)
    assert type(complaint) is kind
    assert sentence in complaint.message
    assert complaint.hint


def test_two_urls_never_share_a_mirror(tmp_path: Path) -> None:
    make_repository(tmp_path / "server" / "one", {"a": b"1"})
    make_repository(tmp_path / "server" / "two", {"a": b"2"})
    with serve_repositories(tmp_path / "server") as url:
        assert contents(f"{url}/one/.git") == {"a": b"1"}
        assert contents(f"{url}/two/.git") == {"a": b"2"}
        assert contents(f"{url}/one/.git") == {"a": b"1"}
    assert len(list(paths.mirrors().glob("*.git"))) == 2
