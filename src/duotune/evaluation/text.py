"""Compares an answer with the author's code, and says what is wrong with it."""

from __future__ import annotations

import re
import unicodedata
import zlib
from itertools import pairwise

from duotune.models.items import HeldOutItem

LOOP_LINE_LENGTH = 8
LOOP_REPEATS = 4
LOOP_TEXT_LENGTH = 200
LOOP_COMPRESSION = 0.15
ECHO_LETTERS = 10
PREAMBLE = re.compile(r"\s*(sure[,!]|certainly[,!]|here is|here's|here are|i'm sorry|i am sorry|as an ai)", re.I)


def normalised(text: str) -> str:
    """NFC, line ends as \\n, no trailing spaces, no blank lines at either end."""
    lines = unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return re.sub(r"\A(?:\n)+|(?:\n)+\Z", "", "\n".join(line.rstrip() for line in lines))


def headline(item: HeldOutItem, answer: str) -> str:
    """The part of an answer that is scored: the first line where the rest of a line was asked for, else all of it.

    The rule looks at the question and never at the gold answer, and is the same for base and adapter.
    """
    return answer.replace("\r\n", "\n").split("\n", 1)[0] if item.kind == "rest-of-line" else answer


def exact_match(answer: str, gold: str) -> float:
    """1 if both are equal after normalisation, else 0."""
    return float(normalised(answer) == normalised(gold))


def edit_similarity(answer: str, gold: str) -> float:
    """1 - Levenshtein / longer length, of the normalised texts; 0 for an empty answer."""
    from rapidfuzz.distance import Levenshtein

    found = normalised(answer)
    return Levenshtein.normalized_similarity(found, normalised(gold)) if found else 0.0


def bad_reason(item: HeldOutItem, answer: str, stopped: bool, has_control_token: bool) -> str | None:
    """Why nobody would want the whole answer, or None; the first reason that holds.

    Args:
        item: The question with its gold answer.
        answer: The answer as generated.
        stopped: Whether it ended by itself.
        has_control_token: Whether a control token other than its end was generated.
    """
    if not _alphanumeric(answer) and (not answer.strip() or _alphanumeric(item.gold)):
        return "empty"
    if _loops(answer) and not _loops(item.gold):
        return "loop"
    if not stopped:
        return "truncated"
    fenced = "```" in answer and "```" not in item.gold
    if has_control_token or fenced or (PREAMBLE.match(answer) and not PREAMBLE.match(item.gold)):
        return "not code"
    if _echoes(answer, item.suffix) and not _echoes(item.gold, item.suffix):
        return "suffix echo"
    return None


def _alphanumeric(text: str) -> bool:
    return any(character.isalnum() for character in text)


def _loops(text: str) -> bool:
    lines, run = text.split("\n"), 1
    for before, line in pairwise(lines):
        run = run + 1 if line == before else 1
        if run >= LOOP_REPEATS and len(line.strip()) >= LOOP_LINE_LENGTH:
            return True
    content = text.encode()
    return len(text) >= LOOP_TEXT_LENGTH and len(zlib.compress(content)) / len(content) < LOOP_COMPRESSION


def _echoes(text: str, suffix: str) -> bool:
    """Whether the text contains the suffix's first two non-blank lines, one after the other.

    Two lines of closing brackets are no echo: they end many blocks.
    """
    first = [line.strip() for line in suffix.split("\n") if line.strip()][:2]
    if len(first) < 2 or sum(map(str.isalnum, "".join(first))) < ECHO_LETTERS:
        return False
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    return any(lines[place : place + 2] == first for place in range(len(lines) - 1))
