"""Applies `.gitignore` files as Git does: the deepest file that speaks of a path decides, its last line first.

A folder's `.gitignore` is foreign input: the usual translation of a glob to a regular expression takes time that is
exponential in its stars on names made for it. Here every star but the last of a path segment, and every `**` but the
last, takes its first match for good (an atomic group), which suffices for globs and keeps matching polynomial.
The rules are those of gitignore(5) and of Git's wildmatch.c; like Git, they see bytes.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Sequence
from dataclasses import dataclass

from duotune.sources.glob import NEVER, segment_expression, segments

MAX_IGNORE_BYTES = 2**18
MAX_LINE_BYTES = 4096


@dataclass(frozen=True)
class Rule:
    """One line of a `.gitignore`.

    Attributes:
        expression: Matches the whole of a path's bytes, read as Latin-1: of the name alone when `by_name`.
        ignores: False for a line that begins with `!`.
        directories_only: The line ends in `/`.
        by_name: The line holds no other `/`, so it speaks of names at any depth.
    """

    expression: re.Pattern[str]
    ignores: bool
    directories_only: bool
    by_name: bool

    def matches(self, path: str, is_directory: bool) -> bool:
        """Whether the line speaks of a path relative to its file (bytes read as Latin-1, no `/` at the end)."""
        if self.directories_only and not is_directory:
            return False
        return self.expression.fullmatch(path.rpartition("/")[2] if self.by_name else path) is not None


def read_ignore_file(directory: int) -> list[Rule]:
    """Rules of the `.gitignore` in an open directory; none when it is no readable regular file."""
    try:
        descriptor = os.open(".gitignore", os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=directory)
    except OSError:
        return []
    with open(descriptor, "rb") as stream:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return []
        return parse_rules(stream.read(MAX_IGNORE_BYTES))


def parse_rules(content: bytes) -> list[Rule]:
    """Rules of a `.gitignore`'s content, in its order."""
    lines = content.removeprefix(b"\xef\xbb\xbf").decode("latin-1").split("\n")
    rules = (_rule(line.removesuffix("\r")) for line in lines if len(line) <= MAX_LINE_BYTES)
    return [rule for rule in rules if rule is not None]


def is_ignored(path: str, rules: Sequence[tuple[str, Sequence[Rule]]]) -> bool:
    """Whether a path (a directory's ends in `/`) is ignored.

    Args:
        path: Relative to the root of the folder.
        rules: Rules with the directory they lie in (`""` or ending in `/`), outermost first.
    """
    is_directory = path.endswith("/")
    for base, lines in reversed(rules):
        relative = path[len(base) :].removesuffix("/").encode("utf-8", "surrogateescape").decode("latin-1")
        for rule in reversed(lines):
            if rule.matches(relative, is_directory):
                return rule.ignores
    return False


def pattern_expression(pattern: str) -> re.Pattern[str]:
    """Matches the whole of what a pattern speaks of: a name when it holds no `/`, else a path relative to its file.

    Args:
        pattern: As Git's pattern files have it, in bytes read as Latin-1, without `!` before it and `/` after it.
    """
    by_name = "/" not in pattern
    expression = segment_expression(pattern) if by_name else _path_expression(pattern.removeprefix("/"))
    return re.compile(expression, re.DOTALL)


def _rule(line: str) -> Rule | None:
    if line.startswith("#"):
        return None
    line = _without_trailing_spaces(line)
    ignores = not line.startswith("!")
    pattern = line if ignores else line[1:]
    directories_only = pattern.endswith("/")
    pattern = pattern.removesuffix("/")
    if not pattern:
        return None
    return Rule(pattern_expression(pattern), ignores, directories_only, by_name="/" not in pattern)


def _without_trailing_spaces(line: str) -> str:
    kept = line.rstrip(" ")
    backslashes = len(kept) - len(kept.rstrip("\\"))
    return f"{kept} " if backslashes % 2 and len(kept) < len(line) else kept


def _path_expression(pattern: str) -> str:
    """Regular expression of a pattern that holds a `/`: runs of segments between `**`."""
    runs: list[list[str]] = [[]]
    for segment in segments(pattern):
        if re.fullmatch(r"\*\*+", segment):
            runs.append([])
        else:
            # No path has an empty segment, so that a pattern with one (`a//b`) matches none.
            runs[-1].append(segment_expression(segment) if segment else NEVER)
    if any(NEVER in run for run in runs):
        return NEVER
    if len(runs) == 1:
        return "/".join(runs[0])
    first, *between, last = ("/".join(run) for run in runs)
    begin = f"{first}/" if runs[0] else ""
    middle = "".join(f"(?>(?:[^/]+/)*?{run}/)" for run in between if run)
    return begin + middle + (f"(?:[^/]+/)*{last}" if runs[-1] else ".+")
