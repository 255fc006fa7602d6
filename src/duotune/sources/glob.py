"""Translates one segment of a glob to a regular expression that never takes exponential time.

Meaning as in Git's wildmatch.c: `*`, `?`, `[...]` with ranges, negation and POSIX classes, and backslash escapes.
"""

from __future__ import annotations

import re

NEVER = "(?!)"
POSIX = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "blank": r" \t",
    "cntrl": r"\x00-\x1f\x7f",
    "digit": "0-9",
    "graph": r"\x21-\x7e",
    "lower": "a-z",
    "print": r"\x20-\x7e",
    "punct": r"!-/:-@\[-`{-~",
    "space": r" \t-\r",
    "upper": "A-Z",
    "xdigit": "0-9A-Fa-f",
}


def segment_expression(glob: str) -> str:
    """Regular expression of a glob without `/`; `NEVER` for a malformed one, which matches nothing, as in Git."""
    pieces = [""]
    at = 0
    while at < len(glob):
        if glob[at] == "*":
            if len(pieces) == 1 or pieces[-1]:
                pieces.append("")
            at += 1
            continue
        atom, at = _atom(glob, at)
        if atom == NEVER:
            return NEVER
        pieces[-1] += atom
    if len(pieces) == 1:
        return pieces[0]
    first, *between, last = pieces
    return first + "".join(f"(?>[^/]*?{piece})" for piece in between) + f"[^/]*{last}"


def segments(glob: str) -> list[str]:
    """Parts of a glob between its `/`; one inside a bracket separates nothing."""
    parts = [""]
    at = 0
    while at < len(glob):
        begin = at
        if glob[at] == "/" or glob.startswith("\\/", at):
            parts.append("")
            at += 1 + (glob[at] == "\\")
            continue
        _, at = _atom(glob, at)
        parts[-1] += glob[begin:at]
    return parts


def _atom(glob: str, at: int) -> tuple[str, int]:
    """Expression of the one-character part of a glob at a place, and the place after it."""
    if glob[at] == "?":
        return "[^/]", at + 1
    if glob[at] == "[":
        return _bracket(glob, at + 1)
    if glob[at] == "\\":
        return (re.escape(glob[at + 1]), at + 2) if at + 1 < len(glob) else (NEVER, at + 1)
    return re.escape(glob[at]), at + 1


def _bracket(glob: str, at: int) -> tuple[str, int]:
    """Expression of a bracket whose `[` is just before a place, and the place after its `]`."""
    negated = glob[at : at + 1] in ("!", "^")
    at += negated
    members: list[str] = []
    begin = at
    while at < len(glob) and (glob[at] != "]" or at == begin):
        if glob.startswith("[:", at) and (end := glob.find("]", at + 2)) >= 0 and glob[end - 1] == ":":
            if glob[at + 2 : end - 1] not in POSIX:
                return NEVER, len(glob)
            members.append(POSIX[glob[at + 2 : end - 1]])
            at = end + 1
            continue
        low, at = _member(glob, at)
        high = low
        if glob.startswith("-", at) and glob[at + 1 : at + 2] not in ("", "]"):
            high, at = _member(glob, at + 1)
        if low <= high:
            members.append(f"{re.escape(low)}-{re.escape(high)}")
    if at >= len(glob):
        return NEVER, at
    if not members:
        return ("[^/]" if negated else "[^\\x00-\\uffff]"), at + 1
    return f"(?!/)[{'^' if negated else ''}{''.join(members)}]", at + 1


def _member(glob: str, at: int) -> tuple[str, int]:
    """A character inside a bracket, and the place after it; "" at the end of a glob never forms a range."""
    at += glob[at] == "\\"
    return glob[at : at + 1], at + 1
