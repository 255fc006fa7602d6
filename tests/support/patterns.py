"""Names and patterns such as `.gitignore` and `.gitattributes` have, and a repository to ask git about them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hypothesis import strategies as st

from support.repositories import git

NAMES = ("a", "b", "a.o", "b.o", "build", "aXb", "é", "[", "!", "#x")
GLOBS = ("*", "**", "*.o", "a/b", "a/*", "build/**", "[ab]", "?", "a/**/b", "**/a/**/b", "a*b")


def paths_of(names: Sequence[str]) -> st.SearchStrategy[str]:
    """Paths of up to three names."""
    return st.lists(st.sampled_from(names), min_size=1, max_size=3).map("/".join)


def repository_with(root: Path, directory: str) -> Path:
    """Make a Git repository without commits that holds one directory; returns its path."""
    git(root, "init", "--quiet", "--template=")
    (root / directory).mkdir()
    return root
