"""Which names say that a secret stands beside them, and which only that something about a secret does."""

from __future__ import annotations

import re

STEMS = ("pass", "pw", "secret")
"""Small letters that are in every name of a password or secret."""

# `pass` begins a word, as not in `compass`, and ends it, as not in `passing`; but `dbpass` and its like are names.
_PASS = re.compile(
    r"(?:pass(?=w|phrase|code)|(?<![a-z])pass(?![a-z])|(?<=[a-z])Pass(?![a-z])|(?<![A-Za-z])PASS(?![A-Za-z])"
    r"|(?<=db|my|DB|MY)(?i:pass)(?![A-Za-z])|(?<=ftp|sql|ssh|usr|app|vnc|FTP|SQL|SSH|USR|APP|VNC)(?i:pass)(?![A-Za-z])"
    r"|(?<=user|root|smtp|mail|ldap|USER|ROOT|SMTP|MAIL|LDAP)(?i:pass)(?![A-Za-z]))"
    r"(?![\s(][^=:])",
)
_PASS_WORD = re.compile(r"(?i:passw|passphrase|passcode)")
# `pwd` anywhere, `pw` only as a word of its own at the end: not `pw_dir`, `pwm` or `httpwait`.
_PW = re.compile(
    r"(?i:pwd)|(?:(?<![A-Za-z])(?i:pw)|(?<=[a-z])Pw|(?<=db|my|DB|MY)(?i:pw)|(?<=user|root|smtp|USER|ROOT|SMTP)(?i:pw))"
    r"(?![A-Za-z_-])"
)
_PASSWORD = re.compile(r"pass|pw", re.IGNORECASE)
# Names that end so hold something about a secret.
_ABOUT_WORDS = """
url uri path file filename dir field label input type length len size min max policy regex pattern re env name names id
ids hint help error err message msg title text placeholder prompt hash hashed digest algorithm alg class style page
route endpoint header prefix suffix format version enabled required changed reset template provider manager validator
strength encoder encoding desc description column attr attribute property param parameter count ref arn group role mode
method command cmd expiry expires date at used mgr value reader callback engine store tag action selector icon
"""
_ABOUT = re.compile(f"(?:{'|'.join(_ABOUT_WORDS.split())})s?$", re.IGNORECASE)
_KEY_NAME = re.compile(
    r"passw|passphrase|pwd|secret|token(?!i[sz])|api[-_.]?key|access[-_.]?key|account[-_.]?key|private|signing|encrypt"
    r"|crypto|credential|(?:^|[-_.])auth|bearer|licen[cs]e[-_.]?key|hmac|(?<![a-z])salt|master[-_.]?key|(?<![a-z])psk"
    r"|(?:^|[-_.])key$|(?:^|[a-z_.-])(?:[-_.]key|KEY|Key)$|jwt|cookie[-_.]?secret|client[-_.]?secret|seed$|mnemonic"
    r"|dsn$",
    re.IGNORECASE,
)
KEY_STEMS = (
    *("key", "secret", "token", "pass", "pwd", "auth", "cred", "salt", "seed", "sign", "crypt", "private", "hmac"),
    *("bearer", "jwt", "psk", "mnemonic", "dsn"),
)
"""Small letters of which some are in every name of a key."""

_NO_KEY_NAME = re.compile(
    r"pullsecrets?$|public|publish|pub[-_.]?key|primary|foreign|partition|sort[-_.]?key|cache|hash|sha\d|md5|digest"
    r"|checksum|integrity|etag|finger|thumb|commit|revision|(?:^|[-_.])rev|version|uuid|guid"
    r"|(?:next|page|max|start|end|sync|continuation|pagination)[-_.]?token|continuation|cursor|csrf|xsrf"
    r"|expected|author(?!iz)|test[-_.]?vector|idempoten|public[-_.]?token|signature|cert|plain|cipher[-_]?text|nonce"
    r"|(?:^|[-_.])iv$|(?:key|token|secret|auth)[-_.]?(?:id|name|code|type|size|len|length|path|file|alias|ring|board"
    r"|word|url|uri|arn|hash|prefix|version|count|endpoint|field|header|class)s?$"
    r"|(?-i:(?<=[a-z0-9])I[Dd]|_I[Dd]|[_-]id)s?$|monkey|donkey|turkey|keyframes?|i18n|translat|locali[sz]",
    re.IGNORECASE,
)
_LISTED = re.compile(
    r"(?:key|token|secret|password|passwd|pwd|pass|credentials?|word|wd|phrase|wort|^d)$", re.IGNORECASE
)
_WITH_UUID = re.compile(r"(?:secret|password|pass|api[-_.]?key|secret[-_.]?key)$", re.IGNORECASE)
_AZURE = re.compile(r"AccountKey$|SharedAccessKey$")


def begins_name(text: str, place: int, stem: str) -> bool:
    """Whether the stem at this place is one of a name, and no letters of another word."""
    if stem == "pass":
        return _PASS_WORD.match(text, place) is not None or _PASS.match(text, place) is not None
    return stem != "pw" or _PW.match(text, place) is not None


def names_password(name: str) -> bool:
    """Whether a name is one of a password."""
    return _PASSWORD.search(name) is not None


def is_about(name: str, tail: str) -> bool:
    """Whether a name says that something about a secret stands beside it: its last letters, `tail`, may tell."""
    return _ABOUT.search(tail) is not None or _NO_KEY_NAME.search(name) is not None


def names_key(name: str) -> bool:
    """Whether a name is one of a key, token or password."""
    return _KEY_NAME.search(name) is not None and _NO_KEY_NAME.search(name) is None


def may_be_listed(name: str) -> bool:
    """Whether a name, or what follows its stem, may stand before a comma and its value: `getenv("PASSWORD", "…")`."""
    return _LISTED.search(name) is not None


def may_hold_uuid(name: str) -> bool:
    """Whether a UUID under this name is a secret."""
    return _WITH_UUID.search(name) is not None


def names_azure_key(name: str) -> bool:
    """Whether a name is one of Azure's storage keys."""
    return _AZURE.search(name) is not None
