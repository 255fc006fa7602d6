"""Micro-batches and the order of rows."""

from pathlib import Path

import torch

from duotune.training.batches import RowOrder, collate, label_weight, spread
from duotune.training.rows import PackedRows
from support.packed import counting_documents, packed_row, write_split
from support.rows import as_row

CPU = torch.device("cpu")


def test_positions_restart_in_every_document_and_targets_are_the_next_tokens() -> None:
    batch = collate([as_row(packed_row([[5, 6, 7], [8, 9]]))], CPU)
    assert batch is not None
    assert batch.position_ids.tolist() == [[0, 1, 2, 0, 1]]
    assert batch.predicting.tolist() == [0, 1, 3]
    assert batch.targets.tolist() == [6, 7, 9]
    assert batch.documents.lengths == (3, 2)
    assert batch.documents.starts.tolist() == [0, 3, 5]


def test_the_last_token_of_a_document_never_predicts_the_next_document_even_if_its_first_token_is_labelled() -> None:
    row = packed_row([[5, 6, 7], [8, 9]])
    row["labels"] = [5, 6, 7, 8, 9]
    batch = collate([as_row(row)], CPU)
    assert batch is not None
    assert batch.predicting.tolist() == [0, 1, 3]


def test_padding_and_unlabelled_documents_are_not_computed_on() -> None:
    row = packed_row([[5, 6, 7], [8, 9]], padding=4)
    row["labels"][:3] = [-100] * 3
    batch = collate([as_row(row), as_row(packed_row([[1, 2]]))], CPU)
    assert batch is not None
    assert batch.input_ids.tolist() == [[8, 9, 1, 2]]
    assert batch.tokens == 4
    assert collate([as_row(packed_row([], padding=4))], CPU) is None


def test_weights_follow_their_labels_and_a_weight_of_zero_removes_one() -> None:
    row = packed_row([[5, 6, 7, 8]])
    row["loss_weights"] = [9.0, 2.0, 0.0, 0.5]
    batch = collate([as_row(row)], CPU)
    assert batch is not None
    assert batch.targets.tolist() == [6, 8]
    assert batch.weights.tolist() == [2.0, 0.5]
    assert batch.weight == 2.5 == label_weight([as_row(row)])


def test_every_epoch_takes_each_row_once_in_an_order_of_its_own() -> None:
    order = RowOrder(rows=10, rows_per_step=4, seed=3, total_rows=20)
    stream = [index for step in range(order.steps) for index in order.step(step)]
    assert sorted(stream[:10]) == sorted(stream[10:]) == list(range(10))
    assert stream[:10] != stream[10:]
    assert order.epoch(5) == 2.0


def test_a_step_asked_for_alone_takes_the_rows_that_it_takes_in_sequence() -> None:
    whole = RowOrder(rows=7, rows_per_step=3, seed=1, total_rows=17)
    assert whole.steps == 6
    assert len(whole.step(5)) == 2
    for step in (4, 0, 2):
        alone = RowOrder(rows=7, rows_per_step=3, seed=1, total_rows=17)
        assert alone.step(step) == whole.step(step)


def test_validation_rows_are_spread_over_the_split(tmp_path: Path) -> None:
    rows = PackedRows(write_split(tmp_path / "rows", [packed_row(counting_documents(1)) for _ in range(9)]))
    assert spread(rows, 3) == [0, 4, 8]
    assert spread(rows, 100) == list(range(9))
