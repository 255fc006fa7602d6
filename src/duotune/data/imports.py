"""What a file imports, by one cheap pattern per language, and the order in which imports come first.

Only the order of files depends on it, so a missed import costs little, and a wrong one nothing but a place.
"""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

MOST_TARGETS = 40
"""Files of one imported package that count as imported; the rest of a larger one has its place by path."""

_PYTHON = re.compile(
    r"^[ \t]*(?:from[ \t]+(\.*)([\w.]*)[ \t]+import[ \t]+(?:\(([^()]{0,2000})|([\w., \t]*))|import[ \t]+([\w., \t]+))",
    re.MULTILINE,
)
_ECMASCRIPT = re.compile(r"""(?:\bfrom|\bimport|\brequire\()[ \t(]*["']([^"'\n]+)["']""")
_DOTTED = re.compile(r"^[ \t]*import[ \t]+(?:static[ \t]+)?([\w.]+)", re.MULTILINE)
_GO = re.compile(r'^(?:import[ \t]+|[ \t]+)(?:[\w.]+[ \t]+)?"([\w./~-]+)"[ \t]*$', re.MULTILINE)
_RUST = re.compile(r"^[ \t]*(?:pub(?:\([\w ]+\))?[ \t]+)?(?:use[ \t]+([\w:]+)|mod[ \t]+(\w+)[ \t]*;)", re.MULTILINE)
_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*["<]([^">\n]+)[">]', re.MULTILINE)
_USING = re.compile(r"^[ \t]*(?:global[ \t]+)?using[ \t]+(?:static[ \t]+)?([\w.]+)[ \t]*;", re.MULTILINE)
_RUBY = re.compile(r"""^[ \t]*(require|require_relative|load)[ \t(]+["']([^"'\n]+)["']""", re.MULTILINE)
_PHP = re.compile(
    r"""^[ \t]*(?:use[ \t]+(?:function[ \t]+|const[ \t]+)?\\?([\w\\]+)"""
    r"""|(?:require|include)(?:_once)?\b[^"'\n;]*["']([^"'\n]+))""",
    re.MULTILINE,
)


def imports(text: str, language: str) -> list[str]:
    """What a file imports, as paths without extension, in the order of their first mention.

    A path that begins with `./` or `../` is relative to the file's own folder; another one is the end of a path.
    """
    find = _FINDERS.get(language)
    return list(dict.fromkeys(find(text))) if find is not None else []


@dataclass(frozen=True)
class Importing:
    """A file with what it imports.

    Attributes:
        path: Its path with forward slashes.
        imports: As `imports` gives them.
    """

    path: str
    imports: Sequence[str]


def import_order(files: Sequence[Importing]) -> list[int]:
    """Positions of the files, each after those that it imports.

    Files are visited by path, and each one's imports, by path, before itself. Where imports go round in a circle, the
    file that is visited first comes last.
    """
    index = _Index(files)
    by_path = sorted(range(len(files)), key=lambda position: files[position].path)
    rank = {position: place for place, position in enumerate(by_path)}
    order: list[int] = []
    seen: set[int] = set()
    for root in by_path:
        stack: list[tuple[int, Iterator[int]]] = []
        if root not in seen:
            seen.add(root)
            stack.append((root, _by_rank(index.targets(root), rank)))
        while stack:
            position, waiting = stack[-1]
            following = next((target for target in waiting if target not in seen), None)
            if following is None:
                stack.pop()
                order.append(position)
            else:
                seen.add(following)
                stack.append((following, _by_rank(index.targets(following), rank)))
    return order


def _by_rank(targets: set[int], rank: Mapping[int, int]) -> Iterator[int]:
    return iter(sorted(targets, key=rank.__getitem__))


class _Index:
    """Finds the files that an import means, by the end of their paths."""

    def __init__(self, files: Sequence[Importing]) -> None:
        self._files = files
        self._parts = [_parts(file.path) for file in files]
        self._by_name: dict[str, list[int]] = defaultdict(list)
        self._by_folder: dict[tuple[str, ...], list[int]] = defaultdict(list)
        self._folders: dict[str, set[tuple[str, ...]]] = defaultdict(set)
        for position, parts in enumerate(self._parts):
            if parts:
                self._by_name[parts[-1]].append(position)
            folder = tuple(posixpath.dirname(files[position].path).split("/"))
            self._by_folder[folder].append(position)
            self._folders[folder[-1]].add(folder)

    def targets(self, position: int) -> set[int]:
        """Positions of the files that one file imports."""
        found: set[int] = set()
        folder = posixpath.dirname(self._files[position].path)
        for name in self._files[position].imports:
            if name.startswith("."):
                inside = posixpath.normpath(posixpath.join(folder, name))
                found.update(self._exactly(_parts(inside)))
            else:
                found.update(self._ending(name, position))
        return found - {position}

    def _exactly(self, wanted: tuple[str, ...]) -> list[int]:
        for length in (len(wanted), len(wanted) - 1):  # the last part may be a name in the file
            parts = wanted[:length]
            if parts and (files := [p for p in self._by_name.get(parts[-1], ()) if self._parts[p] == parts]):
                return files
        return []

    def _ending(self, name: str, importer: int) -> list[int]:
        """Files whose path ends as the import says, else files of the folder that does; the nearest of several."""
        wanted, own = _parts(name), self._parts[importer]
        # The last part may be a name in the file, the first ones a namespace that has no folder.
        for parts in (wanted, wanted[:-1], *(wanted[start:] for start in range(1, len(wanted) - 1))):
            named = self._by_name.get(parts[-1], ()) if parts else ()
            files = [p for p in named if self._parts[p][-len(parts) :] == parts and p != importer]
            if files:
                # `a.h` is meant by `a.h`, though `a.c` is beside it.
                return [min(files, key=lambda p: (not self._path(p).endswith(name), -_shared(self._parts[p], own), p))]
        # `github.com/team/project/pkg` means a folder by its end; of a path of two parts both must be there.
        for start in range(1 if len(wanted) == 2 else len(wanted)):
            tail = wanted[start:]
            folders = [folder for folder in self._folders.get(tail[-1], ()) if folder[-len(tail) :] == tail]
            if folders:
                nearest = min(folders, key=lambda folder: (-_shared(folder, own), folder))
                return sorted(self._by_folder[nearest], key=self._path)[:MOST_TARGETS]
        return []

    def _path(self, position: int) -> str:
        return self._files[position].path


def _parts(path: str) -> tuple[str, ...]:
    """A path's parts without extension; files that stand for their folder have its name."""
    parts = path.strip("/").split("/")
    stem = re.sub(r"\.(?:d\.)?[A-Za-z+]{1,5}$", "", parts[-1])
    if stem in ("__init__", "index", "mod") and len(parts) > 1:
        return tuple(parts[:-1])
    return (*parts[:-1], stem)


def _shared(left: Sequence[str], right: Sequence[str]) -> int:
    """How many leading parts two paths share."""
    count = 0
    for one, other in zip(left, right, strict=False):
        if one != other:
            break
        count += 1
    return count


def _python(text: str) -> Iterator[str]:
    for dots, module, several, names, plain in _PYTHON.findall(text):
        if plain:
            yield from (name.split(" as ")[0].strip().replace(".", "/") for name in plain.split(","))
            continue
        base = ("./" if len(dots) == 1 else "../" * (len(dots) - 1)) if dots else ""
        path = base + module.replace(".", "/")
        imported = [name.split(" as ")[0].strip() for name in (several or names).split(",")]
        yield from (f"{path.rstrip('/')}/{name}" if path else name for name in imported if name.isidentifier())


def _dotted(text: str) -> Iterator[str]:
    yield from (name.strip(".").replace(".", "/") for name in _DOTTED.findall(text))


def _rust(text: str) -> Iterator[str]:
    for used, module in _RUST.findall(text):
        if module:
            yield f"./{module}"
            continue
        parts = [part for part in used.split("::") if part]
        up = parts.count("super")
        rest = [part for part in parts if part not in ("crate", "self", "super")]
        if rest:
            yield ("../" * up if up > 1 else "./" if up else "") + "/".join(rest)


def _ruby(text: str) -> Iterator[str]:
    for how, name in _RUBY.findall(text):
        yield name if how != "require_relative" or name.startswith(".") else f"./{name}"


def _php(text: str) -> Iterator[str]:
    for used, file in _PHP.findall(text):
        yield used.replace("\\", "/") if used else file.lstrip("/")


_FINDERS: Mapping[str, Callable[[str], Iterator[str]]] = {
    "Python": _python,
    **{name: lambda text: iter(_ECMASCRIPT.findall(text)) for name in ("JavaScript", "TypeScript", "TSX", "Vue")},
    **{name: _dotted for name in ("Java", "Kotlin", "Scala", "Groovy")},
    "Go": lambda text: iter(_GO.findall(text)),
    "Rust": _rust,
    **{name: lambda text: iter(_INCLUDE.findall(text)) for name in ("C", "C++", "Objective-C", "Cuda")},
    "C#": lambda text: (name.replace(".", "/") for name in _USING.findall(text)),
    "Ruby": _ruby,
    "PHP": _php,
}
