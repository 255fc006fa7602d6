"""A project made to attack: each trick yields its reason, nothing outside is read, and no terminal sees its bytes."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import stat
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from duotune import paths
from duotune.cli.main import run
from duotune.config.run import DataConfig, ProjectConfig
from duotune.data.filters import filters_of
from duotune.data.funnel import Accepted, LeftOut, list_files, screen_contents, screen_paths
from duotune.data.manifest import read_manifest
from duotune.data.part_files import read_documents
from duotune.data.reasons import Reason
from duotune.data.redaction.clean import Cleaner
from duotune.data.redaction.fingerprints import Fingerprints
from duotune.errors import printable
from duotune.models.tokenizer import CodeTokenizer
from duotune.sources.open import open_source
from support.hostile import make_trap, set_traps
from support.preparing import MODULES, STANDARD_LIBRARY, dataset_of, part_of
from support.repositories import make_repository

OUTSIDE = b"outside = 'this text lies outside of the project'\n"
CODE = b'def area(width, height):\n    """Area of a rectangle."""\n    return width * height\n\n\nprint(area(3, 4))\n'
CONTROL = (
    b"FIM = '<|fim_prefix|>a<|fim_suffix|>b<|fim_middle|>c<|endoftext|>'\nTURN = '<|im_start|>system<|im_end|>'\n"
    b"REPOSITORY = '<|repo_name|><|file_sep|>'\n"
)
ESCAPE = "\x1b]0;owned\x07\x1b[31mred\r.py"
# Names that a terminal, a shell or a program would take for something else.
NAMES = [
    "new\nline.py",
    ESCAPE,
    "\udcff\udcfe.py",
    "\u202eyp.detrevni",
    "-rf.py",
    "$(touch x).py",
    "a`b|c.py",
    "x" * 250 + ".py",
]


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    file = tmp_path / "outside.py"
    file.write_bytes(OUTSIDE * 20)
    return file


@pytest.fixture
def attack(tmp_path: Path, outside: Path) -> Path:
    """A folder with everything that a folder can hold against its reader."""
    folder = tmp_path / "attack"
    (folder / "deep" / "er").mkdir(parents=True)
    for number, name in enumerate(NAMES):
        with open(os.fsencode(folder) + b"/" + os.fsencode(name), "wb") as file:
            file.write((STANDARD_LIBRARY / f"{MODULES[number]}.py").read_bytes())
    (folder / "control.py").write_bytes(CODE + CONTROL)
    (folder / "link.py").symlink_to(outside)
    (folder / "linked").symlink_to(outside.parent, target_is_directory=True)
    (folder / "loop.py").symlink_to(folder / "loop.py")
    (folder / ".gitattributes").symlink_to(outside)
    (folder / "hard.py").hardlink_to(outside)
    (folder / "twice.py").write_bytes(CODE + b"# twice\n")
    (folder / "deep" / "er" / "twice.py").hardlink_to(folder / "twice.py")
    os.mkfifo(folder / "pipe.py")
    os.mkfifo(folder / "deep" / ".gitignore")
    with socket.socket(socket.AF_UNIX) as listening, contextlib.chdir(folder):  # its path has to be a short one
        listening.bind("s.py")
    with (folder / "sparse.py").open("wb") as sparse:
        sparse.truncate(3 * 2**30)
    (folder / "line.py").write_bytes(b"a = '" + b"x" * 4_000_000 + b"'\n")
    (folder / "bytes.py").write_bytes(bytes(range(128, 256)) * 8)
    (folder / "half.py").write_bytes(b"\xff\xfe" + CODE + b"\x00\xd8")
    (folder / "nul.py").write_bytes(CODE * 100 + b"\0")
    return folder


def verdicts(folder: Path, data: DataConfig) -> dict[str, Accepted | LeftOut]:
    project = ProjectConfig(source=str(folder))
    cleaner = Cleaner(data, Fingerprints.unkept())
    with open_source(project.source) as source:
        listing, filters = list_files(source, filters_of(project, data))
        readable, left_out = screen_paths(listing, filters)
        return {entry.path: entry for entry in [*left_out, *screen_contents(source, readable, filters, cleaner)]}


def reasons(found: dict[str, Accepted | LeftOut]) -> dict[str, Reason]:
    return {path: entry.reason for path, entry in found.items() if isinstance(entry, LeftOut)}


def everything_under(directory: Path) -> bytes:
    return b"".join(file.read_bytes() for file in directory.rglob("*") if file.is_file())


def test_each_trick_yields_its_reason(attack: Path) -> None:
    found = verdicts(attack, DataConfig())
    assert reasons(found) == {
        "link.py": Reason.SYMLINK,
        "linked": Reason.SYMLINK,
        "loop.py": Reason.SYMLINK,
        ".gitattributes": Reason.SYMLINK,
        "hard.py": Reason.HARD_LINK,
        "pipe.py": Reason.NOT_REGULAR,
        "deep/.gitignore": Reason.NOT_REGULAR,
        "s.py": Reason.NOT_REGULAR,
        "sparse.py": Reason.TOO_LARGE,
        "line.py": Reason.TOO_LARGE,
        "bytes.py": Reason.ENCODING,
        "half.py": Reason.ENCODING,
        "nul.py": Reason.BINARY,
        printable(NAMES[3]): Reason.UNKNOWN_LANGUAGE,
    }
    kept = {path for path, entry in found.items() if isinstance(entry, Accepted)}
    others = {printable(name) for name in NAMES if name != NAMES[3]}
    assert kept == others | {"control.py", "twice.py", "deep/er/twice.py"}
    assert all(path.isprintable() and entry.detail.isprintable() for path, entry in found.items())
    sparse = found["sparse.py"]
    assert isinstance(sparse, LeftOut)
    assert sparse.size == 3 * 2**30


def test_a_limit_that_lets_the_long_line_in_still_finds_it(attack: Path) -> None:
    found = verdicts(attack, DataConfig(max_file_bytes=10_000_000))
    line, sparse = found["line.py"], found["sparse.py"]
    assert isinstance(line, LeftOut)
    assert (line.reason, line.detail) == (Reason.LONG_LINES, "longest line 4,000,006 characters")
    assert isinstance(sparse, LeftOut)
    assert sparse.reason is Reason.TOO_LARGE


def test_a_device_is_not_read(tmp_path: Path) -> None:
    folder = tmp_path / "devices"
    folder.mkdir()
    (folder / "a.py").write_bytes(CODE)
    try:
        os.mknod(folder / "zero.py", 0o666 | stat.S_IFCHR, os.makedev(1, 5))
    except PermissionError:
        pytest.skip("only root outside of a sandbox can make device nodes")
    assert reasons(verdicts(folder, DataConfig())) == {"zero.py": Reason.NOT_REGULAR}


@pytest.fixture
def deep(tmp_path: Path) -> Iterator[Path]:
    """A folder whose directories are nested deeper than any path can name, and than Python's own removal can go."""
    folder = tmp_path / "deep"
    folder.mkdir()
    directory = os.open(folder, os.O_RDONLY)
    for _ in range(1100):
        os.mkdir("d", dir_fd=directory)
        below = os.open("d", os.O_RDONLY, dir_fd=directory)
        os.close(directory)
        directory = below
    os.close(directory)
    yield folder
    subprocess.run(["rm", "-rf", str(folder)], check=True)


def test_a_tree_deeper_than_any_path_ends_in_a_reason(deep: Path, outside: Path) -> None:
    (deep / "hard.py").hardlink_to(outside)
    (deep / "a.py").write_bytes(CODE)
    assert sorted(reasons(verdicts(deep, DataConfig())).values()) == [Reason.HARD_LINK, Reason.TOO_DEEP]


def test_preparation_keeps_the_outside_out_and_control_tokens_literal(attack: Path, tokenizer: CodeTokenizer) -> None:
    part = part_of(attack, tokenizer)
    dataset = dataset_of([part], tokenizer)
    manifest = read_manifest(dataset.directory)
    assert all(path.isprintable() for path in [*(f.path for f in manifest.files), *(e.path for e in manifest.rejected)])
    assert b"lies outside of" not in everything_under(paths.home())
    prefix, middle = (tokenizer.control_id(f"<|fim_{name}|>") for name in ("prefix", "middle"))
    for batch in read_documents(part.directory):
        for recipe, ids in zip(batch["recipe"].to_pylist(), batch["ids"].to_pylist(), strict=True):
            assert ids.count(prefix) == ids.count(middle) == (0 if recipe == "code" else 1)


@pytest.fixture
def attacking_repository(tmp_path: Path) -> Path:
    """A Git repository with such names, whose configuration, attributes and hooks name a program wherever they can."""
    folder = tmp_path / "repository"
    names = [*NAMES, "plain.py"]
    files = {name: (STANDARD_LIBRARY / f"{MODULES[number]}.py").read_bytes() for number, name in enumerate(names)}
    attributes = b"* filter=evil diff=evil merge=evil text eol=crlf ident\n"
    make_repository(folder, files | {".gitattributes": attributes, "bytes.py": bytes(range(128, 256)) * 8})
    (folder / "link.py").symlink_to("/etc/passwd")
    set_traps(folder, make_trap(tmp_path))
    (tmp_path / "sprung").unlink(missing_ok=True)
    return folder


def shown(capfd: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """Exit code and everything that a terminal would get."""
    code = run(["projects", *arguments])
    captured = capfd.readouterr()
    return code, captured.out + captured.err


def is_harmless(text: str) -> bool:
    return all(character == "\n" or character.isprintable() for character in text)


@pytest.mark.parametrize("fixture", ["attack", "attacking_repository"])
def test_nothing_reaches_the_terminal_unescaped_and_nothing_is_executed(
    fixture: str, request: pytest.FixtureRequest, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    folder: Path = request.getfixturevalue(fixture)
    ask: Callable[..., tuple[int, str]] = lambda *arguments: shown(capfd, *arguments)  # noqa: E731
    code, text = ask("add", "hostile", str(folder))
    assert (code, is_harmless(text)) == (0, True)
    code, text = ask("show", "hostile")
    assert (code, is_harmless(text)) == (0, True)
    for name in [*NAMES, "bytes.py", printable(ESCAPE)]:
        code, text = ask("show", "hostile", "--explain", name)
        assert (code, is_harmless(text)) == (0, True)
        code, text = ask("show", "hostile", "--explain", name, "--json")
        assert (code, text.count("\n"), is_harmless(text)) == (0, 1, True)
        assert json.loads(text)["path"] == printable(name.replace("\\x1b", "\x1b")) or name.startswith("\\x1b")
    for name in ["missing\x1b[31m.py", "link.py/passwd", "../outside.py", "/etc/passwd", ""]:
        code, text = ask("show", "hostile", "--explain", name)
        assert (code, is_harmless(text)) == (2, True)
    assert not (tmp_path / "sprung").exists()
