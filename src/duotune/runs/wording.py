"""How counts, sizes and durations are written, on the terminal, in the app and in reports alike."""

from __future__ import annotations

from duotune.sizes import in_bytes, in_gib

__all__ = ["counted", "in_bytes", "in_gib", "in_words", "too_few"]


def counted(count: int, word: str) -> str:
    """`1 file`, `2 files`."""
    return f"{count:,} {word}" if count == 1 else f"{count:,} {word}s"


def too_few(count: int, word: str) -> str:
    """`No file`, `Only 1 file`, `Only 2 files`: the beginning of a refusal."""
    return f"Only {counted(count, word)}" if count else f"No {word}"


def in_words(seconds: float | None) -> str:
    """A duration that a person reads at a glance: `45 s`, `12 min`, `3 h 05 min`."""
    if seconds is None:
        return "–"
    if seconds < 90:
        return f"{max(0, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"
