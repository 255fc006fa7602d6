"""`.gitattributes` mean what Git means by them, nothing they name is run, and no file of them makes matching slow."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from duotune.sources.attributes import MAX_RULES, Attributes, FileAttributes, read_attributes
from duotune.sources.open import open_source
from support import patterns
from support.repositories import make_repository

NAMES = (*patterns.NAMES, 'q"')
GLOBS = (*patterns.GLOBS, "/a", "a/", '"a b"')
WORDS = [
    "linguist-generated",
    "-linguist-generated",
    "!linguist-generated",
    "linguist-generated=false",
    "linguist-generated=true",
    "linguist-vendored",
    "-linguist-vendored",
    "linguist-language=C++",
    "linguist-language",
    "-linguist-language",
    "text",
    "binary",
    "-binary",
    "mine",
    "yours",
]
ASKED = ["linguist-generated", "linguist-vendored", "linguist-documentation", "linguist-language", "binary"]
names = patterns.paths_of(NAMES)
lines = st.builds(
    "{}{}{}{}".format,
    st.sampled_from(["", "", "", " ", "!", "#"]),
    st.sampled_from([*NAMES, *GLOBS]) | st.text("ab*?[]!^-\\/:é", max_size=6),
    st.sampled_from([" ", "\t", "  "]),
    st.lists(st.sampled_from(WORDS), max_size=3).map(" ".join),
)
macros = st.sampled_from(
    [
        "",
        "[attr]mine linguist-generated linguist-vendored\n",
        "[attr]mine -linguist-generated\n[attr]yours mine linguist-documentation\n",
        "[attr]mine binary\n",
    ]
)
files = st.builds(lambda chosen: "\n".join(chosen), st.lists(lines, max_size=5))


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return patterns.repository_with(tmp_path_factory.mktemp("attributes"), "a")


def asked_of_git(repository: Path, paths: list[str]) -> dict[str, dict[str, str]]:
    """What git says; it never meets a name or a pattern that could start a program."""
    answer = subprocess.run(
        ["git", "-C", str(repository), "check-attr", "-z", "--stdin", *ASKED],
        input=b"".join(path.encode() + b"\0" for path in paths),
        capture_output=True,
        check=True,
    )
    fields = answer.stdout.decode().split("\0")[:-1]
    found: dict[str, dict[str, str]] = {}
    for path, name, value in zip(fields[::3], fields[1::3], fields[2::3], strict=True):
        found.setdefault(path, {})[name] = value
    return found


def as_git_says(said: Mapping[str, str]) -> FileAttributes:
    def flag(name: str) -> bool | None:
        return None if said[name] == "unspecified" else said[name] not in ("unset", "false")

    language = said["linguist-language"]
    return FileAttributes(
        generated=flag("linguist-generated"),
        vendored=flag("linguist-vendored"),
        documentation=flag("linguist-documentation"),
        binary=flag("binary"),
        language="" if language in ("unspecified", "set", "unset") else language,
    )


@settings(deadline=None, max_examples=100)
@given(paths=st.lists(names, min_size=1, max_size=8, unique=True), macros=macros, outer=files, inner=files)
@example(paths=["a/b"], macros="", outer="a/b linguist-vendored", inner="b -linguist-vendored")
@example(paths=["a/b"], macros="", outer='"a/\\142" linguist-vendored', inner="!b linguist-generated")
def test_each_path_is_told_what_git_tells(
    repository: Path, paths: list[str], macros: str, outer: str, inner: str
) -> None:
    contents = {".gitattributes": (macros + outer).encode(), "a/.gitattributes": inner.encode()}
    for name, content in contents.items():
        (repository / name).write_bytes(content)
    attributes = Attributes(contents)
    expected = {path: as_git_says(said) for path, said in asked_of_git(repository, paths).items()}
    assert {path: attributes.of(path) for path in paths} == expected


def test_the_commit_counts_and_not_the_work_tree(tmp_path: Path) -> None:
    folder = tmp_path / "project"
    make_repository(folder, {".gitattributes": b"gen/** linguist-generated\n", "sub/.gitattributes": b"*.c binary\n"})
    (folder / ".gitattributes").write_bytes(b"* linguist-vendored\n")
    with open_source(str(folder)) as source:
        attributes = read_attributes(source, list(source.files()))
    assert attributes.of("gen/deep/a.py") == FileAttributes(generated=True)
    assert attributes.of("sub/x/a.c") == FileAttributes(binary=True)
    assert attributes.of("a.c") == FileAttributes()


def test_only_what_concerns_training_changes_the_fingerprint() -> None:
    before = Attributes({".gitattributes": b"*.py linguist-generated\n"})
    eol = Attributes({".gitattributes": b"* text=auto eol=lf\n*.png filter=lfs\n*.py   linguist-generated text\n"})
    other = Attributes({".gitattributes": b"*.py -linguist-generated\n"})
    assert before.fingerprint == eol.fingerprint != other.fingerprint
    assert Attributes({".gitattributes": b"* text\n"}).fingerprint == Attributes().fingerprint == ""


def test_a_flood_of_rules_is_not_heard_beyond_its_limit() -> None:
    content = b"".join(b"f%d.* linguist-generated\n" % number for number in range(2 * MAX_RULES))
    attributes = Attributes({".gitattributes": content, "z/.gitattributes": b"* linguist-vendored\n"})
    assert attributes.of(f"f{MAX_RULES - 1}.py").generated
    assert attributes.of(f"f{2 * MAX_RULES - 1}.py") == attributes.of("z/a") == FileAttributes()


def test_a_pattern_made_to_be_slow_is_not() -> None:
    attributes = Attributes({".gitattributes": b"*a" * 200 + b"b linguist-generated\n"})
    assert attributes.of("a" * 4000).generated is None
