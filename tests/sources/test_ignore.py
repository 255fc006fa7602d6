"""`.gitignore` means what Git means by it, and no name or pattern makes matching slow."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from duotune.sources.ignore import is_ignored, parse_rules
from duotune.sources.open import open_source
from duotune.sources.source import SourceFile
from support import patterns
from support.repositories import git

EXAMPLES = 100
NAMES = (*patterns.NAMES, "a b")
GLOBS = (*patterns.GLOBS, "??", "*a*b*", "a**b")
BRACKETS = [
    "[!a]",
    "[^a-z]",
    "[]a]",
    "[a",
    "[[:alpha:]]",
    "[[:nope:]]",
    "[z-a]",
    "[^/]",
    "a[/]b",
    "[!z-a]",
    r"[\[]",
    r"\[",
    r"\#x",
    r"\!",
]
names = patterns.paths_of(NAMES)
lines = st.builds(
    "{}{}{}{}".format,
    st.sampled_from(["", "!"]),
    st.sampled_from(["", "", "/", "**/", "#"]),
    st.sampled_from([*NAMES, *GLOBS, *BRACKETS]) | st.text("ab*?[]!^-\\/:é. ", max_size=6),
    st.sampled_from(["", "", "/", " ", "\\ ", "/**", "\r"]),
)
rules = st.lists(lines, max_size=4).map(lambda chosen: "\n".join(chosen).encode())


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return patterns.repository_with(tmp_path_factory.mktemp("ignore"), "sub")


@settings(deadline=None, max_examples=EXAMPLES)
@given(paths=st.lists(names, min_size=1, max_size=12), outer=rules, inner=rules)
@example(paths=["a"], outer=b"a\\", inner=b"\\")
@example(paths=["a/b", "b/a/b", "a/x/y/b"], outer=b"a/**/b", inner=b"**/a/**/b")
def test_each_path_is_judged_as_git_judges_it(repository: Path, paths: list[str], outer: bytes, inner: bytes) -> None:
    (repository / ".gitignore").write_bytes(outer)
    (repository / "sub" / ".gitignore").write_bytes(inner)
    asked = [path for name in paths for path in (name, f"sub/{name}") if not path.endswith("/.")]
    answer = subprocess.run(
        ["git", "-C", str(repository), "-c", "core.excludesFile=", "check-ignore", "--no-index", "-z", "--stdin"],
        input=b"".join(os.fsencode(path) + b"\0" for path in asked),
        capture_output=True,
        check=False,
    )
    ignored = {os.fsdecode(path) for path in answer.stdout.split(b"\0") if path}
    found = [("", parse_rules(outer)), ("sub/", parse_rules(inner))]

    def judged(path: str) -> bool:
        """As the walk does it: a path is ignored when it, or a directory on the way to it, is."""
        steps = [*(path[: at + 1] for at, character in enumerate(path) if character == "/"), path]
        return any(
            is_ignored(step, found if step.removeprefix("sub/") not in ("", step) else found[:1]) for step in steps
        )

    assert {path for path in asked if judged(path)} == ignored


def test_a_walk_lists_what_git_lists(tmp_path: Path) -> None:
    root = tmp_path / "here"
    files = ["x.o", "keep.o", "build/x", "build/keep", "src/build/y", "src/a.tmp", "src/deep/b.tmp", "docs/é", "docs/e"]
    for name in files:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    (root / ".gitignore").write_text("*.o\n!keep.o\nbuild/*\n!build/keep\nsrc/**/*.tmp\n")
    (root / "src" / ".gitignore").write_text("!a.tmp\n")
    (root / "docs" / ".gitignore").write_text("?\n")
    git(root, "init", "--quiet", "--template=")
    expected = git(root, "ls-files", "-z", "--others", "--exclude-standard").split("\0")
    (root / ".git").rename(tmp_path / "away")
    with open_source(str(root)) as opened:
        assert sorted(e.path for e in opened.files() if isinstance(e, SourceFile)) == sorted(filter(None, expected))


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("*a" * 40 + "b", "a" * 250),
        ("[!b]*" * 40 + "c", "a" * 250),
        ("**/a/" * 40 + "b", "a/" * 120 + "a"),
        ("**/*a*/" * 20 + "b", "aaaa/" * 120 + "a"),
        ("*" * 2000 + "b", "a" * 250),
    ],
)
def test_patterns_made_to_be_slow_are_not(pattern: str, path: str) -> None:
    assert not is_ignored(path, [("", parse_rules(pattern.encode()))])
