"""Secrets that only the name beside them gives away: `db_password = "…"`, `api_key: …`, `SECRET=…`.

A value that chance made is found under many names; a password that a person chose only under names of passwords and
secrets, and without quotes only in languages whose strings need none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from duotune.data.redaction.values import MIN_RANDOM, is_chosen, is_code, is_fake, is_hex, is_random, is_uuid

SHELLS = frozenset(["Shell", "Fish", "Dockerfile", "Makefile", "Batchfile"])
UNQUOTED = SHELLS | frozenset(
    ["YAML", "INI", "TOML", "Text", "Markdown", "reStructuredText", "AsciiDoc", "Org", "Diff"]
)
"""Languages in which a string needs no quotes, and prose, which quotes them."""

_STEMS = ("pass", "pwd", "secret")
# `pass` begins a word, as not in `compass`, and ends it, as not in `passing`; but `dbpass` and its like are names.
_PASS = re.compile(
    r"(?:pass(?=w|phrase)|(?<![a-z])pass(?![a-z])|(?<=[a-z])Pass(?![a-z])|(?<![A-Za-z])PASS(?![A-Za-z])"
    r"|(?<=db|my)pass(?![a-z])|(?<=ftp|sql|ssh|usr)pass(?![a-z])|(?<=user|root|smtp|mail)pass(?![a-z]))"
    r"(?![\s(][^=:])",
)
_PASS_WORD = re.compile(r"(?i:passw|passphrase)")
_PASSWORD = re.compile(r"pass|pwd", re.IGNORECASE)
_NAME = re.compile(r"[\w.$-]*+")
_QUOTED_NAMES_END = r"\\?[\"'`]?\]?\)?"
# A type between name and value, as in `password: str = "…"` or `final String password = "…"`.
_TYPE = r"(?:\s{0,4}:\s{0,2}[A-Za-z][\w\[\], |.?<>]{0,40}+(?=\s{0,4}=))?"
_OPERATOR = r"\s{0,20}(?P<operator>=>|:=|\?=|\+=|={1,3}|!==?|::?|,|\|\||\?\?|\()\s{0,20}"
# A parenthesis may hold the value on a line of its own; a value may hold other quotes, and its own after a backslash.
_QUOTED = (
    r"(?:\((?=[ \t]{0,8}\n)\s{0,40})?[bBfFuUrRL@$]{0,2}(?P<quote>\\?[\"'`])"
    r"(?P<quoted>(?:(?!(?P=quote))(?:\\[^\n]|[^\n\\])){4,200}+)(?P=quote)"
)
_JOINED = re.compile(r"^[\"'`]|[\"'`]$|[\"'`]\s?[+.&,]|[+.&,]\s?[\"'`]")
_AFTER_STEM = re.compile(r"(?P<tail>[\w-]{0,40}+)" + _QUOTED_NAMES_END + _TYPE + _OPERATOR + _QUOTED)
_UNQUOTED_AFTER = re.compile(
    r"(?P<tail>[\w.-]{0,40}+)[\"']?[ \t]{0,8}(?P<operator>=|: |:\t)[ \t]{0,8}"
    r"(?P<bare>(?![{\[])[^\s\"'`<>|;,]{4,128})(?<![{}\[\]])(?=\s|;|,|$)"
)
# Where a value goes to the end of its line, it may hold more.
_LINES = frozenset(["YAML", "INI"])
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
_IN_STRING = re.compile(r"(?:word|wd)?=([^\s;&\"'`<>()\[\]{}]{3,128})(?=[;&\"'`\s])")
_BEFORE_IN_STRING = re.compile(r"[;?&\"']\s?(?:[Uu]ser ?)?$|(?:host|user|dbname|port|uid|UID)=[^\s\"']* $")
_IN_XML = re.compile(
    r"(?:word|wd|phrase)?(?:>\s{0,8}([^\s<>]{4,128})\s{0,8}</|\"\s+value=\"([^\s\"]{4,128})\""
    r"|\">\s{0,20}(?:<value>)?([^\s<>]{4,128})\s{0,20}</)",
    re.IGNORECASE,
)
# Names that end so hold something about a secret.
_ABOUT = re.compile(
    r"(?:url|uri|path|file|filename|dir|field|label|input|type|length|len|size|min|max|policy|regex|pattern|re|env|name"
    r"|names|id|ids|hint|help|error|err|message|msg|title|text|placeholder|prompt|hash|hashed|digest|algorithm|alg|class"
    r"|style|page|route|endpoint|header|prefix|suffix|format|version|enabled|required|changed|reset|template|provider"
    r"|manager|validator|strength|encoder|encoding|desc|description|column|attr|attribute|property|param|parameter|count"
    r"|ref|arn|group|role|mode|method|command|cmd|expiry|expires|date|at|used|mgr|manager|value|reader|callback|policy|key_name|engine|store|tag|action|selector|icon)"
    r"s?$",
    re.IGNORECASE,
)
_BEFORE_RUN = re.compile(
    r"(?<![\w.$-])(?P<name>[\w.$-]{2,64}+)"
    + _QUOTED_NAMES_END
    + _TYPE
    + _OPERATOR
    + r"(?:[bBfFuUrRL@$]{0,2}(?P<quote>\\?[\"'`]))?"
    r"(?P<head>[^\s\"'`<>{}\[\]|;,()=:]{0,16})$"
)
_KEY_NAME = re.compile(
    r"passw|passphrase|pwd|secret|token(?!i[sz])|api[-_.]?key|access[-_.]?key|account[-_.]?key|private|signing|encrypt|crypto"
    r"|credential|(?:^|[-_.])auth|bearer|licen[cs]e[-_.]?key|hmac|(?<![a-z])salt|master[-_.]?key|(?<![a-z])psk"
    r"|(?:^|[-_.])key$|(?:^|[a-z_.-])(?:[-_.]key|KEY|Key)$|jwt|cookie[-_.]?secret|client[-_.]?secret|seed$|mnemonic|dsn$",
    re.IGNORECASE,
)
_KEY_STEMS = (
    *("key", "secret", "token", "pass", "pwd", "auth", "cred", "salt", "seed", "sign", "crypt", "private", "hmac"),
    *("bearer", "jwt", "psk", "mnemonic", "dsn"),
)
_LOOK_BACK = 120
_LONGEST_HEAD = 40
_NOTHING_ELSE = re.compile(r"[^\S\n]*+(?:[#;\\\n]|\Z)")
_LISTED_NAME = re.compile(
    r"(?:key|token|secret|password|passwd|pwd|pass|credentials?|word|wd|phrase|wort)$", re.IGNORECASE
)
_UUID_NAME = re.compile(r"(?:secret|password|pass|api[-_.]?key|secret[-_.]?key)$", re.IGNORECASE)
_AZURE = re.compile(r"AccountKey$|SharedAccessKey$")
_NO_KEY_NAME = re.compile(
    r"pullsecrets?$|public|publish|pub[-_.]?key|primary|foreign|partition|sort[-_.]?key|cache|hash|sha\d|md5|digest|checksum|integrity"
    r"|etag|finger|thumb|commit|revision|(?:^|[-_.])rev|version|uuid|guid|(?:next|page|max|start|end|sync|continuation|pagination)[-_.]?token|continuation|cursor|csrf|xsrf"
    r"|expected|author(?!iz)|test[-_.]?vector|idempoten|public[-_.]?token|signature|cert|plain|cipher[-_]?text|nonce|(?:^|[-_.])iv$"
    r"|(?:key|token|secret|auth)[-_.]?(?:id|name|code|type|size|len|length|path|file|alias|ring|board|word|url|uri|arn|hash"
    r"|prefix|version|count|endpoint|count|field|header|class)s?$|(?-i:(?<=[a-z0-9])I[Dd]|_I[Dd]|[_-]id)s?$|monkey|donkey|turkey|keyframes?|i18n|translat|locali[sz]",
    re.IGNORECASE,
)
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
    for stem in _STEMS:
        place = lower.find(stem)
        while place >= 0:
            after = place + len(stem)
            if stem != "pass" or _PASS_WORD.match(text, place) or _PASS.match(text, place):
                found = _value_after(text, place, after, language) or _next_value(text, place, after, language)
                if found is not None:
                    yield found
            place = lower.find(stem, after)


def assigned_run(text: str, start: int, end: int, language: str) -> Assigned | None:
    """The secret that a long run `text[start:end]` is part of, when chance made it and a name before it tells."""
    first = max(0, start - _LOOK_BACK)
    line = text[max(first, text.rfind("\n", first, start) + 1) : start]
    lower = line.lower()
    if not any(stem in lower for stem in _KEY_STEMS):
        return None
    before = _BEFORE_RUN.search(line)
    if before is None or (before["operator"] in (",", "(") and not _may_list(before, before["name"])):
        return None
    if not _KEY_NAME.search(before["name"]) or _NO_KEY_NAME.search(before["name"]):
        return None
    first = start - len(before["head"])
    quote = before["quote"]
    last = _end_of_value(text, end, quote)
    value = text[first:last]
    if quote is None and ((language not in UNQUOTED and "=" not in before[0]) or text[last : last + 1] in ("(", "[")):
        return None
    if text[first - 2 : first] in ("${", "%(", "{{") or not _is_key(value, before["name"], quoted=quote is not None):
        return None
    if _AZURE.search(before["name"]):
        return Assigned("azure-key", "key", first, last)
    password = _PASSWORD.search(before["name"]) is not None
    rule = "hex-key" if is_hex(value) and not password else "password" if password else "generic-key"
    return Assigned(rule, "password" if password else "key", first, last)


def _may_list(match: re.Match[str], name: str) -> bool:
    """Whether a comma or parenthesis may give a name its value: `getenv("PASSWORD", "…")`, `setPassword("…")`."""
    call = match["operator"] == "(" and match.string[match.start("operator") - 1] != " "
    return call or (match["operator"] == "," and (not name or _LISTED_NAME.search(name) is not None))


def _is_key(value: str, name: str, quoted: bool) -> bool:
    if is_uuid(value):
        return _UUID_NAME.search(name) is not None
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
    match = _AFTER_STEM.match(text, after)
    if match is None:
        return _unquoted_after(text, stem, after, language)
    name = _name_before(text, stem, after) + match["tail"]
    start, end = match.span("quoted")
    start_of_name = after + len(match["tail"]) - len(name)
    if match["operator"] in (",", "(") and not _may_list(match, match["tail"]):
        return None
    if match["operator"] == "(" and text[start_of_name - 1 : start_of_name] == "@":
        return None
    if match["operator"] == "," and (text[start_of_name - 1 : start_of_name] == "=" or "=" in match["quoted"]):
        return None
    if _ABOUT.search(match["tail"]) or _NO_KEY_NAME.search(name) or text[start_of_name - 2 : start_of_name] == "::":
        return None
    if _JOINED.search(match["quoted"]):
        return None
    return _of_name(name, start, end) if _is_secret(match["quoted"], name) else None


def _next_value(text: str, stem: int, after: int, language: str) -> Assigned | None:
    match = _NEXT_VALUE.match(text, after)
    if match is None or (match["bare"] and language not in UNQUOTED):
        return None
    name = _name_before(text, stem, after) + match["tail"]
    if _ABOUT.search(match["tail"]) or _NO_KEY_NAME.search(name):
        return None
    value = "bare" if match["bare"] else "quoted"
    return _of_name(name, *match.span(value)) if _is_secret(match[value], name) else None


def _unquoted_after(text: str, stem: int, after: int, language: str) -> Assigned | None:
    match = _LINE_AFTER.match(text, after) if language in _LINES else None
    if match is None and language in UNQUOTED:
        match = _UNQUOTED_AFTER.match(text, after)
    if match is not None:
        name = _name_before(text, stem, after) + match["tail"]
        about = _ABOUT.search(match["tail"]) or _NO_KEY_NAME.search(name)
        if not about and _is_secret(match["bare"], name) and _stands_alone(text, match, language):
            return _of_name(name, *match.span("bare"))
    if text[stem : stem + 1] not in "pP":
        return None
    match = _IN_STRING.match(text, after)
    if match is not None and not _BEFORE_IN_STRING.search(text, max(0, stem - 40), stem):
        match = None
    match = match or _IN_XML.match(text, after)
    if match is None or not match.lastindex or is_code(match[match.lastindex]) or is_fake(match[match.lastindex]):
        return None
    return Assigned("password", "password", *match.span(match.lastindex))


def _name_before(text: str, stem: int, after: int) -> str:
    first = max(0, stem - _LONGEST_HEAD)
    backwards = _NAME.match(text[first:after][::-1])
    return backwards[0][::-1] if backwards else ""


def _is_secret(value: str, name: str) -> bool:
    return is_chosen(value) and (len(value) >= 8 or _PASSWORD.search(name) is not None)


def _of_name(name: str, start: int, end: int) -> Assigned:
    word = "password" if _PASSWORD.search(name) else "secret"
    return Assigned(word, word, start, end)


def _stands_alone(text: str, match: re.Match[str], language: str) -> bool:
    """Whether an unquoted value is all that is assigned: no call, no expression, no sentence after it."""
    assigned = match["operator"] == "=" and text[match.start("operator") - 1] != " "
    if match.re is _LINE_AFTER:
        return match["operator"] != ":" or language == "INI"
    return "(" not in match["bare"] and (
        _NOTHING_ELSE.match(text, match.end()) is not None or (language in SHELLS and assigned)
    )
