"""Applies `.gitignore` files as Git does: the deepest file that speaks of a path decides, its last line first."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence

from pathspec import GitIgnoreSpec
from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

MAX_IGNORE_BYTES = 1_000_000


def read_ignore_file(directory: int) -> GitIgnoreSpec:
    """Rules of the `.gitignore` in an open directory; none when it is no readable regular file.

    A line that is no valid pattern is skipped, as Git skips it.
    """
    try:
        descriptor = os.open(".gitignore", os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=directory)
    except OSError:
        return GitIgnoreSpec([])
    with open(descriptor, "rb") as stream:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return GitIgnoreSpec([])
        text = stream.read(MAX_IGNORE_BYTES).decode("utf-8", "surrogateescape").removeprefix("\ufeff")
    patterns: list[GitIgnoreSpecPattern] = []
    for line in text.split("\n"):
        try:
            patterns.extend(GitIgnoreSpec.from_lines([line.removesuffix("\r")]).patterns)
        except ValueError:
            continue
    return GitIgnoreSpec(patterns)


def is_ignored(path: str, rules: Sequence[tuple[str, GitIgnoreSpec]]) -> bool:
    """Whether a path (a directory's ends in `/`) is ignored.

    Args:
        path: Relative to the root of the folder.
        rules: Rules with the directory they lie in (`""` or ending in `/`), outermost first.
    """
    for base, rule in reversed(rules):
        verdict = rule.check_file(path[len(base) :]).include
        if verdict is not None:
            return verdict
    return False
