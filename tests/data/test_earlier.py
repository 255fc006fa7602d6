"""A changed project costs its changed files: what is taken over is what preparing it from scratch would make."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from duotune import paths
from duotune.config.run import DataConfig, ProjectConfig
from duotune.data.part_files import DOCUMENTS_FILE, TEXTS_FILE
from duotune.data.parts import RECORD_FILE, read_record
from duotune.data.prepare import Part, prepare_part
from duotune.data.reasons import Reason
from duotune.data.redaction.fingerprints import KEY_FILE
from duotune.data.shards import ALONE, Shards
from duotune.models.tokenizer import CodeTokenizer
from duotune.runs.reporter import SilentReporter
from duotune.sources.folder import FolderSource
from duotune.sources.source import Reason as SourceReason
from duotune.sources.source import Rejected, SourceFile, Unreadable
from support.preparing import DATA, MODULES, STANDARD_LIBRARY

Folders = Callable[..., Path]
Home = Callable[[str], None]


class Counting(FolderSource):
    """A folder that remembers whose contents were asked for, and that cannot read some."""

    def __init__(self, folder: Path, unreadable: Iterable[str] = ()) -> None:
        super().__init__(folder, str(folder))
        self.asked: list[str] = []
        self._unreadable = frozenset(unreadable)

    def contents(self, files: Iterable[SourceFile]) -> Iterator[tuple[SourceFile, bytes] | Rejected]:
        for file in files:
            self.asked.append(file.path)
            if file.path in self._unreadable:
                yield Unreadable(file.path, SourceReason.UNREADABLE).rejected
            else:
                yield from super().contents([file])


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """Goes to a home of some name, all of which fingerprint findings alike."""

    def go(name: str) -> None:
        directory = tmp_path / "homes" / name
        directory.mkdir(parents=True, exist_ok=True)
        (directory / KEY_FILE).write_bytes(bytes(range(32)))
        monkeypatch.setenv("DUOTUNE_HOME", str(directory))

    return go


def prepared(
    source: Counting, tokenizer: CodeTokenizer, data: DataConfig = DATA, shards: Shards = ALONE
) -> tuple[Part, SilentReporter]:
    report = SilentReporter()
    part = prepare_part(ProjectConfig(source=source.location), source, tokenizer, data, report, shards)
    return part, report


def contents(part: Part) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in part.directory.iterdir()}


def change(folder: Path) -> None:
    """One file changed, one added, one removed, and the first of two copies removed."""
    (folder / "cmd.py").write_text((folder / "cmd.py").read_text() + "\n\ndef added(value):\n    return value + 1\n")
    shutil.copy(STANDARD_LIBRARY / "calendar.py", folder)
    (folder / "glob.py").unlink()
    (folder / "first_copy.py").unlink()


@pytest.fixture
def library(modules: Folders) -> Path:
    """Modules, copies of one of them, a file whose text rules it out, and one with a secret."""
    folder = modules("library", MODULES[:16])
    for name in ("first_copy", "second_copy"):
        shutil.copy(STANDARD_LIBRARY / "sched.py", folder / f"{name}.py")
    (folder / "numbers_only.py").write_text("table = [\n" + ",\n".join(map(str, range(200))) + "]\n")
    (folder / "client.py").write_text(
        'import http.client\n\nPASSWORD = "w7Kp2vQx9LmZ4tRb"\n\n\ndef connect(host):\n'
        "    return http.client.HTTPSConnection(host, timeout=10)\n"
    )
    return folder


def test_only_changed_files_are_read_and_the_part_is_the_one_made_from_scratch(
    library: Path, tokenizer: CodeTokenizer, home: Home
) -> None:
    home("one")
    before, _ = prepared(Counting(library), tokenizer)
    record = read_record(before.directory)
    assert [file.reason for file in record.rejected] == [Reason.MOSTLY_DIGITS]
    assert Reason.EXACT_DUPLICATE in {file.reason for file in record.files}
    change(library)
    source = Counting(library)
    part, report = prepared(source, tokenizer)
    home("another")
    scratch = Counting(library)
    expected, other_report = prepared(scratch, tokenizer)
    assert sorted(source.asked) == ["calendar.py", "cmd.py"]
    assert len(scratch.asked) == 19
    assert part.directory.name == expected.directory.name
    assert contents(part) == contents(expected)
    assert ("take over library as last prepared", 16, 18, "files") in report.progressed
    assert not any(phase.startswith("take over") for phase, *_ in other_report.progressed)
    assert any(file.findings for file in read_record(part.directory).files)


def test_going_back_and_forth_takes_over_from_the_latest(library: Path, tokenizer: CodeTokenizer, home: Home) -> None:
    home("one")
    before, _ = prepared(Counting(library), tokenizer)
    text = (library / "cmd.py").read_text()
    change(library)
    shutil.copy(STANDARD_LIBRARY / "sched.py", library / "first_copy.py")
    prepared(Counting(library), tokenizer)
    (library / "calendar.py").unlink()
    (library / "cmd.py").write_text(text)
    shutil.copy(STANDARD_LIBRARY / "glob.py", library)
    again, _ = prepared(Counting(library), tokenizer)
    assert again.reused
    assert again.directory == before.directory
    (library / "cmd.py").write_text("# Another.\n" + text)
    source = Counting(library)
    prepared(source, tokenizer)
    assert source.asked == ["cmd.py"]


def test_other_settings_attributes_and_keys_take_nothing_over(
    library: Path, tokenizer: CodeTokenizer, home: Home
) -> None:
    home("one")
    prepared(Counting(library), tokenizer)
    source = Counting(library)
    prepared(source, tokenizer, DATA.model_copy(update={"secrets": "drop"}))
    assert len(source.asked) == 20
    (library / ".gitattributes").write_text("c*.py linguist-language=Python\n")
    source = Counting(library)
    prepared(source, tokenizer)
    named = sorted(file.name for file in library.glob("c*.py"))
    assert sorted(set(source.asked) - {".gitattributes"}) == named
    (paths.home() / KEY_FILE).write_bytes(bytes(32))
    (library / "abc.py").write_text((library / "abc.py").read_text() + "\n# Changed.\n")
    source = Counting(library)
    prepared(source, tokenizer)
    assert len(set(source.asked)) == 21


def test_a_part_with_findings_of_another_key_is_not_used_again(
    library: Path, tokenizer: CodeTokenizer, home: Home
) -> None:
    home("one")
    (library / "abc.py").write_text((library / "abc.py").read_text() + '\nPASSWORD = "sunny4711day"\n')
    first, _ = prepared(Counting(library), tokenizer)
    (paths.home() / KEY_FILE).write_bytes(bytes(32))
    second, _ = prepared(Counting(library), tokenizer)
    again, _ = prepared(Counting(library), tokenizer)
    assert [part.reused for part in (first, second, again)] == [False, False, True]
    marks = [
        {found.fingerprint for file in read_record(part.directory).files for found in file.findings}
        for part in (first, second, again)
    ]
    assert marks[0].isdisjoint(marks[1])
    assert marks[1] == marks[2]


@pytest.mark.parametrize("damage", [RECORD_FILE, TEXTS_FILE, DOCUMENTS_FILE, "all", "pointer"])
def test_a_damaged_earlier_part_is_prepared_again(
    library: Path, tokenizer: CodeTokenizer, home: Home, damage: str
) -> None:
    home("one")
    earlier, _ = prepared(Counting(library), tokenizer)
    if damage == "all":
        shutil.rmtree(earlier.directory)
    elif damage == "pointer":
        (pointer,) = paths.parts().glob("newest-*")
        pointer.write_text("../../elsewhere")
    else:
        file = earlier.directory / damage
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    change(library)
    source = Counting(library)
    part, _ = prepared(source, tokenizer)
    home("another")
    expected, _ = prepared(Counting(library), tokenizer)
    assert len(source.asked) == 19
    assert contents(part) == contents(expected)


def test_a_file_that_could_not_be_read_is_asked_for_again(library: Path, tokenizer: CodeTokenizer, home: Home) -> None:
    home("one")
    prepared(Counting(library, ["cmd.py"]), tokenizer)
    source = Counting(library)
    part, _ = prepared(source, tokenizer)
    home("another")
    expected, _ = prepared(Counting(library), tokenizer)
    assert source.asked == ["cmd.py"]
    assert contents(part) == contents(expected)


def test_any_number_of_processes_makes_the_same_part(
    library: Path, tokenizer: CodeTokenizer, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    for room in ("reading", "making"):
        monkeypatch.setattr(f"duotune.data.{room}._BATCH_BYTES", 20_000)
    home("one")
    expected, _ = prepared(Counting(library), tokenizer)
    home("two")
    with Shards(2, worth_bytes=0) as shards:
        part, report = prepared(Counting(library), tokenizer, shards=shards)
        assert len(shards.process_ids) == 2
    assert contents(part) == contents(expected)
    read = [(done, total) for phase, done, total, _ in report.progressed if phase == "read library"]
    assert len(read) > 5
    assert {total for _, total in read} == {sum(file.stat().st_size for file in library.iterdir())}
    assert read[-1][0] == read[-1][1]
