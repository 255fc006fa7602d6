"""Why a file is left out: one code per file, and one sentence per code."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from duotune.sources.source import Reason as SourceReason


class Reason(StrEnum):
    """The reason of a rejected file; the value is what manifests and reports store."""

    SYMLINK = "symlink"
    HARD_LINK = "hard-link"
    SUBMODULE = "submodule"
    NOT_REGULAR = "not-a-regular-file"
    UNREADABLE = "unreadable"
    MISSING = "missing"
    CHANGED = "changed"
    UNSAFE_PATH = "unsafe-path"
    TOO_DEEP = "nested-too-deep"
    IGNORED = "ignored"
    LFS_POINTER = "lfs-pointer"
    EXCLUDED = "excluded"
    NOT_INCLUDED = "not-included"
    VENDORED = "vendored"
    DOCUMENTATION = "documentation"
    SECRET_FILE = "secret-file"
    MANY_SECRETS = "many-secrets"
    HOLDS_SECRET = "holds-secret"
    TOO_LARGE = "too-large"
    TOO_SMALL = "too-small"
    BINARY = "binary"
    ENCODING = "encoding"
    UNKNOWN_LANGUAGE = "unknown-language"
    LANGUAGE_NOT_CHOSEN = "language-not-chosen"
    GENERATED = "generated"
    MINIFIED = "minified"
    LONG_LINES = "long-lines"
    MOSTLY_DIGITS = "mostly-digits"
    MOSTLY_SYMBOLS = "mostly-symbols"
    EXACT_DUPLICATE = "exact-duplicate"
    NEAR_DUPLICATE = "near-duplicate"

    @property
    def sentence(self) -> str:
        """What the code means, for people."""
        return _SENTENCES[self]


_SENTENCES = {
    Reason.SYMLINK: "It is a symbolic link; what it points to may lie outside the project.",
    Reason.HARD_LINK: "It has another name outside the project (a hard link); copy the folder to train on it.",
    Reason.SUBMODULE: "It is a Git submodule; add that repository as a project of its own.",
    Reason.NOT_REGULAR: "It is not a regular file (a FIFO, a socket or a device).",
    Reason.UNREADABLE: "It could not be read.",
    Reason.MISSING: "The repository does not have its content (a shallow or damaged clone).",
    Reason.CHANGED: "It changed while it was read.",
    Reason.UNSAFE_PATH: "Its path leads out of the project.",
    Reason.TOO_DEEP: "Its directories are nested too deep.",
    Reason.IGNORED: "A .gitignore file excludes it.",
    Reason.LFS_POINTER: "It is a Git LFS pointer; the content is not in the repository.",
    Reason.EXCLUDED: "It matches one of the project's exclude globs.",
    Reason.NOT_INCLUDED: "It matches none of the project's include globs.",
    Reason.VENDORED: "It is third-party code copied into the project.",
    Reason.DOCUMENTATION: "The project's .gitattributes call it documentation, so it is no example of its code.",
    Reason.SECRET_FILE: "It is a key or credential file, holds a private key, or has a secret in its path.",
    Reason.MANY_SECRETS: "It holds at least three different secrets.",
    Reason.HOLDS_SECRET: 'It holds a secret, and data.secrets is "drop".',
    Reason.TOO_LARGE: "It is larger than data.max_file_bytes.",
    Reason.TOO_SMALL: "It is empty or too short to learn from.",
    Reason.BINARY: "It is not text: its name or its NUL bytes say so.",
    Reason.ENCODING: "Its text encoding is not UTF-8 and could not be told with confidence.",
    Reason.UNKNOWN_LANGUAGE: "Its language is not known from its name or its first line.",
    Reason.LANGUAGE_NOT_CHOSEN: "Its language is not among those the project trains on.",
    Reason.GENERATED: "A program wrote it: its name, its header or the project's .gitattributes say so.",
    Reason.MINIFIED: "It is minified.",
    Reason.LONG_LINES: "Too long to be handwritten: lines over 1000 characters, or 100 on average (in prose tenfold).",
    Reason.MOSTLY_DIGITS: "More than 30 % of its characters are digits: it is data.",
    Reason.MOSTLY_SYMBOLS: "Less than 25 % of its characters are letters or digits.",
    Reason.EXACT_DUPLICATE: "The same text is kept from another path.",
    Reason.NEAR_DUPLICATE: "A kept file shares at least 70 % of its five-word sequences.",
}


@dataclass(frozen=True)
class Rejection:
    """Why one file is left out.

    Attributes:
        reason: The code.
        detail: Which rule said so, in a few printable words that hold nothing of the file's content.
        language: linguist's name of its language, where it is known.
    """

    reason: Reason
    detail: str = ""
    language: str | None = None


TRANSIENT = frozenset({Reason.UNREADABLE, Reason.MISSING, Reason.CHANGED})
"""What a file that was listed with its content may be left out for once, and not the next time."""

_OF_SOURCE = {
    SourceReason.SYMLINK: Reason.SYMLINK,
    SourceReason.HARD_LINK: Reason.HARD_LINK,
    SourceReason.SUBMODULE: Reason.SUBMODULE,
    SourceReason.NOT_REGULAR: Reason.NOT_REGULAR,
    SourceReason.UNREADABLE: Reason.UNREADABLE,
    SourceReason.MISSING: Reason.MISSING,
    SourceReason.LFS: Reason.LFS_POINTER,
    SourceReason.CHANGED: Reason.CHANGED,
    SourceReason.TOO_LARGE: Reason.TOO_LARGE,
    SourceReason.IGNORED: Reason.IGNORED,
    SourceReason.TOO_DEEP: Reason.TOO_DEEP,
    SourceReason.UNSAFE_PATH: Reason.UNSAFE_PATH,
}


def of_source(reason: str) -> Reason:
    """The code for what a source says of a file that it leaves out."""
    return _OF_SOURCE[SourceReason(reason)]
