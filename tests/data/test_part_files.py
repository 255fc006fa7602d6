"""The Arrow files of a part: what is written is read, also after its memory was given back."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from duotune.data.examples import Document
from duotune.data.part_files import (
    DOCUMENTS,
    TEXTS,
    ArrowFile,
    MappedFile,
    Texts,
    documents_batch,
    gathered,
    texts_batch,
)
from duotune.errors import CheckFailed


def document(file: int, *ids: int) -> Document:
    return Document(file, "code", list(ids), bytes(len(ids)), excerpt=file % 2 == 0, ends=True)


def test_documents_are_stored_as_they_are() -> None:
    batch = documents_batch([document(0, 5, 6, 7), document(0), document(3, 2**31 - 1)])
    assert batch.schema == DOCUMENTS
    batch.validate(full=True)
    assert batch.to_pylist() == [
        {"file": 0, "recipe": "code", "ids": [5, 6, 7], "roles": bytes(3), "excerpt": 1, "ends": 1},
        {"file": 0, "recipe": "code", "ids": [], "roles": b"", "excerpt": 1, "ends": 1},
        {"file": 3, "recipe": "code", "ids": [2**31 - 1], "roles": bytes(1), "excerpt": 0, "ends": 1},
    ]
    assert documents_batch([]).num_rows == 0


def test_rows_of_several_tables_are_gathered_in_order() -> None:
    one = pa.Table.from_batches([documents_batch([document(file, file) for file in range(6)])])
    other = pa.Table.from_batches([documents_batch([document(9, 90, 91)])])
    batch = gathered([(one, 4, 5), (one, 5, 6), (other, 0, 1), (one, 2, 2), (one, 0, 1)])
    assert batch is not None
    assert batch.column("ids").to_pylist() == [[4], [5], [90, 91], [0]]
    assert gathered([(one, 2, 2)]) is None


def test_texts_are_the_same_after_their_memory_was_given_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("duotune.data.part_files._KEEP_BYTES", 10)
    file = tmp_path / "texts.arrow"
    with ArrowFile(file, TEXTS) as target:
        for text in ("first", "second ü"):
            target.write(texts_batch([text * 1000], [b"signed"], [["json", "os.path"]]))
    texts = Texts(file)
    for _ in range(3):
        assert [texts.text(row) for row in range(len(texts))] == ["first" * 1000, "second ü" * 1000]
    assert texts.imports(1) == ["json", "os.path"]
    assert [texts.signature(row) for row in range(2)] == [b"signed", b"signed"]


@pytest.mark.parametrize("content", [b"", b"ARROW1\0\0 and no end", None])
def test_damaged_files_are_named(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "part" / "texts.arrow"
    file.parent.mkdir()
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(CheckFailed, match="part is damaged"):
        MappedFile(file)
