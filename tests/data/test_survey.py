"""The survey counts what preparation keeps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from duotune.config.run import ProjectConfig
from duotune.data import sieve as module
from duotune.data.explain import explain
from duotune.data.manifest import read_manifest
from duotune.data.parts import read_record
from duotune.data.report import funnel_of
from duotune.data.survey import survey
from duotune.models.tokenizer import CodeTokenizer
from duotune.sources.open import open_source
from support.preparing import DATA, dataset_of, part_of

Folders = Callable[..., Path]


def test_survey_agrees_with_preparation(modules: Folders, tokenizer: CodeTokenizer) -> None:
    folder = modules("library")
    (folder / "notes.md").write_text("Some words.\n" * 20)
    (folder / "copy.sh").write_text('#!/bin/sh\n# Copies one file over another.\ncp -- "$1" "$2"\n' * 3)
    project = ProjectConfig(source=str(folder))
    with open_source(project.source) as source:
        found = survey(source, project, DATA)
    part = part_of(folder, tokenizer)
    record = read_record(part.directory)
    assert found.files == part.files
    assert found.bytes == sum(file.size_bytes for file in record.files)
    assert {name: files for name, (files, _) in found.by_language.items()} == part.languages
    assert found.rejected == Counter(file.reason.value for file in record.rejected)
    assert found.estimated_tokens == pytest.approx(found.bytes / 3.2, rel=0.01)
    assert found.complete
    assert found.found == {
        "Python": found.by_language["Python"],
        "Markdown": (1, 240),
        "Shell": found.by_language["Shell"],
    }
    assert found.doubtful == {}


def test_survey_and_funnel_count_the_same_files(modules: Folders, tokenizer: CodeTokenizer) -> None:
    folder = modules("library")
    (folder / "py.typed").touch()
    (folder / "link.py").symlink_to("json.py")
    (folder / "logo.png").write_bytes(bytes(300))
    (folder / "out").mkdir()
    (folder / "out" / "a.py").write_text("a = 1\n" * 50)
    (folder / ".gitignore").write_text("out/\n")
    project = ProjectConfig(source=str(folder))
    with open_source(project.source) as source:
        found = survey(source, project, DATA)
    dataset = dataset_of([part_of(folder, tokenizer)], tokenizer)
    listed = funnel_of(read_manifest(dataset.directory)).stages["listed"]
    assert sum(files for files, _ in found.found.values()) == listed.files
    assert sum(size for _, size in found.found.values()) == listed.bytes


def test_a_large_source_is_judged_by_name_where_it_is_not_read(
    modules: Callable[[str, Iterable[str]], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    project = ProjectConfig(source=str(modules("library", ["ast", "argparse", "abc"])))
    monkeypatch.setattr(module, "READ_BYTES", 10_000)
    with open_source(project.source) as source:
        found = survey(source, project, DATA)
    assert found.files == 3
    assert not found.complete


def test_types_that_are_not_chosen_are_counted_and_doubtful_code_is_shown(modules: Folders) -> None:
    folder = modules("library", ["ast", "abc"])
    (folder / "tools").mkdir()
    (folder / "abc.py").rename(folder / "tools" / "abc.py")
    (folder / "copy.py").write_bytes((folder / "ast.py").read_bytes())
    (folder / "data.json").write_text('{"a": 1}\n' * 20)
    (folder / "logo.png").write_bytes(bytes(100))
    (folder / "link.py").symlink_to("ast.py")
    project = ProjectConfig(source=str(folder), languages=["Python"])
    with open_source(project.source) as source:
        found = survey(source, project, DATA)
    assert {name: files for name, (files, _) in found.found.items()} == {"Python": 3, "JSON": 1, "unknown": 2}
    assert found.by_language["Python"][0] == 2
    assert found.doubtful == {"tools/": (1, (folder / "tools" / "abc.py").stat().st_size)}
    assert found.rejected == {"exact-duplicate": 1, "language-not-chosen": 1, "binary": 1, "symlink": 1}


def test_what_the_project_calls_its_own_is_not_doubted(modules: Folders) -> None:
    folder = modules("library")
    for directory, said in (("tools", ""), ("docs", "-linguist-vendored"), ("examples", "linguist-vendored=false")):
        (folder / directory).mkdir()
        (folder / directory / "release.py").write_text(f"# Of {directory}.\n" + "print(1)\n" * 20)
        with (folder / ".gitattributes").open("a") as attributes:
            attributes.write(f"{directory}/** {said}\n")
    project = ProjectConfig(source=str(folder))
    with open_source(project.source) as source:
        assert list(survey(source, project, DATA).doubtful) == ["tools/"]
        details = [
            explain(source, project, DATA, f"{name}/release.py").detail for name in ("tools", "docs", "examples")
        ]
    assert ["other people" in detail for detail in details] == [True, False, False]
