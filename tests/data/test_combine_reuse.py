"""What has not changed is the same and is used again; what decides on the content makes another part."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from duotune import paths
from duotune.config.run import DataConfig, ProjectConfig, PromptLossWeight
from duotune.data.combine import Dataset
from duotune.data.manifest import read_manifest
from duotune.data.parts import directory_name, read_record
from duotune.data.prepare import prepare_part
from duotune.data.reasons import Reason
from duotune.data.redaction.fingerprints import fingerprints
from duotune.data.redaction.report import FINDINGS_FILE, ReportedFinding
from duotune.models.tokenizer import CodeTokenizer
from duotune.runs.reporter import SilentReporter, Stopped
from duotune.sources.folder import FolderSource
from duotune.sources.source import Rejected, SourceFile, Wanted, everything, nothing
from support.preparing import DATA, MODULES, STANDARD_LIBRARY, dataset_of, part_of, split_of

Folders = Callable[..., Path]


def contents(directory: Path) -> dict[str, bytes]:
    return {str(file.relative_to(directory)): file.read_bytes() for file in directory.rglob("*") if file.is_file()}


def unkeyed(dataset: Dataset) -> list[ReportedFinding]:
    lines = dataset.findings_file.read_text().splitlines()
    return [ReportedFinding.model_validate_json(line).model_copy(update={"fingerprint": ""}) for line in lines]


def test_changed_prompt_weights_prepare_no_file_again(modules: Folders, tokenizer: CodeTokenizer) -> None:
    folder = modules("library", MODULES[:12])
    first = part_of(folder, tokenizer)
    other = DATA.model_copy(update={"prompt_loss_weight": PromptLossWeight(fim=0.1)})
    again = part_of(folder, tokenizer, other)
    assert again.reused
    one, two = dataset_of([first], tokenizer), dataset_of([again], tokenizer, other)
    assert one.fingerprint != two.fingerprint


def test_part_that_lacks_a_file_which_changed_meanwhile_is_not_taken_for_the_whole_one(
    modules: Folders, tokenizer: CodeTokenizer
) -> None:
    folder = modules("library", MODULES[:12])
    before = (folder / "abc.py").read_bytes()

    class Changing(FolderSource):
        def files(self, wanted: Wanted = everything) -> Iterator[SourceFile | Rejected]:
            yield from list(super().files(wanted))
            if wanted is not nothing:  # the walk that hashes
                (folder / "abc.py").write_bytes(before + b"# longer\n")

    report = SilentReporter()
    project = ProjectConfig(source=str(folder))
    part = prepare_part(project, Changing(folder, str(folder)), tokenizer, DATA, report)
    (folder / "abc.py").write_bytes(before)
    whole = part_of(folder, tokenizer)
    assert (part.files, part.rejected, whole.files, whole.reused) == (11, 1, 12, False)
    said = "abc.py of library changed or could not be read and is left out; the next preparation tries again."
    assert report.warnings == [said]
    assert part.directory.name == directory_name(read_record(part.directory).key, fingerprints().key_id)
    assert part.directory.name != whole.directory.name
    assert part_of(folder, tokenizer).directory == whole.directory


def test_combinations_reuse_parts_and_datasets(modules: Folders, tokenizer: CodeTokenizer) -> None:
    folders = [modules("one", MODULES[:15]), modules("two", MODULES[15:30]), modules("three", MODULES[30:])]
    parts = [part_of(folder, tokenizer) for folder in folders]
    assert [part.reused for part in parts] == [False] * 3
    single = dataset_of(parts[1:2], tokenizer)
    both = dataset_of([part_of(folder, tokenizer) for folder in folders[1:]], tokenizer)
    assert len([part for part in paths.parts().iterdir() if part.is_dir()]) == 3
    assert not both.reused
    assert both.fingerprint != single.fingerprint
    split, alone = split_of(read_manifest(both.directory)), split_of(read_manifest(single.directory))
    assert {path: split[path] for path in alone} == alone
    again_parts = [part_of(folder, tokenizer) for folder in folders[1:]]
    assert all(part.reused for part in again_parts)
    again = dataset_of(again_parts, tokenizer)
    assert again.reused
    assert again.directory == both.directory
    (folders[2] / "new.py").write_text((STANDARD_LIBRARY / "uuid.py").read_text())
    assert not part_of(folders[2], tokenizer).reused


def test_same_input_gives_the_same_bytes_in_another_home_and_order_of_work(
    modules: Folders, tokenizer: CodeTokenizer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = modules("one", MODULES[:20]), modules("two", MODULES[20:])
    first = dataset_of([part_of(one, tokenizer), part_of(two, tokenizer)], tokenizer)
    moved = [shutil.copytree(folder, tmp_path / "elsewhere" / folder.name) for folder in (one, two)]
    monkeypatch.setenv("DUOTUNE_HOME", str(tmp_path / "another-home"))
    late = part_of(moved[1], tokenizer)
    second = dataset_of([part_of(moved[0], tokenizer), late], tokenizer)
    assert not second.reused
    assert second.directory != first.directory
    assert second.fingerprint == first.fingerprint
    # Fingerprints of findings are by each home's own key.
    assert unkeyed(second) == unkeyed(first)
    assert {**contents(second.directory), FINDINGS_FILE: b""} == {**contents(first.directory), FINDINGS_FILE: b""}
    monkeypatch.setenv("DUOTUNE_HOME", str(tmp_path / "third-home"))
    other = DATA.model_copy(update={"seed": 1})
    third = dataset_of([part_of(folder, tokenizer, other) for folder in (one, two)], tokenizer, other)
    assert third.fingerprint != first.fingerprint


def test_a_requested_stop_leaves_nothing_behind(modules: Folders, tokenizer: CodeTokenizer) -> None:
    folder = modules("library", MODULES[:12])
    with pytest.raises(Stopped):
        part_of(folder, tokenizer, report=SilentReporter(stop_requested=True))
    assert list(paths.parts().iterdir()) == []
    part = part_of(folder, tokenizer)
    with pytest.raises(Stopped):
        dataset_of([part], tokenizer, report=SilentReporter(stop_requested=True))
    assert not paths.datasets().exists()


def test_data_settings_that_a_part_depends_on_change_its_key(
    modules: Callable[[str, Iterable[str]], Path], tokenizer: CodeTokenizer
) -> None:
    folder = modules("library", MODULES[:5])
    keys = {
        part_of(folder, tokenizer).directory,
        part_of(folder, tokenizer, DataConfig(sequence_length=512)).directory,
        part_of(folder, tokenizer, DATA.model_copy(update={"seed": 1})).directory,
        part_of(folder, tokenizer, exclude=["abc.py"]).directory,
    }
    assert len(keys) == 4
    assert part_of(folder, tokenizer, DATA.model_copy(update={"test_fraction": 0.2})).reused


def test_a_change_of_attributes_that_decides_on_files_makes_another_part(
    modules: Folders, tokenizer: CodeTokenizer
) -> None:
    folder = modules("library", MODULES[:8])
    plain = part_of(folder, tokenizer)
    attributes = folder / ".gitattributes"
    attributes.write_text(
        "# How files are stored, and what they are.\n* text=auto\n*.png binary\nabc.py -linguist-generated\n"
    )
    kept = part_of(folder, tokenizer)
    attributes.write_text(attributes.read_text() + "# A remark.\n*.sh eol=lf\n")
    assert part_of(folder, tokenizer).directory == kept.directory
    attributes.write_text(attributes.read_text() + "abc.py linguist-generated\n")
    rejected = part_of(folder, tokenizer)
    assert len({plain.directory, kept.directory, rejected.directory}) == 3
    assert (kept.files, rejected.files) == (8, 7)
    entry = next(file for file in read_record(rejected.directory).rejected if file.path == "abc.py")
    assert (entry.reason, entry.detail, entry.size_bytes, entry.language) == (
        Reason.GENERATED,
        ".gitattributes: linguist-generated",
        (folder / "abc.py").stat().st_size,
        "Python",
    )
