"""Which files are kept: rules on the path first, then on the text; the first rule that fails names the reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from pathspec import PathSpec
from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

from duotune.config.run import DataConfig, ProjectConfig
from duotune.data.generated import generated_by_path, generated_by_text
from duotune.data.language_table import BINARY
from duotune.data.languages import Language, by_name, by_path, detect, resolve
from duotune.data.reasons import Reason, Rejection
from duotune.data.secret_files import is_secret_path
from duotune.data.vendored import Vendored, looks_vendored
from duotune.errors import printable
from duotune.sources.attributes import Attributes, FileAttributes

MIN_FILE_BYTES = 64
# BigCode's limits (The Stack, StarCoder's preprocessing).
MAX_LINE_CHARACTERS = 1000
MAX_MEAN_LINE_CHARACTERS = 100
MIN_ALPHANUMERIC = 0.25
MAX_DIGITS = 0.30
# linguist's limit (`minified_files?`) for the languages that are minified: below BigCode's, with a better reason.
MINIFIED_MEAN_LINE_CHARACTERS = 110
_MINIFIABLE = frozenset({"JavaScript", "CSS"})
# Prose has one line per paragraph.
MAX_PROSE_LINE_CHARACTERS = 10_000
MAX_MEAN_PROSE_LINE_CHARACTERS = 1000

# Extensions that other languages have too: the text decides.
_AMBIGUOUS = (".h", ".m", ".ts")
_BINARY_EXTENSIONS = frozenset(BINARY.split())
_LFS_HEADER = "version https://git-lfs.github.com/spec/"
_ASCII_DIGITS = b"0123456789"
_ASCII_LETTERS = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True)
class Surroundings:
    """What of a project's other files says something about each of them.

    Attributes:
        attributes: Its `.gitattributes`.
        vendored: Rules for other people's code, which know where package managers put it.
    """

    attributes: Attributes = field(default_factory=Attributes)
    vendored: Vendored = field(default_factory=Vendored)


@dataclass(frozen=True)
class Filters:
    """The rules of one project.

    Attributes:
        include: Globs of paths to keep, None keeps all.
        exclude: Globs of paths to leave out, None leaves out none.
        languages: Chosen languages by linguist's name; empty means those kept by default.
        max_file_bytes: Larger files are left out.
        surroundings: What the project's other files say; a new one says nothing.
    """

    include: PathSpec[GitIgnoreSpecPattern] | None
    exclude: PathSpec[GitIgnoreSpecPattern] | None
    languages: frozenset[str]
    max_file_bytes: int
    surroundings: Surroundings = field(default_factory=Surroundings)

    def knowing(self, surroundings: Surroundings) -> Filters:
        """The same rules for a project whose other files are known."""
        return replace(self, surroundings=surroundings)

    def reject_path(self, path: str, size: int) -> Rejection | None:
        """The reason to leave a file out without reading it, or None.

        Args:
            path: Path with forward slashes, relative to the project.
            size: Size in bytes.
        """
        said = self.surroundings.attributes.of(path)
        language = language_said(said) or by_path(path)
        found = self._unwanted(path) or self._foreign(path, said) or self._unreadable(path, size, said)
        certain = said.language or not path.lower().endswith(_AMBIGUOUS)
        if found is None and language is not None and certain and not self._chosen(language):
            found = Rejection(Reason.LANGUAGE_NOT_CHOSEN)
        if found is None and said.documentation and (language is None or language.type != "prose"):
            found = Rejection(Reason.DOCUMENTATION, ".gitattributes: linguist-documentation")
        if found is None and said.generated is None and (rule := generated_by_path(path)):
            found = Rejection(Reason.GENERATED, rule)
        return replace(found, language=language.name if language else None) if found else None

    def judge_text(self, path: str, text: str) -> Language | Rejection:
        """The language of a file that is kept, or the reason why its text is not."""
        said = self.surroundings.attributes.of(path)
        language = language_said(said) or detect(path, text)
        if text.startswith(_LFS_HEADER):
            found: Rejection | None = Rejection(Reason.LFS_POINTER)
        elif language is None:
            return Rejection(Reason.UNKNOWN_LANGUAGE)
        elif not self._chosen(language):
            found = Rejection(Reason.LANGUAGE_NOT_CHOSEN)
        elif said.generated is None and (rule := generated_by_text(path, text)):
            found = Rejection(Reason.GENERATED, rule)
        else:
            found = bad_shape(text, language)
        if found is not None:
            return replace(found, language=language.name if language else None)
        assert language is not None
        return language

    def doubt(self, path: str) -> str:
        """The glob that would leave out a kept file that may be other people's code; empty when nothing hints at it.

        What the project itself calls its own (`linguist-vendored=false`) is beyond doubt.
        """
        return "" if self.surroundings.attributes.of(path).vendored is False else looks_vendored(path)

    def _unwanted(self, path: str) -> Rejection | None:
        """What the project's own globs say."""
        if self.exclude is not None and (checked := self.exclude.check_file(path)).include:
            pattern = self.exclude.patterns[checked.index or 0].pattern
            return Rejection(Reason.EXCLUDED, f"exclude: {printable(pattern)}")
        if self.include is not None and not self.include.match_file(path):
            return Rejection(Reason.NOT_INCLUDED)
        return None

    def _foreign(self, path: str, said: FileAttributes) -> Rejection | None:
        """Other people's code, programs' code by the attributes, and keys."""
        if said.vendored:
            return Rejection(Reason.VENDORED, ".gitattributes: linguist-vendored")
        if said.vendored is None and (rule := self.surroundings.vendored.rule(path)):
            return Rejection(Reason.VENDORED, rule)
        if is_secret_path(path):
            return Rejection(Reason.SECRET_FILE, "by its name")
        if said.generated:
            return Rejection(Reason.GENERATED, ".gitattributes: linguist-generated")
        return None

    def _unreadable(self, path: str, size: int, said: FileAttributes) -> Rejection | None:
        """What its size and its name say of its content."""
        if size > self.max_file_bytes:
            return Rejection(Reason.TOO_LARGE, f"{size:,} bytes")
        if size < MIN_FILE_BYTES:
            return Rejection(Reason.TOO_SMALL, f"{size} bytes")
        if said.binary:
            return Rejection(Reason.BINARY, ".gitattributes: binary")
        extension = path[path.rfind(".") :].lower()
        if extension in _BINARY_EXTENSIONS:
            return Rejection(Reason.BINARY, f"file name ends in {extension}")
        return None

    def chosen(self, name: str) -> bool:
        """Whether a language, by linguist's name, is trained on."""
        language = by_name(name)
        return language is not None and self._chosen(language)

    def _chosen(self, language: Language) -> bool:
        return language.name in self.languages if self.languages else language.kept_by_default


def filters_of(project: ProjectConfig, data: DataConfig) -> Filters:
    """The rules that a project's configuration asks for.

    Raises:
        UsageError: A language that is not known, or a glob that is none.
    """
    return Filters(
        include=_globs(project.include),
        exclude=_globs(project.exclude),
        languages=resolve(project.languages),
        max_file_bytes=data.max_file_bytes,
    )


def unmatched(globs: Sequence[str], paths: Sequence[str]) -> list[str]:
    """The globs that match none of some paths, with or without the `!` before them."""
    specs = {glob: PathSpec.from_lines(GitIgnoreSpecPattern, [glob.removeprefix("!")]) for glob in globs}
    return [glob for glob, spec in specs.items() if not any(map(spec.match_file, paths))]


def language_said(said: FileAttributes) -> Language | None:
    """The language that `linguist-language` names; None where it names none that is known."""
    return by_name(said.language) if said.language else None


def _globs(patterns: Sequence[str]) -> PathSpec[GitIgnoreSpecPattern] | None:
    return PathSpec.from_lines(GitIgnoreSpecPattern, patterns) if patterns else None


def bad_shape(text: str, language: Language) -> Rejection | None:
    """Line lengths and the mix of characters; shares are of the characters that are not white space."""
    lines = text.split("\n")
    longest, mean = max(map(len, lines)), len(text) / len(lines)
    prose = language.type == "prose"
    if mean > MINIFIED_MEAN_LINE_CHARACTERS and language.name in _MINIFIABLE:
        return Rejection(Reason.MINIFIED, f"{mean:,.0f} characters per line")
    if longest > (MAX_PROSE_LINE_CHARACTERS if prose else MAX_LINE_CHARACTERS):
        return Rejection(Reason.LONG_LINES, f"longest line {longest:,} characters")
    if mean > (MAX_MEAN_PROSE_LINE_CHARACTERS if prose else MAX_MEAN_LINE_CHARACTERS):
        return Rejection(Reason.LONG_LINES, f"{mean:,.0f} characters per line")
    visible, digits, letters = _counts(text)
    if visible < MIN_FILE_BYTES // 2:
        return Rejection(Reason.TOO_SMALL, f"{visible} visible characters")
    if digits > MAX_DIGITS * visible:
        return Rejection(Reason.MOSTLY_DIGITS, f"{digits / visible:.0%} digits")
    if digits + letters < MIN_ALPHANUMERIC * visible:
        return Rejection(Reason.MOSTLY_SYMBOLS, f"{(digits + letters) / visible:.0%} letters and digits")
    return None


def _counts(text: str) -> tuple[int, int, int]:
    """Characters that are not white space, and digits and letters among them."""
    if not text.isascii():
        visible = [c for c in text if not c.isspace()]
        return len(visible), sum(c.isdigit() for c in visible), sum(c.isalpha() for c in visible)
    content = text.encode("ascii")
    digits = len(content) - len(content.translate(None, _ASCII_DIGITS))
    letters = len(content) - len(content.translate(None, _ASCII_LETTERS))
    return len(content.translate(None, b" \t\n\r\x0b\x0c")), digits, letters
