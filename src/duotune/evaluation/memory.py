"""What a person reads when a GPU's memory ends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from duotune.errors import RunFailed


@contextmanager
def full_memory_told() -> Iterator[None]:
    """Turn an out-of-memory error of the GPU, wherever it comes from, into a sentence and a hint.

    Raises:
        RunFailed: If the GPU's memory ends in the block.
    """
    try:
        yield
    except torch.cuda.OutOfMemoryError as error:
        raise RunFailed(
            "The GPU's memory does not hold this evaluation.",
            'Lower evaluation.batch_size or data.sequence_length, or set model.quantization = "nf4".',
        ) from error
