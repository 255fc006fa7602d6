"""Whether a value is a secret at all: chance made it, or a person chose it, and it is no example and no name."""

from __future__ import annotations

import itertools
import math
import re
from collections import Counter

from duotune.data.redaction.fake_words import FAKE_WORDS, SENTENCE_WORDS
from duotune.data.redaction.jumble import jumble

# What is left of a value without such words decides; the longest of them first.
_FAKE_WORD = re.compile("|".join(sorted(FAKE_WORDS.split(), key=len, reverse=True)))
# Anywhere in a value these leave no doubt.
_MARKERS = re.compile(
    r"example|placeholder|change[-_]?me|replace[-_]?me|redacted|your[-_]|xxxxx|\*\*\*|\.\.\.|…|0000000|1111111|aaaaaa"
    r"|1234567|abcdefg|qwerty|deadbeef|foobar|mysecret|supersecret|not[-_]?(?:a|so)[-_]?(?:real|secret)",
    re.IGNORECASE,
)
# These do in a short value, or as a word of its own; chance may write them into a long one.
_WORDS = re.compile(r"fake|dummy|sample|insert|lorem|todo|fixme|mock|xxxx", re.IGNORECASE)
_OWN_WORDS = re.compile(rf"(?<![A-Za-z])(?:{_WORDS.pattern})(?![A-Za-z])", re.IGNORECASE)
_SHORT = 24
# A template, a variable, a call, a path, a regular expression: something else becomes the value.
_CODE = re.compile(
    r"\$\{|\{\{|<%|%[(\[]|%\w|#\{|\$\(|\{[\w.!:]*\}|<[\w /.-]+>|^\$?\[|^\(|^\$\w+$|^\$\$|^@\w|^&\w|^%\w+%$|^!\w"
    r"|^__\w+__$|\(\)|\\[dwsbnrtxu0]|^\d{4}-\d\d-\d\d|\[\^|\]\*|\]\+|\.\*|\)\?|\(\?|^/|^\.{1,2}/|^~/|^[a-z]+://|^--"
    r"|^env[.:]|environ|getenv|process\.env|ENV\[|::|->|^[A-Za-z_][\w.]*\[[\w.$-]*(?:\]?$|\][.\[(])|\[\w-\w|=>|&&|\|\|"
    r"|^(?:self|this|config|settings|args|options|params|props|opts|ctx|req|request|os|vault|var|local|data|secrets?)\."
)
_FILE_NAME = re.compile(r"\.(?:[a-z]{2,4}|json|yaml|html|toml|java|properties|p12|mp[34]|h5)$", re.IGNORECASE)
_PIECES = re.compile(r"[A-Za-z][a-z]+|[A-Z]+(?![a-z])|[a-z]+|\d+")
_SEPARATORS = re.compile(r"[-_./:+ ]")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_HEX = re.compile(r"(?:0x)?(?:[0-9a-f]+|[0-9A-F]+)")
_SYMBOL = re.compile(r"[!@#$%^&*?=+~;|<>(){}\[\]]")
_TOKEN = re.compile(r"[A-Za-z0-9_+/.~-]+={0,3}")
_DATE_FORM = re.compile(r"[yY]{4}|MMM?dd|DDD|HH:?mm")
# Bits by which chance must describe a value better than words do; names of many parts come nearest.
_MIN_JUMBLED = 8
_JUMBLED = 0.0
_JUMBLED_IN_ONE_CASE = 5.0
_JUMBLED_APART = 12.0
_NO_PASSPHRASE = frozenset(SENTENCE_WORDS.split())
MIN_RANDOM = 16
MIN_CHOSEN = 6
MAX_CHOSEN = 128


def entropy(value: str) -> float:
    """Shannon's entropy of the characters of a value, in bits per character."""
    total = len(value)
    return -sum(n / total * math.log2(n / total) for n in Counter(value).values()) if value else 0.0


def is_uuid(value: str) -> bool:
    """Whether a value is a UUID."""
    return _UUID.fullmatch(value) is not None


def is_hex(value: str) -> bool:
    """Whether a value has hexadecimal digits of one case only, `0x` before them or not."""
    return _HEX.fullmatch(value) is not None


def is_fake(value: str, formed: bool = False) -> bool:
    """Whether a value says itself that it is none: an example, a placeholder, one character again and again.

    Args:
        value: The value.
        formed: Whether its form says already that chance made it, so that a short word in it means nothing.
    """
    lower = value.lower()
    if len(set(lower)) <= max(2, len(lower) // 12) or _MARKERS.search(lower) or _sequential(lower):
        return True
    if (_OWN_WORDS if formed or len(value) >= _SHORT else _WORDS).search(value):
        return True
    rest = _FAKE_WORD.sub("", lower) if _FAKE_WORD.search(lower) else lower
    if rest == lower:
        return False
    return sum(map(str.isalpha, rest)) < max(3, sum(map(str.isalpha, lower)) / 4)


def is_code(value: str) -> bool:
    """Whether a value is a template, a variable, a path or an expression, which only names what is secret."""
    return _CODE.search(value) is not None or _FILE_NAME.search(value) is not None


def is_random(value: str) -> bool:
    """Whether chance seems to have made a value: long, of many characters, changing between kinds all the time."""
    if len(value) < MIN_RANDOM or not _TOKEN.fullmatch(value) or is_fake(value):
        return False
    body = value.rstrip("=")
    digits = sum(map(str.isdigit, body))
    if digits == len(body) or body.count("/") > len(body) / 10 or body.count(".") > 3:
        return False
    bits = entropy(body)
    if is_hex(body):
        return len(body) >= 24 and bits >= 2.8 and digits >= 4
    plain = _SEPARATORS.sub("", body)
    if bits < (3.0 if len(body) < 24 else 3.4) or len(plain) < MIN_RANDOM - 2:
        return False
    mixed = any(map(str.islower, plain)) and any(map(str.isupper, plain))
    least = 0.28 if mixed and len(plain) < _SHORT else 0.2
    if not digits:
        return mixed and is_jumbled(plain)
    return _changes(plain) >= least * len(plain) and not _is_name(body, 3)


def is_chosen(value: str) -> bool:
    """Whether a value could be a password that somebody uses: digits or symbols among letters, no name, no example.

    A password of letters only is one when chance lined them up: a word cannot be told from what programs hold else.
    """
    if not MIN_CHOSEN <= len(value) <= MAX_CHOSEN or any(map(str.isspace, value)):
        return False
    if is_code(value) or is_fake(value) or is_uuid(value):
        return False
    letters, digits = sum(map(str.isalpha, value)), sum(map(str.isdigit, value))
    symbols = len(_SYMBOL.findall(value))
    if letters + digits < 4 or symbols > len(value) / 2 or not value.isascii():
        return False
    if not letters:
        return digits == len(value) and digits <= 12
    if not digits and not symbols:
        return is_jumbled(value)
    if not digits and value[-1] in "!?*:=" and value[:-1].replace("_", "").replace("-", "").isalpha():
        return False
    return not _is_name(value, 2)


def is_jumbled(value: str) -> bool:
    """Whether the letters of a value, of at least 8 characters, follow each other as chance has it and not as in words.

    Measured on 12 letters drawn at random: 97 in 100 of both cases are, 97 of one case; of 33,000 names and words of
    real code, one in 300.
    """
    if len(value) < _MIN_JUMBLED or not value.isascii():
        return False
    both = value.lower() != value != value.upper()
    if _SEPARATORS.search(value):
        if not both:
            return False
        least = _JUMBLED_APART
    else:
        least = _JUMBLED if both else _JUMBLED_IN_ONE_CASE
    return jumble(value) > least and _DATE_FORM.search(value) is None and not is_fake(value)


def is_passphrase(value: str) -> bool:
    """Whether a value is at least four words in small letters that make no sentence, as `correct horse …` are."""
    words = value.split(" ")
    if not 4 <= len(words) <= 8 or not value.isascii() or not all(word.isalpha() and word.islower() for word in words):
        return False
    return min(map(len, words)) >= 3 and not any(word in _NO_PASSPHRASE for word in words)


def _is_name(value: str, mean: float) -> bool:
    """Whether a value is words with separators between them, perhaps numbered, of so many letters on average."""
    pieces = _PIECES.findall(value)
    if not _SEPARATORS.search(value):
        return len(value) >= MIN_RANDOM and _mean([piece for piece in pieces if piece.isalpha()]) >= 4
    if sum(map(len, pieces)) + len(_SEPARATORS.findall(value)) != len(value):
        return False
    words = [piece for piece in pieces if piece.isalpha()]
    numbers = [piece for piece in pieces if piece.isdigit()]
    return len(numbers) <= max(1, len(words) // 2) and all(len(n) <= 4 for n in numbers) and _mean(words) >= mean


def _mean(words: list[str]) -> float:
    return sum(map(len, words)) / len(words) if words else 0.0


def _sequential(value: str) -> bool:
    """Whether most characters follow their neighbour as in an alphabet or a row of digits, up, down or not at all."""
    codes = [ord(character) for character in value if character.isalnum()]
    steps = sum(abs(later - former) <= 1 for former, later in itertools.pairwise(codes))
    return len(codes) >= 6 and steps >= 0.6 * (len(codes) - 1)


def _changes(value: str) -> int:
    """How often the kind of character changes; a capital that begins a word is no change back."""
    kinds = ["u" if c.isupper() else "l" if c.islower() else "d" for c in value]
    return sum(former != later and (former, later) != ("u", "l") for former, later in itertools.pairwise(kinds))
