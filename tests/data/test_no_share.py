"""A recipe without a share makes no document: what then becomes of files in which the others find nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from duotune.config.run import DataConfig, Recipes
from duotune.data.dice import Dice
from duotune.data.parts import read_record
from duotune.errors import SourceError
from duotune.models.tokenizer import CodeTokenizer
from support.preparing import DATA, dataset_of, part_of

WORDS = "if else return self name value string list path file open read line code count other import class"
NO_SHARE = dict.fromkeys(Recipes.model_fields, 0.0)


def headings_only() -> DataConfig:
    return DATA.model_copy(update={"recipes": Recipes.model_validate({**NO_SHARE, "heading": 1.0})})


def write_notes(folder: Path, headings: int, plain: int) -> None:
    folder.mkdir()
    for number in range(headings + plain):
        words = " ".join(Dice(number).shuffled(WORDS.split()))
        title = f"# Note {number}\n\n" if number < headings else ""
        (folder / f"note{number:02}.md").write_text(f"{title}{words}\n")


def test_files_in_which_nothing_is_found_are_kept_without_tokens(tmp_path: Path, tokenizer: CodeTokenizer) -> None:
    write_notes(tmp_path / "notes", 10, 10)
    data = headings_only()
    part = part_of(tmp_path / "notes", tokenizer, data, languages=["Markdown"])
    tokens = [file.tokens for file in read_record(part.directory).files]
    assert [count > 0 for count in tokens] == [True] * 10 + [False] * 10
    manifest = dataset_of([part], tokenizer, data).manifest
    assert len(manifest.files) == 20
    assert set(manifest.splits["train"].recipes) == {"heading"}
    assert set(manifest.splits["validation"].recipes) <= {"heading"}


def test_a_project_in_which_nothing_at_all_is_found_is_refused(tmp_path: Path, tokenizer: CodeTokenizer) -> None:
    write_notes(tmp_path / "notes", 0, 5)
    with pytest.raises(SourceError, match="has nothing to train on"):
        part_of(tmp_path / "notes", tokenizer, headings_only(), languages=["Markdown"])


def test_a_split_without_documents_is_written_without_rows(tmp_path: Path, tokenizer: CodeTokenizer) -> None:
    write_notes(tmp_path / "notes", 1, 30)
    data = headings_only()
    dataset = dataset_of([part_of(tmp_path / "notes", tokenizer, data, languages=["Markdown"])], tokenizer, data)
    assert 0 in (dataset.train_rows, dataset.validation_rows)
    assert (dataset.directory / "validation" / "state.json").is_file()
