"""Which language a file is written in: by name, extension and shebang, and by content where these are ambiguous."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Literal

from duotune.data.language_table import TABLE
from duotune.errors import UsageError

LanguageType = Literal["programming", "markup", "data", "prose"]

# Not "programming" for linguist, but written by hand and completed in an editor like code.
_ALSO_CODE = frozenset({"SQL", "Vue", "Svelte", "Protocol Buffer", "GraphQL"})

_SHEBANG = re.compile(r"^#!\s*(?:\S*/)?env(?:\s+-\S+)*\s+([\w.+-]+)|^#!\s*(?:\S*/)?([\w.+-]+)")
_VERSION = re.compile(r"[\d.]+$")
_CPP_HEADER = re.compile(
    r"^\s*(?:class\s+\w|namespace\b|template\s*<|using\s+\w|public:|private:)|\bstd::", re.MULTILINE
)
_OBJECTIVE_C = re.compile(r"^\s*(?:@interface|@implementation|@protocol|@class|@end|#import)\b", re.MULTILINE)


@dataclass(frozen=True)
class Language:
    """A language as linguist names it.

    Attributes:
        name: linguist's name, such as "C++".
        type: linguist's type.
    """

    name: str
    type: LanguageType

    @property
    def kept_by_default(self) -> bool:
        """Whether files of it are trained on when a project names no languages."""
        return self.type == "programming" or self.name in _ALSO_CODE

    @property
    def is_document(self) -> bool:
        """Whether files of it are text for people (Markdown, reStructuredText, ...) rather than code."""
        return self.type == "prose"


@dataclass(frozen=True)
class _Index:
    by_name: dict[str, Language]
    by_extension: dict[str, Language]
    by_filename: dict[str, Language]
    by_interpreter: dict[str, Language]


@cache
def _index() -> _Index:
    index = _Index({}, {}, {}, {})
    for line in TABLE.strip().splitlines():
        name, type_, extensions, filenames, interpreters = (cell.strip() for cell in line.split("|"))
        language = Language(name, type_)  # type: ignore[arg-type]
        index.by_name[name.lower()] = language
        for extension in extensions.split():
            index.by_extension.setdefault(extension, language)
        for filename in filenames.split():
            index.by_filename.setdefault(filename.lower(), language)
        for interpreter in interpreters.split():
            index.by_interpreter.setdefault(interpreter, language)
    return index


def known_languages() -> list[Language]:
    """Every language of the table, in its order."""
    return list(_index().by_name.values())


def is_document(name: str) -> bool:
    """Whether a language, by linguist's name, is text for people rather than code."""
    language = _index().by_name.get(name.lower())
    return language is not None and language.is_document


def by_name(name: str) -> Language | None:
    """The language of that name, whose case does not matter, with `-` for a space as in `.gitattributes`; or None."""
    names = _index().by_name
    return names.get(name.lower()) or names.get(name.lower().replace("-", " "))


def by_path(path: str) -> Language | None:
    """The language that a path's last part shows, or None.

    Args:
        path: Path with forward slashes, relative to the project.
    """
    index = _index()
    name = path.rsplit("/", 1)[-1].lower()
    if (language := index.by_filename.get(name)) is not None:
        return language
    if name.startswith(("dockerfile.", "containerfile.")):
        return index.by_name["dockerfile"]
    parts = name.split(".")
    for start in range(1, len(parts)):  # the longest extension first: `.blade.php` before `.php`
        if (language := index.by_extension.get("." + ".".join(parts[start:]))) is not None:
            return language
    return None


def by_shebang(text: str) -> Language | None:
    """The language of a script's interpreter line, or None."""
    match = _SHEBANG.match(text[:200])
    if match is None:
        return None
    interpreter = match.group(1) or match.group(2)
    table = _index().by_interpreter
    return table.get(interpreter) or table.get(_VERSION.sub("", interpreter))


def detect(path: str, text: str) -> Language | None:
    """The language of a file.

    Args:
        path: Path with forward slashes, relative to the project.
        text: The file's decoded text; its beginning decides what the name leaves open.
    """
    language = by_path(path)
    if language is None:
        return by_shebang(text)
    names = _index().by_name
    if language.name == "C" and path.lower().endswith(".h"):
        if _OBJECTIVE_C.search(text):
            return names["objective-c"]
        return names["c++"] if _CPP_HEADER.search(text) else language
    if language.name == "MATLAB" and _OBJECTIVE_C.search(text):
        return names["objective-c"]
    if language.name == "TypeScript" and text.lstrip().startswith(("<?xml", "<!DOCTYPE TS")):
        return names["xml"]
    return language


def nearest(name: str) -> str:
    """The known language that is spelled most like a name; empty where none is."""
    known = _index().by_name
    near = difflib.get_close_matches(name.strip().lower(), known, n=1, cutoff=0.5)
    return known[near[0]].name if near else ""


def resolve(names: Iterable[str]) -> frozenset[str]:
    """linguist's names of the languages that a project chose; case does not matter.

    Args:
        names: Languages to keep, and, with a `!` before them, to leave out: of those to keep where there are any, else
            of those that are kept by default.

    Returns:
        The chosen ones; empty for no names, which keeps those kept by default.

    Raises:
        UsageError: A name that the table lacks, with the nearest one that it has, or nothing is left.
    """
    kept: set[str] = set()
    left_out: set[str] = set()
    for name in names:
        language = by_name(bare(name))
        if language is None:
            near = nearest(bare(name))
            hint = f"Did you mean {near!r}?" if near else "Use linguist's names, such as 'Python' or 'C'."
            raise UsageError(f"The language {name!r} is not known.", hint)
        (left_out if bare(name) != name.strip() else kept).add(language.name)
    if not left_out:
        return frozenset(kept)
    chosen = (kept or {language.name for language in known_languages() if language.kept_by_default}) - left_out
    if not chosen:
        raise UsageError("The project's `languages` leave every language out.", "Name one to keep, without a `!`.")
    return frozenset(chosen)


def bare(name: str) -> str:
    """A language's name without the `!` that leaves it out."""
    return name.strip().removeprefix("!").strip()
