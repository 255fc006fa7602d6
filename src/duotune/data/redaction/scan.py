"""All rules over one text.

Measured by `benchmarks/redaction.py` on what the tests plant (40 secrets of each of 217 types in 30 languages) and on
158 lines that only look like secrets: recall 0.999, precision 1.0. Of passwords and keys without any digit, and of
those in comments (40 of each of 84 types in 29 languages), recall is 0.98. The rules were written beside both, so that
this is no estimate for foreign code; there, findings per MB and a sample judged by eye tell more.

Not found by choice: passwords that are words or names, as `sunshine`, which code writes beside such names most; letters
only of fewer than 8; and without quotes in comments, what chance did not make.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from duotune.data.redaction.assignments import assigned_run, chosen, edges, may_be_assigned
from duotune.data.redaction.credentials import credentials, discord_token, password_hash
from duotune.data.redaction.finding import Finding
from duotune.data.redaction.issuers import issued, may_be_issued
from duotune.data.redaction.personal import personal
from duotune.data.redaction.runs import MIN_RUN, flat, long_runs
from duotune.data.redaction.values import is_fake


def scan(text: str, language: str = "", personal_data: bool = True) -> list[Finding]:
    """Secrets and personal data of a text.

    Args:
        text: The text, with LF line ends.
        language: linguist's name of its language: in some, strings need no quotes.
        personal_data: Whether to look for personal data too.

    Returns:
        Findings in the order of the text, none overlapping another.
    """
    found = list(_secrets(text, language))
    if personal_data:
        found += [Finding(one.rule, "personal", one.rule, one.start, one.end) for one in personal(text)]
    return _with_lines(text, _disjoint(found)) if found else []


def scan_path(path: str) -> list[Finding]:
    """Tokens in a path whose form identifies their issuer: in order, none overlapping another, all of line 1."""
    return _with_lines(path, _disjoint(_issued(path, 0, len(path)))) if len(path) >= MIN_RUN else []


def _issued(text: str, start: int, end: int) -> Iterator[Finding]:
    for issuer, match in issued(text, start, end):
        if not is_fake(match[match.lastindex or 0], formed=True):
            word = "key" if "key" in issuer.rule else "token"
            yield Finding(issuer.rule, "secret", word, match.start(), match.end())


def _secrets(text: str, language: str) -> Iterator[Finding]:
    flat_text, before = flat(text), edges(language)
    for start, end, has_digit in long_runs(flat_text):
        assignable = has_digit or (flat_text[start - 1] in before and may_be_assigned(text, start, end, language))
        known = list(_issued(text, start, end)) if has_digit or may_be_issued(text, start, end) else []
        yield from known
        if assignable and not known:
            yield from _unknown(text, start, end, language)
    for context, start, end in credentials(text, language):
        yield Finding(context.rule, "secret", context.word, start, end)
    lower = flat_text.lower().decode("latin-1")
    for one in chosen(text, lower, language):
        yield Finding(one.rule, "secret", one.word, one.start, one.end)


def _unknown(text: str, start: int, end: int, language: str) -> Iterator[Finding]:
    last = discord_token(text, start, end)
    if last is not None:
        yield Finding("discord-token", "secret", "token", start, last)
        return
    span = password_hash(text, start, end)
    if span is not None:
        yield Finding("password-hash", "secret", "hash", *span)
        return
    one = assigned_run(text, start, end, language)
    if one is not None:
        yield Finding(one.rule, "secret", one.word, one.start, one.end)


def _disjoint(found: Iterable[Finding]) -> list[Finding]:
    """Findings in order; of two that overlap the earlier takes in the later, and a secret wins over personal data."""
    kept: list[Finding] = []
    for one in sorted(found, key=lambda f: (f.start, f.kind != "secret", -f.end)):
        last = kept[-1] if kept else None
        if last is None or one.start >= last.end:
            kept.append(one)
        elif one.kind == "secret":
            first = one if last.kind == "personal" else last
            kept[-1] = Finding(first.rule, "secret", first.word, last.start, max(last.end, one.end))
        elif last.kind == "personal":
            kept[-1] = Finding(last.rule, "personal", last.word, last.start, max(last.end, one.end))
    return kept


def _with_lines(text: str, found: list[Finding]) -> list[Finding]:
    line, place = 1, 0
    numbered: list[Finding] = []
    for one in found:
        line += text.count("\n", place, one.start)
        place = one.start
        numbered.append(Finding(one.rule, one.kind, one.word, one.start, one.end, line))
    return numbered
