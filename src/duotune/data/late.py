"""Which files entered the history after the day from which on everything is held out."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time

from duotune.config.run import DataConfig
from duotune.errors import printable
from duotune.sources.source import Source, SourceFile

_DAY_SECONDS = 86_400


def added_after(data: DataConfig, source: Source, files: Iterable[SourceFile]) -> frozenset[str]:
    """Printable paths of the files that entered the history after the day that the settings name, if they name one.

    Raises:
        SourceError: The source has no history, or not the whole of it.
    """
    if not data.held_out_after:
        return frozenset()
    limit = datetime.combine(date.fromisoformat(data.held_out_after), time(), UTC).timestamp() + _DAY_SECONDS
    added = source.first_commits([file.path for file in files])
    return frozenset(printable(path) for path, seconds in added.items() if seconds >= limit)
