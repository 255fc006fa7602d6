"""Personal data: e-mail addresses, public IP addresses, telephone numbers in the international form."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address

_DOMAIN = re.compile(r"@((?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,62})\.)+([A-Za-z]{2,18}))(?![A-Za-z0-9_@(-]|\.[A-Za-z0-9_])")
_LOCAL = re.compile(r"[A-Za-z0-9](?:[\w.+%-]{0,62}[\w+-])?$")
# What ends a host name somewhere: of the generic domains those in use, of two letters all but extensions of files.
_GENERIC_TEXT = """
com net org edu gov mil int info biz name pro aero coop museum mobi jobs travel cat tel asia xyz online site tech
store app dev cloud email blog shop club live design group solutions agency digital network systems software company
team works space world today global academy center international technology services science page wiki art news
media studio bank berlin hamburg bayern koeln wien swiss london paris nyc tokyo amsterdam brussels vlaanderen scot
wales quebec africa consulting engineering health care legal finance fund ventures capital partners energy education
university school institute community foundation social ltd gmbh inc llc one zone life link click plus top ovh email
corp intra intranet internal lan local home
"""
_RESERVED = re.compile(
    r"(?:^|\.)(?:example\.(?:com|org|net|edu)|example|invalid|test|localhost|localdomain)$"
    r"|^(?:domain|email|mail|mydomain|yourdomain|your-domain|yourcompany|your-company|company|mycompany|acme|foo|bar|baz"
    r"|foobar|test|host|server|somewhere|something|some-domain|my|site|xyz|abc|a|b|c|x|y|z|users\.noreply\.github)\.[a-z]+$"
    r"|^users\.noreply\."
    r"|^v?\d+(?:\.\d+)*\.[a-z]+$",  # the version of a package, as in `checkout@v4.io`
    re.IGNORECASE,
)
_NOBODY = re.compile(
    r"^(?:(?:git|hg|svn|no-?reply|do-?not-?reply|donotreply|root|postmaster|mailer-daemon|nobody)"
    r"|(?:your|my)[._-]?(?:name|email|e-mail|user|username))$",
    re.IGNORECASE,
)
_IPV4 = re.compile(r"\.\d{1,3}\.\d{1,3}\.")
_QUAD = re.compile(r"(?<![\w.+~^=-])(?:\d{1,3}\.){3}\d{1,3}(?![\w+~]|\.\d|-[A-Za-z])")
_IPV6 = re.compile(r"2[0-9A-Fa-f]{3}:[0-9A-Fa-f:]{3,34}(?![\w:.])")
_PHONE = re.compile(r"\+[1-9]\d{0,2}(?:[ .-]?\(?\d{1,5}\)?){1,6}")
_VERSION = re.compile(
    r"version|release|\bver\b|\bv\.?$|assembly|nuget|package|maven|\boid\b|objectid|upgrade|changelog", re.I
)
# Given out for protocols, not to anybody, although `ipaddress` calls them global (IANA's special-purpose registry).
_SPECIAL = ("192.0.0.", "192.31.196.", "192.52.193.", "192.88.99.", "192.175.48.")
# Resolvers that stand for "some address" all over the world.
_RESOLVERS_TEXT = """
8.8.8.8 8.8.4.4 1.1.1.1 1.0.0.1 1.1.1.2 1.1.1.3 9.9.9.9 9.9.9.10 149.112.112.112 208.67.222.222 208.67.220.220
4.2.2.1 4.2.2.2 4.2.2.3 4.2.2.4 64.6.64.6 64.6.65.6 114.114.114.114 114.114.115.115 223.5.5.5 223.6.6.6 119.29.29.29
77.88.8.8 77.88.8.1 94.140.14.14 84.200.69.80 76.76.2.0 8.26.56.26 185.228.168.9 2001:4860:4860::8888
2001:4860:4860::8844 2606:4700:4700::1111 2606:4700:4700::1001 2620:fe::fe
"""
_SMALL_OCTET = 32
_LINE = 120


_GENERIC = frozenset(_GENERIC_TEXT.split())
_FILE_ENDINGS = frozenset(["js", "ts", "go", "cs", "rb", "db", "gz", "xz", "vb", "hs", "kt", "fs", "rm", "rc"])
_RESOLVERS = frozenset(_RESOLVERS_TEXT.split())


@dataclass(frozen=True)
class Personal:
    """A piece of personal data: its rule (`email`, `ip-address`, `phone-number`), first character, end."""

    rule: str
    start: int
    end: int


def personal(text: str) -> Iterator[Personal]:
    """Every piece of personal data of a text."""
    yield from _emails(text)
    yield from _addresses(text)
    if "+" in text:
        yield from _phone_numbers(text)


def _emails(text: str) -> Iterator[Personal]:
    for match in _DOMAIN.finditer(text):
        place = match.start()
        local = _LOCAL.search(text, max(0, place - 65), place)
        if local is None or not _is_top_level(match[2].lower()) or _NOBODY.match(local[0]):
            continue
        if _RESERVED.search(match[1]) or _is_login(text, local.start(), match.end()):
            continue
        yield Personal("email", local.start(), match.end())


def _is_top_level(top: str) -> bool:
    return top in _GENERIC or (len(top) == 2 and top not in _FILE_ENDINGS)


def _is_login(text: str, start: int, end: int) -> bool:
    """Whether `user@host` is part of a URL or of a path for ssh, where it names an account of a machine."""
    before = text[max(0, start - _LINE) : start]
    authority = before.rpartition("://")
    if authority[1] and not any(c in authority[2] for c in " \t\n\"'`<>(,"):
        return True
    return text[end : end + 1] == ":" and re.match(r"[\w~./-]", text[end + 1 : end + 2]) is not None


def _addresses(text: str) -> Iterator[Personal]:
    last = 0
    for inner in _IPV4.finditer(text):
        match = _QUAD.search(text, max(last, inner.start() - 3), inner.end() + 4)
        if match is None:
            continue
        last = match.end()
        if _is_public(match[0]) and not _is_version(text, match.start(), match[0]):
            yield Personal("ip-address", match.start(), match.end())
    for match in _IPV6.finditer(text):
        if re.match(r"[\w:.]", text[max(0, match.start() - 1) : match.start()]) is None and _is_public6(match[0]):
            yield Personal("ip-address", match.start(), match.end())


def _is_public(quad: str) -> bool:
    try:
        address = IPv4Address(quad)
    except AddressValueError:
        return False
    return address.is_global and not address.is_multicast and quad not in _RESOLVERS and not quad.startswith(_SPECIAL)


def _is_public6(group: str) -> bool:
    try:
        address = IPv6Address(group)
    except AddressValueError:
        return False
    return address.is_global and str(address) not in _RESOLVERS and group.count(":") >= 3


def _is_version(text: str, start: int, quad: str) -> bool:
    octets = [int(octet) for octet in quad.split(".")]
    network = octets[3] == 0 and text[start + len(quad) : start + len(quad) + 1] != "/"
    if max(octets) < _SMALL_OCTET or network or len(set(octets)) == 1:
        return True
    line = text[max(0, text.rfind("\n", 0, start) + 1, start - _LINE) : start]
    return _VERSION.search(line) is not None


def _phone_numbers(text: str) -> Iterator[Personal]:
    for match in _PHONE.finditer(text):
        start, end = match.span()
        digits = "".join(filter(str.isdigit, match[0]))
        if (
            not 9 <= len(digits) <= 15
            or text[end : end + 1].isalnum()
            or text[end : end + 1] in (":", "_")
            or "555" in digits[1:7]
        ):
            continue
        before = text[max(0, start - 6) : start]
        marked = before[-1:] in ("'", '"', ">") or before.endswith(("tel:", ": ", "tel "))
        grouped = sum(map(match[0].count, " -.(")) >= 2
        if (marked or (grouped and before[-1:] in (" ", "\t", "\n", "", "("))) and not _repetitive(digits):
            yield Personal("phone-number", start, end)


def _repetitive(digits: str) -> bool:
    return len(set(digits)) <= 3 or "12345678" in digits or "00000" in digits
