"""Secrets that their surroundings give away: keys in blocks, URLs, headers, command lines, hashes of passwords.

Each rule has gates, plain substrings of which one is in every text that it can match; they keep the regular expressions
away from nearly every file.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from duotune.data.redaction.assignments import UNQUOTED
from duotune.data.redaction.values import is_chosen, is_code, is_fake, is_jumbled, is_random

_HOST = r"(?=[\w.\[$%{<-])"
_END_OF_KEY = r"-----END[A-Z0-9 ]*(?:PRIVATE KEY|PRIVATE KEY BLOCK)-----"


@dataclass(frozen=True)
class Context:
    """One rule.

    Attributes:
        rule: Its name.
        word: What the placeholder calls its values.
        gates: Substrings of which a text must have one.
        pattern: Its last group that matched is the value.
        accept: Whether the value is a secret.
        languages: Where the rule applies; None is everywhere.
    """

    rule: str
    word: str
    gates: tuple[str, ...]
    pattern: re.Pattern[str]
    accept: Callable[[str], bool]
    languages: frozenset[str] | None = None


def _plausible(value: str) -> bool:
    return len(value) >= 3 and not is_code(value) and not is_fake(value)


def _not_fake(value: str) -> bool:
    return not is_fake(value)


def _argument(value: str) -> bool:
    return _plausible(value) and (any(map(str.isdigit, value)) or is_jumbled(value)) and not value.startswith("-")


def _anything(value: str) -> bool:
    return True


def _user_and_password(value: str) -> bool:
    """Whether base64 holds `user:password`, and the password is no example."""
    try:
        user, colon, password = base64.b64decode(value + "=" * (-len(value) % 4), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return False
    return bool(colon) and (user + password).isprintable() and _plausible(password)


CONTEXTS = (
    # A header alone is what a program that parses keys holds; a key has its base64 right behind it.
    Context(
        "private-key",
        "private-key",
        ("PRIVATE KEY",),
        re.compile(
            r"----[- ]BEGIN (?:[A-Z0-9]{1,20} ){0,4}PRIVATE KEY(?: BLOCK)?[- ]----"
            r"(?:\\++[rn]?|[\s\"'`+,#*/]|[\w-]{1,40}+: [^\n]{0,200}\n)*+"
            r"[A-Za-z0-9+/=]{40}[A-Za-z0-9+/=\s\\\"'`,:#*-]*?(?:"
            + _END_OF_KEY
            + r"|(?=[^A-Za-z0-9+/=\s\\\"'`,:#*-])|\Z)"
        ),
        _anything,
    ),
    Context(
        "putty-key",
        "private-key",
        ("PuTTY-User-Key-File-",),
        # Its lines hold no second head, so that no line is read for more than one.
        re.compile(
            r"PuTTY-User-Key-File-\d: (?:(?!Private-Lines: |PuTTY-)[\s\S]){0,2000}+Private-Lines: \d+\n"
            r"(?:[A-Za-z0-9+/=]++\n?)++"
        ),
        _anything,
    ),
    Context("rsa-xml-key", "private-key", ("</D>",), re.compile(r"<D>([A-Za-z0-9+/=\s]{80,})</D>"), _anything),
    Context(
        "jwk-private-key",
        "private-key",
        ("kty",),
        re.compile(r"[\"']d[\"']\s*:\s*[\"']([\w-]{40,})[\"']"),
        is_random,
    ),
    Context(
        "url-password",
        "password",
        ("://",),
        # A password may hold `@`: the last one stands before the host. One with `/` must not begin as a port does, and
        # where `@` stands before the `/`, only a host with a port at the end tells it from a path.
        re.compile(
            r"://(?:[^\s/:@\"'`<>(),]{0,80}:([^\s/\"'`<>]{2,160}(?:/[^\s\"'`<>,]{0,80}(?=@[\w.-]{1,80}:\d{2,5}(?!\w)))?)@"
            + _HOST
            + r"|[\w.%+~-]{1,80}:(?!\d{1,5}[/?#,])"
            r"([^\s/@\"'`<>][^\s@\"'`<>]{0,158}[^\s/@\"'`<>](?:@[^\s/@\"'`<>]{1,80})?)@"
            + _HOST
            + r"|([0-9a-f]{32})@[\w.-]+/\d)"
        ),
        _plausible,
    ),
    Context(
        "url-token",
        "token",
        ("https://", "http://"),
        re.compile(r"https?://([\w-]{16,128}+):?@[\w.\[$%{<-]"),
        is_random,
    ),
    Context(
        "sql-password",
        "password",
        ("IDENTIFIED", "identified", "PASSWORD ", "password ", "PASSWORD '", "Password "),
        re.compile(
            r"(?:\bidentified\s{1,8}(?:with\s{1,8}\w{1,40}\s{1,8})?by|\b(?:with|encrypted|set)\s{1,8}password)\s{1,8}"
            r"(?:password\s{1,8})?[\"']([^\s\"']{4,128})[\"']",
            re.IGNORECASE,
        ),
        is_chosen,
    ),
    Context(
        "dockerfile-password",
        "password",
        ("ENV", "ARG", "env"),
        re.compile(
            r"^[ \t]{0,40}ENV[ \t]{1,8}\w{0,40}(?:PASS(?:WORD|WD|PHRASE)?|PWD|SECRET)[ \t]{1,8}[\"']?([^\s\"']{4,128})",
            re.IGNORECASE | re.MULTILINE,
        ),
        is_chosen,
        frozenset(["Dockerfile"]),
    ),
    Context(
        "xml-secret",
        "secret",
        ("</",),
        re.compile(
            r"<[\w.-]{0,40}(?:secret|api[-_.]?key|token)>\s{0,8}([^\s<>]{8,128})\s{0,8}</",
            re.IGNORECASE,
        ),
        is_chosen,
    ),
    Context(
        "auth-pair",
        "password",
        ("auth=", "auth =", "auth:", 'auth":', "auth':", "BasicAuth("),
        re.compile(
            r"(?:\bauth[\"']?\s{0,4}[=:]\s{0,4}|BasicAuth)[(\[]\s{0,20}[\"'][^\"'\n]{1,64}[\"']\s{0,8},\s{0,20}"
            r"[\"']([^\"'\n]{4,128})[\"']\s{0,8},?\s{0,20}[)\]]"
        ),
        is_chosen,
    ),
    Context(
        "basic-auth",
        "password",
        ("asic ",),
        re.compile(r"asic +([A-Za-z0-9+/]{8,}={0,2})(?![\w+/=])"),
        _user_and_password,
    ),
    Context(
        "bearer-token",
        "token",
        ("earer ",),
        re.compile(r"earer +([A-Za-z0-9_~+/.-]{16,}={0,2})(?![\w+/=])"),
        is_random,
    ),
    Context(
        "curl-user",
        "password",
        ("curl",),
        re.compile(
            r"\bcurl\b(?:(?!\bcurl\b)[^\n]){0,300}?\s(?:-u|--user|--proxy-user)[ =]?"
            r"[\"']?[^\s:\"'@/]{1,64}:([^\s\"'|&;]{3,128})"
        ),
        _plausible,
    ),
    Context(
        "netrc",
        "password",
        ("machine ", "machine\t"),
        re.compile(r"machine\s+\S+\s+login\s+\S+\s+password\s+[\"']?([^\s\"']+)"),
        _plausible,
    ),
    Context("pgpass", "password", (":5432:",), re.compile(r":5432:[\w*-]+:[\w*@.-]+:([^\s\"'`:]{3,})"), _plausible),
    Context(
        "password-argument",
        "password",
        ("sshpass", "mysql", "mariadb", "docker login", "redis-cli", "-storepass", "-keypass", " pass:", "--pass"),
        re.compile(
            r"(?:\b(?:mysql|mysqldump|mysqladmin|mariadb)\b(?:(?!\bmysql\b)[^\n|;]){0,200}?\s-p|sshpass\s+-p\s*"
            r"|docker\s+login\b(?:(?!docker)[^\n|;]){0,200}?\s-p[ =]?"
            r"|redis-cli\b(?:(?!redis-cli)[^\n|;]){0,200}?\s-a\s+|-(?:store|key)pass\s+"
            r"|pass(?:in|out)?\s+pass:|--pass(?:word|wd)?[ =])"
            r"[\"']?([^\s\"'`|;]{4,128})"
        ),
        _argument,
        UNQUOTED,
    ),
    Context(
        "azure-client-secret",
        "token",
        ("Q~",),
        re.compile(r"(?<![\w~.-])([\w~.]{3}\dQ~[\w~.-]{31,34})(?![\w~-])"),
        _not_fake,
    ),
    Context("azure-signature", "token", ("sig=",), re.compile(r"[?&]sig=([\w%+/-]{40,}(?:%3[Dd]|=)?)"), _not_fake),
)
_HASH = re.compile(
    r"(?:\$apr1\$[\w./]{1,8}\$[\w./]{22}|\$1\$[\w./]{1,8}\$[\w./]{22}|\$2[aby]\$\d\d\$[\w./]{53}"
    r"|\$[56]\$(?:rounds=\d+\$)?[\w./-]{1,16}\$[\w./]{43,86}|\$y\$[\w./]+\$[\w./]{10,}\$[\w./]{43}"
    r"|\$argon2(?:id|i|d)\$v=\d+\$m=\d+,t=\d+,p=\d+\$[\w+/-]{8,}\$[\w+/-]{16,}"
    r"|pbkdf2_sha(?:1|256)\$\d+\$[\w+/-]+\$[\w+/-]{20,}={0,2}|\{S?SHA(?:256|512)?\}[A-Za-z0-9+/]{27,}={0,2})"
)
_HASH_CHARACTERS = 128
_DISCORD = re.compile(r"[MNO][A-Za-z\d_-]{23,27}\.[\w-]{6}\.[\w-]{27,38}(?![\w-])")


def credentials(text: str, language: str) -> Iterator[tuple[Context, int, int]]:
    """Rule, start and end of every value that a rule of this module finds."""
    for context in CONTEXTS:
        if context.languages is not None and language not in context.languages:
            continue
        for gate in context.gates:
            if gate in text:
                break
        else:
            continue
        for match in context.pattern.finditer(text):
            group = match.lastindex or 0
            if context.accept(match[group]):
                yield context, match.start(group), match.end(group)


def discord_token(text: str, start: int, end: int) -> int | None:
    """The end of a Discord bot token that begins with the long run `text[start:end]`, or None."""
    if text[start] not in "MNO" or text[end : end + 1] != ".":
        return None
    match = _DISCORD.match(text, start)
    return match.end() if match and not is_fake(match[0]) else None


def password_hash(text: str, start: int, end: int) -> tuple[int, int] | None:
    """Start and end of a password hash that the long run `text[start:end]` is part of, or None."""
    first = max(0, start - _HASH_CHARACTERS)
    if text.find("$", first, start) < 0 and text[start - 1 : start] != "}":
        return None
    for match in _HASH.finditer(text, first, end + _HASH_CHARACTERS):
        if match.start() < end and start < match.end():
            return match.span()
    return None
