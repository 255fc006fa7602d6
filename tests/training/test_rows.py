"""Reading packed rows."""

from pathlib import Path

import numpy as np
import pytest

from duotune.errors import RunFailed
from duotune.training.rows import PackedRows
from support.packed import counting_documents, packed_row, write_split


def test_rows_of_several_shards_and_record_batches_come_in_order_and_unchanged(tmp_path: Path) -> None:
    written = [packed_row(counting_documents(2, seed, length=5 + seed), padding=seed) for seed in range(11)]
    rows = PackedRows(write_split(tmp_path / "train", written, shards=2))
    assert len(rows) == 11
    for index, expected in enumerate(written):
        row = rows[index]
        assert row.input_ids.tolist() == expected["input_ids"]
        assert row.labels.tolist() == expected["labels"]
        assert row.document_lengths.tolist() == expected["document_lengths"]
        assert row.loss_weights.dtype == np.float16


def test_rows_are_views_of_the_mapped_file_and_not_copies(tmp_path: Path) -> None:
    row = PackedRows(write_split(tmp_path / "train", [packed_row(counting_documents(2))]))[0]
    assert not row.input_ids.flags.owndata
    assert not row.input_ids.flags.writeable


def test_a_dataset_that_the_library_saved_is_read(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    written = [packed_row(counting_documents(2, seed)) for seed in range(7)]
    path = write_split(tmp_path / "mine", written)
    loaded = datasets.Dataset.from_file(str(next(path.glob("*.arrow"))))
    loaded.save_to_disk(tmp_path / "theirs", num_shards=3)
    rows = PackedRows(tmp_path / "theirs")
    assert [rows[index].input_ids.tolist() for index in range(7)] == [row["input_ids"] for row in written]


def test_a_file_that_is_no_arrow_stream_is_refused_with_its_directory(tmp_path: Path) -> None:
    (tmp_path / "data-00000-of-00001.arrow").write_bytes(b"nothing of the kind")
    with pytest.raises(RunFailed, match="cannot be read"):
        PackedRows(tmp_path)
