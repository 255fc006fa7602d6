"""The survey counts what preparation keeps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from duotune.config.run import ProjectConfig
from duotune.data import survey as module
from duotune.data.parts import read_record
from duotune.data.survey import survey
from duotune.models.tokenizer import CodeTokenizer
from duotune.sources.open import open_source
from support.preparing import DATA, part_of

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


def test_a_large_source_is_judged_by_name_where_it_is_not_read(
    modules: Callable[[str, Iterable[str]], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    project = ProjectConfig(source=str(modules("library", ["ast", "argparse", "abc"])))
    monkeypatch.setattr(module, "READ_BYTES", 10_000)
    with open_source(project.source) as source:
        found = survey(source, project, DATA)
    assert found.files == 3
    assert not found.complete
