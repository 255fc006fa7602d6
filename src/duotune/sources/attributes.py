"""What a repository's `.gitattributes` say of its files, as far as it concerns training.

The files are foreign input, read as blobs of the pinned commit (or from the folder) and never by git, so that no
attribute can start a program. Meaning as in gitattributes(5): the file nearest to a path is heard last, its last line
last of all; a pattern that ends in `/` speaks of no file. The attributes are those of linguist's documentation, and
`binary`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from duotune.sources.ignore import pattern_expression
from duotune.sources.source import Rejected, Source, SourceFile

FILE_NAME = ".gitattributes"
MAX_BYTES = 2**18
# Git's own limit of a line (attr.h).
MAX_LINE_BYTES = 2048
MAX_RULES = 1000
"""More lines that speak of our attributes are not heard: a hand-made file must not make every path slow."""

_NAMES = {
    "linguist-generated": "generated",
    "linguist-vendored": "vendored",
    "linguist-documentation": "documentation",
    "linguist-language": "language",
    "binary": "binary",
}
_WORD = re.compile(r"[^ \t\r]+")
_MACRO = "[attr]"
_ESCAPE = re.compile(r"\\([0-7]{3}|.)")
_ESCAPED = {"a": "\a", "b": "\b", "t": "\t", "n": "\n", "v": "\v", "f": "\f", "r": "\r"}

Words = dict[str, str | bool | None]


@dataclass(frozen=True)
class FileAttributes:
    """What is said of one file; None and "" where nothing is.

    Attributes:
        generated: `linguist-generated`.
        vendored: `linguist-vendored`.
        documentation: `linguist-documentation`.
        binary: `binary`.
        language: `linguist-language`, as it is written there.
    """

    generated: bool | None = None
    vendored: bool | None = None
    documentation: bool | None = None
    binary: bool | None = None
    language: str = ""


NOTHING_SAID = FileAttributes()


@dataclass(frozen=True)
class _Rule:
    pattern: str
    expression: re.Pattern[str]
    words: Words

    def matches(self, path: str) -> bool:
        return self.expression.fullmatch(path if "/" in self.pattern else path.rpartition("/")[2]) is not None


class Attributes:
    """The rules of a project.

    Args:
        contents: Path of each `.gitattributes` file (relative to the project, with `/`), and its content.
    """

    def __init__(self, contents: Mapping[str, bytes] | None = None) -> None:
        contents = contents or {}
        # Only the outermost file may define macros, and all others may use them.
        macros = _macros(_lines(contents.get(FILE_NAME, b"")))
        self._rules: list[tuple[str, list[_Rule]]] = []
        room = MAX_RULES
        for path in sorted(contents, key=lambda path: (path.count("/"), path)):  # outermost first: heard first
            rules = list(islice(_rules(_lines(contents[path]), macros), room))
            room -= len(rules)
            if rules:
                self._rules.append((path.removesuffix(FILE_NAME), rules))

    @property
    def fingerprint(self) -> str:
        """SHA-256 (hex) over all that is said; empty when nothing is."""
        said = [(base, rule.pattern, sorted(rule.words.items())) for base, rules in self._rules for rule in rules]
        return hashlib.sha256(repr(said).encode()).hexdigest() if said else ""

    def of(self, path: str) -> FileAttributes:
        """What is said of a path, relative to the project and with `/`."""
        found: Words = {}
        for base, rules in self._rules:
            if path.startswith(base):
                relative = path[len(base) :].encode("utf-8", "surrogateescape").decode("latin-1")
                for rule in rules:
                    if rule.matches(relative):
                        found |= rule.words
        return _file_attributes(found) if found else NOTHING_SAID


def read_attributes(source: Source, listing: Iterable[SourceFile | Rejected]) -> Attributes:
    """The attributes of a listed source; a file that cannot be read, or is larger than 256 KiB, says nothing."""
    files = [
        entry
        for entry in listing
        if isinstance(entry, SourceFile) and entry.path.rpartition("/")[2] == FILE_NAME and entry.size <= MAX_BYTES
    ]
    answers = source.contents(files)
    return Attributes({answer[0].path: answer[1] for answer in answers if not isinstance(answer, Rejected)})


def _lines(content: bytes) -> list[str]:
    lines = content.removeprefix(b"\xef\xbb\xbf").decode("latin-1").split("\n")
    return [line.strip(" \t\r") for line in lines if len(line) <= MAX_LINE_BYTES]


def _macros(lines: Iterable[str]) -> dict[str, Words]:
    """What each macro means of our attributes; one that uses another knows those above it."""
    macros: dict[str, Words] = {}
    for line in lines:
        if line.startswith(_MACRO):
            name, *words = _WORD.findall(line.removeprefix(_MACRO)) or [""]
            macros[name] = _words(words, macros)
    return macros


def _rules(lines: Iterable[str], macros: Mapping[str, Words]) -> Iterator[_Rule]:
    for line in lines:
        if not line or line.startswith(("#", _MACRO)):
            continue
        pattern, rest = _pattern(line)
        words = _words(_WORD.findall(rest), macros)
        # Git ignores a negative pattern with a warning, and never looks up a directory.
        if words and pattern and not pattern.startswith("!") and not pattern.endswith("/"):
            yield _Rule(pattern, pattern_expression(pattern), words)


def _pattern(line: str) -> tuple[str, str]:
    """A line's pattern and the rest; one in quotes is unquoted as in C."""
    if not line.startswith('"'):
        pattern, _, rest = line.replace("\t", " ").partition(" ")
        return pattern, rest
    match = re.match(r'"((?:[^"\\]|\\.)*)"(.*)', line)
    if match is None:
        return "", ""
    return _ESCAPE.sub(lambda found: _unescaped(found[1]), match[1]), match[2]


def _unescaped(code: str) -> str:
    return chr(int(code, 8) & 0xFF) if code.isdigit() and len(code) == 3 else _ESCAPED.get(code, code)


def _words(words: Iterable[str], macros: Mapping[str, Words]) -> Words:
    """Our attributes among the words of a line: set, unset (`-`), unspecified (`!`) or given a value (`=`)."""
    found: Words = {}
    for word in words:
        name, separator, value = word.lstrip("-!").partition("=")
        if word.startswith("!"):
            state: str | bool | None = None
        elif word.startswith("-"):
            state = False
        else:
            state = value if separator else True
        if name in _NAMES:
            found[_NAMES[name]] = state
        elif state is True:
            found |= macros.get(name, {})
    return found


def _file_attributes(found: Words) -> FileAttributes:
    """linguist takes every value but `false` for true; a language needs a value."""
    language = found.pop("language", None)
    flags = {name: None if state is None else state not in (False, "false") for name, state in found.items()}
    return FileAttributes(**flags, language=language if isinstance(language, str) else "")
