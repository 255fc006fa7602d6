"""Secrets that only the name beside them gives away: `db_password = "…"`, `api_key: …`, `SECRET=…`.

A value that chance made is found under many names; a password that a person chose only under names of passwords and
secrets, and without quotes only in languages whose strings need none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from duotune.data.redaction.declarations import AFTER_STEM, BEFORE_RUN, may_give
from duotune.data.redaction.names import (
    KEY_STEMS,
    STEMS,
    begins_name,
    is_about,
    may_be_listed,
    may_hold_uuid,
    names_azure_key,
    names_key,
    names_password,
)
from duotune.data.redaction.values import (
    MIN_RANDOM,
    is_chosen,
    is_code,
    is_fake,
    is_hex,
    is_jumbled,
    is_passphrase,
    is_random,
    is_uuid,
)

SHELLS = frozenset(["Shell", "Fish", "Dockerfile", "Makefile", "Batchfile"])
UNQUOTED = SHELLS | frozenset(
    ["YAML", "INI", "TOML", "Text", "Markdown", "reStructuredText", "AsciiDoc", "Org", "Diff"]
)
"""Languages in which a string needs no quotes, and prose, which quotes them."""

_NAME = re.compile(r"[\w.$-]*+")
_JOINED = re.compile(r"^[\"'`]|[\"'`]$|[\"'`]\s?[+.&,]|[+.&,]\s?[\"'`]")
_KEY_FOLLOWS = re.compile(r"\s{0,4}:(?!:)")
_UNQUOTED_AFTER = re.compile(
    r"(?P<tail>[\w.-]{0,40}+)[\"']?[ \t]{0,8}(?P<operator>[:?]?=|: |:\t)[ \t]{0,8}"
    r"(?P<bare>(?![{\[])[^\s\"'`<>|;,]{4,128})(?<![{}\[\]])(?=\s|;|,|$)"
)
# Where a value goes to the end of its line, it may hold more.
_LINES = frozenset(["YAML", "INI"])
_SETTINGS = _LINES | frozenset(["TOML", "JSON"])
_LINE_AFTER = re.compile(
    r"(?P<tail>[\w.-]{0,40}+)[\"']?[ \t]{0,8}(?P<operator>=|: |:\t|:(?=[^\s:/]))[ \t]{0,8}"
    r"(?P<bare>[^\s\"'`<>]{4,128})(?<![;,}\])])(?=[;,}\])]{0,3}[ \t]*(?:\n|#|\Z))"
)
# Blank lines and comments may stand between.
_LINES_BETWEEN = r"(?:[ \t]{0,60}+(?:#[^\n]{0,200}+)?\n){1,6}+[ \t]{0,60}+"
# The value of a variable that another line or member names: `- name: DB_PASSWORD`, then `value: "…"`.
_NEXT_VALUE = re.compile(
    r"(?P<tail>[\w.-]{0,40}+)[\"']?[ \t]{0,8}[:,]?(?:(?<=,)[ \t]{0,8}|" + _LINES_BETWEEN + ")"
    r"[\"']?[vV]alue[\"']?\s{0,8}[:=]\s{0,8}"
    r"(?:(?P<quote>[\"'])(?P<quoted>[^\n\"']{4,200})(?P=quote)"
    r"|(?P<bare>(?![{\[])[^\s\"'`<>|;,]{4,128})(?<![{}\[\]])(?=[ \t]*(?:\n|#|\Z)))"
)
# In connection strings and XML: `;Password=…;`, `?password=…&`, `<password>…</password>`, `key="Password" value="…"`.
_IN_STRING = re.compile(r"(?:word|wd|d)?=([^\s;&\"'`<>()\[\]{}]{3,128})(?=[;&\"'`\s])")
_BEFORE_IN_STRING = re.compile(r"[;?&\"']\s?(?:[Uu]ser ?)?$|(?:host|user|dbname|port|uid|UID)=[^\s\"']* $")
_IN_XML = re.compile(
    r"(?:word|wd|d|phrase)?(?:>\s{0,8}([^\s<>]{4,128})\s{0,8}</|\"\s+value=\"([^\s\"]{4,128})\""
    r"|\">\s{0,20}(?:<value>)?([^\s<>]{4,128})\s{0,20}</)",
    re.IGNORECASE,
)
# In a comment a password stands without quotes in every language: `// password: …`.
_COMMENT = re.compile(r"^\s*(?:#|//|/?\*|--|;|<!--|%|REM\s)|(?:^|\s)(?:#|//|/\*)\s")
_IN_COMMENT = re.compile(
    r"(?P<tail>[\w.-]{0,40}+)[\"'`]?[ \t]{0,4}(?:[:=]|\bis\b)[ \t]{0,4}(?P<bare>[^\s\"'`<>|;,]{7,128}[^\s\"'`<>|;,.)])"
    r"[;,.)]{0,2}(?=\s|\Z)"
)
_CAMEL_CASE = re.compile(r"[A-Za-z][a-z]++(?:[A-Z][a-z]{2,}+)*+")
_QUOTES = frozenset("\"'`\\")
_LOOK_BACK = 120
_LONGEST_HEAD = 40
_NOTHING_ELSE = re.compile(r"[^\S\n]*+(?:[#;\\\n]|\Z)")
_HEX_DIGITS = frozenset((24, 26, 28, 30, 32, 36, 40, 48, 50, 56, 60, 64, 72, 80, 96, 100, 128))


@dataclass(frozen=True)
class Assigned:
    """A secret that its name gave away.

    Attributes:
        rule: `password`, `secret`, `generic-key` or `hex-key`.
        word: What its placeholder calls it.
        start: First character of the value.
        end: Character after its last.
    """

    rule: str
    word: str
    start: int
    end: int


def chosen(text: str, lower: str, language: str) -> Iterator[Assigned]:
    """Passwords and secrets that people chose, and those that chance made under names of such.

    Args:
        text: The text.
        lower: The same in small letters, of the same length.
        language: Its language.
    """
    for stem in STEMS:
        place = lower.find(stem)
        while place >= 0:
            after = place + len(stem)
            if begins_name(text, place, stem):
                found = _value_after(text, place, after, language) or _next_value(text, place, after, language)
                if found is not None:
                    yield found
            place = lower.find(stem, after)


def assigned_run(text: str, start: int, end: int, language: str) -> Assigned | None:
    """The secret that a long run `text[start:end]` is part of, when chance made it and a name before it tells."""
    line = _line_before(text, start)
    if not _near_key(line):
        return None
    before = BEFORE_RUN.search(line)
    if before is None or not names_key(before["name"]):
        return None
    name = before["name"]
    if not may_give(before, name, line[: before.start()], may_be_listed(name), language):
        return None
    first = start - len(before["head"])
    quote = before["quote"]
    last = _end_of_value(text, end, quote)
    value = text[first:last]
    if quote is None and (not _may_be_bare(line, before, language) or text[last : last + 1] in ("(", "[")):
        return None
    if text[first - 2 : first] in ("${", "%(", "{{") or not _is_key(value, name, quoted=quote is not None):
        return None
    if names_azure_key(name):
        return Assigned("azure-key", "key", first, last)
    password = names_password(name)
    rule = "hex-key" if is_hex(value) and not password else "password" if password else "generic-key"
    return Assigned(rule, "password" if password else "key", first, last)


def edges(language: str) -> bytes:
    """What may stand before a value that has no digit: few of the long runs without any have that."""
    return b"\"'`\\= " if language in UNQUOTED else b"\"'`\\"


def may_be_assigned(text: str, start: int, end: int, language: str) -> bool:
    """Whether a long run without any digit, after one of its language's `edges`, is worth a look: most are names."""
    if text[end : end + 1] not in _QUOTES and language not in UNQUOTED:
        return False
    run = text[start:end]
    if run == run.lower() or run == run.upper() or _CAMEL_CASE.fullmatch(run):
        return False
    return _near_key(_line_before(text, start)) and is_jumbled(run)


def _near_key(line: str) -> bool:
    lower = line.lower()
    return any(stem in lower for stem in KEY_STEMS)


def _may_be_bare(line: str, before: re.Match[str], language: str) -> bool:
    return language in UNQUOTED or "=" in before[0] or _COMMENT.search(line) is not None


def _is_key(value: str, name: str, quoted: bool) -> bool:
    if is_uuid(value):
        return may_hold_uuid(name)
    if value.lower().startswith("0x"):
        value = value[2:]
    if is_hex(value) and len(value) not in _HEX_DIGITS:
        return False
    return is_random(value) and (quoted or len(value) >= MIN_RANDOM + 4)


def _end_of_value(text: str, end: int, quote: str | None) -> int:
    stops = "\"'`\n \t\\" if quote is not None else "\"'`\n \t\\,;&)}]>#("
    while end < len(text) and text[end] not in stops:
        end += 1
    return end


def _value_after(text: str, stem: int, after: int, language: str) -> Assigned | None:
    match = AFTER_STEM.match(text, after)
    if match is None:
        return _unquoted_after(text, stem, after, language)
    name = _name_before(text, stem, after) + match["tail"]
    start, end = match.span("quoted")
    start_of_name = after + len(match["tail"]) - len(name)
    before = _line_before(text, start_of_name)
    listed = not match["tail"] or may_be_listed(match["tail"])
    if is_about(name, match["tail"]) or not may_give(match, name, before, listed, language):
        return None
    listed_key = before.endswith("=") or "=" in match["quoted"] or _KEY_FOLLOWS.match(text, match.end()) is not None
    if match["operator"] == "," and listed_key:
        return None
    if before.endswith("::") or _JOINED.search(match["quoted"]):
        return None
    value = match["quoted"]
    if not _is_secret(value, name) and not _is_setting(value, name, language):
        return None
    return _of_name(name, start, end)


def _next_value(text: str, stem: int, after: int, language: str) -> Assigned | None:
    match = _NEXT_VALUE.match(text, after)
    if match is None or (match["bare"] and language not in UNQUOTED):
        return None
    name = _name_before(text, stem, after) + match["tail"]
    if is_about(name, match["tail"]):
        return None
    value = "bare" if match["bare"] else "quoted"
    return _of_name(name, *match.span(value)) if _is_secret(match[value], name) else None


def _unquoted_after(text: str, stem: int, after: int, language: str) -> Assigned | None:
    match = _LINE_AFTER.match(text, after) if language in _LINES else None
    if match is None and language in UNQUOTED:
        match = _UNQUOTED_AFTER.match(text, after)
    if match is not None:
        name = _name_before(text, stem, after) + match["tail"]
        secret = not is_about(name, match["tail"]) and _is_secret(match["bare"], name)
        if secret and _stands_alone(text, match, language):
            return _of_name(name, *match.span("bare"))
    elif language not in UNQUOTED and (found := _in_comment(text, stem, after)) is not None:
        return found
    if text[stem : stem + 1] not in "pP":
        return None
    match = _IN_STRING.match(text, after)
    if match is not None and not _BEFORE_IN_STRING.search(text, max(0, stem - 40), stem):
        match = None
    match = match or _IN_XML.match(text, after)
    if match is None or not match.lastindex or is_code(match[match.lastindex]) or is_fake(match[match.lastindex]):
        return None
    return Assigned("password", "password", *match.span(match.lastindex))


def _in_comment(text: str, stem: int, after: int) -> Assigned | None:
    """A value of a comment: only one that chance made, as comments hold code and sentences too."""
    match = _IN_COMMENT.match(text, after)
    if match is None or not is_jumbled(match["bare"]) or not is_chosen(match["bare"]):
        return None
    name = _name_before(text, stem, after) + match["tail"]
    if is_about(name, match["tail"]) or _COMMENT.search(_line_before(text, stem)) is None:
        return None
    return _of_name(name, *match.span("bare"))


def _line_before(text: str, place: int) -> str:
    """What stands before a place in its line, as far back as names are looked for."""
    first = max(0, place - _LOOK_BACK)
    return text[max(first, text.rfind("\n", first, place) + 1) : place]


def _name_before(text: str, stem: int, after: int) -> str:
    first = max(0, stem - _LONGEST_HEAD)
    backwards = _NAME.match(text[first:after][::-1])
    return backwards[0][::-1] if backwards else ""


def _is_secret(value: str, name: str) -> bool:
    return is_chosen(value) and (len(value) >= 8 or names_password(name))


def _is_setting(value: str, name: str, language: str) -> bool:
    return language in _SETTINGS and names_password(name) and is_passphrase(value)


def _of_name(name: str, start: int, end: int) -> Assigned:
    word = "password" if names_password(name) else "secret"
    return Assigned(word, word, start, end)


def _stands_alone(text: str, match: re.Match[str], language: str) -> bool:
    """Whether an unquoted value is all that is assigned: no call, no expression, no sentence after it."""
    assigned = match["operator"] == "=" and text[match.start("operator") - 1] != " "
    if match.re is _LINE_AFTER:
        return match["operator"] != ":" or language == "INI"
    return "(" not in match["bare"] and (
        _NOTHING_ELSE.match(text, match.end()) is not None or (language in SHELLS and assigned)
    )
