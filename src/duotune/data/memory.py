"""Memory of a finished stage goes back to the system, so that the next one does not come on top of it."""

from __future__ import annotations

import contextlib
import ctypes

import pyarrow as pa


def release_memory() -> None:
    """Give back what nothing uses: the C library and Arrow keep freed memory for later allocations.

    Results never depend on it. Where the C library has no `malloc_trim`, which is glibc's own, only Arrow's goes back.
    """
    pa.default_memory_pool().release_unused()
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
