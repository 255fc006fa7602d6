"""The Python standard library as a corpus, and the files of it that are held out."""

import hashlib
import platform
import sysconfig
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

HELD_OUT_RULE = "held out when int(sha256(relative POSIX path), 16) % 10 == 0"
# Tables, documentation dumps and deliberately broken files teach nothing about code.
SKIPPED_DIRECTORIES = frozenset(
    {"site-packages", "dist-packages", "__pycache__", "encodings", "pydoc_data", "data", "ensurepip", "tokenizedata"}
)
SKIPPED_NAME_PARTS = ("bad_", "badsyntax", "_sysconfigdata")
LONGEST_FILE_BYTES = 400_000


@dataclass(frozen=True)
class SourceFile:
    """One source file of the corpus."""

    path: str
    text: str
    sha256: str
    is_test: bool
    held_out: bool


def is_held_out(path: str) -> bool:
    """Whether a file, by its path relative to the library's root, is held out of training."""
    return int(hashlib.sha256(path.encode()).hexdigest(), 16) % 10 == 0


def read_standard_library(root: Path | None = None) -> list[SourceFile]:
    """Read the standard library of the running interpreter, sorted by path.

    Args:
        root: Another directory to read in its place.
    """
    base = root or Path(sysconfig.get_paths()["stdlib"])
    files = []
    for path in sorted(base.rglob("*.py")):
        relative = path.relative_to(base)
        source = _read(path, PurePosixPath(relative.as_posix()))
        if source is not None:
            files.append(source)
    return files


def _read(path: Path, relative: PurePosixPath) -> SourceFile | None:
    skipped_name = any(part in relative.name for part in SKIPPED_NAME_PARTS)
    if skipped_name or SKIPPED_DIRECTORIES.intersection(relative.parts):
        return None
    raw = path.read_bytes()
    if not 200 <= len(raw) <= LONGEST_FILE_BYTES:
        return None
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        return None
    is_test = any(part in {"test", "tests", "idle_test"} for part in relative.parts)
    name = str(relative)
    return SourceFile(name, text.replace("\r\n", "\n"), hashlib.sha256(raw).hexdigest(), is_test, is_held_out(name))


def control_list(files: list[SourceFile]) -> dict[str, object]:
    """What ``control.json`` records: the rule, the Python version and each held-out file with its hash."""
    held = [file for file in files if file.held_out]
    return {
        "corpus": "Python standard library",
        "python": platform.python_version(),
        "rule": HELD_OUT_RULE,
        "files": [{"path": file.path, "sha256": file.sha256, "bytes": len(file.text.encode())} for file in held],
    }
