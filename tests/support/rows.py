"""Packed rows in memory, without a file."""

from __future__ import annotations

from typing import Any

import numpy as np

from duotune.training.rows import Row


def as_row(written: dict[str, list[Any]]) -> Row:
    """The row that a written one is read back as."""
    return Row(
        np.array(written["input_ids"], np.int32),
        np.array(written["labels"], np.int32),
        np.array(written["loss_weights"], np.float16),
        np.array(written["document_lengths"], np.int32),
    )
