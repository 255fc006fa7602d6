"""Long runs of characters that tokens are made of: every other rule looks only there, which makes the scan fast."""

from __future__ import annotations

MIN_RUN = 16
_LETTERS = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-+/"
_CLASSES = bytes(1 if byte in _LETTERS else 2 if byte in b"0123456789" else 0 for byte in range(256))


def flat(text: str) -> bytes:
    """One byte for each character, so that places in the bytes are places in the text (`?` beyond Latin-1)."""
    return text.encode("latin-1", "replace")


def long_runs(flat_text: bytes) -> list[tuple[int, int, bool]]:
    """Start, end and whether there is a digit, of each run of at least 16 letters, digits, `_`, `-`, `+` and `/`.

    Args:
        flat_text: The text as `flat` gives it.
    """
    import numpy as np  # here, because planning scans too, and front ends that plan must start fast

    classes = np.frombuffer(flat_text.translate(_CLASSES), np.uint8)
    breaks = np.concatenate(([-1], (classes == 0).nonzero()[0], [len(classes)]))
    wide = (breaks[1:] - breaks[:-1] > MIN_RUN).nonzero()[0]
    starts, ends = breaks[wide] + 1, breaks[wide + 1]
    digits = (classes == 2).nonzero()[0]
    counts = digits.searchsorted(ends) - digits.searchsorted(starts)
    return list(zip(starts.tolist(), ends.tolist(), (counts > 0).tolist(), strict=True))
