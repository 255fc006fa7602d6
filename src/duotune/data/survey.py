"""What preparation would keep of a source, counted without tokenizing: for the plan, before anything starts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from duotune.config.run import DataConfig, ProjectConfig
from duotune.data.content import content_hash
from duotune.data.filters import filters_of
from duotune.data.funnel import Accepted, screen_contents, screen_paths
from duotune.data.languages import by_path
from duotune.data.reasons import Reason
from duotune.sources.source import Source, nothing

BYTES_PER_TOKEN = 3.2
"""Of code, across the byte-level vocabularies of 30,000 to 150,000 tokens that code models have."""
READ_BYTES = 16_000_000
"""So much is read and judged; the rest is judged by name and size, which finds nearly all that is left out."""


@dataclass(frozen=True)
class Survey:
    """Counts of one source.

    Attributes:
        files: Files that would be kept.
        bytes: Their bytes.
        by_language: Files and bytes by language, most bytes first.
        rejected: Files left out by reason, most first.
        estimated_tokens: Tokens of the kept bytes at 3.2 bytes per token.
        complete: Whether every file was read; near-duplicates are never looked for.
    """

    files: int
    bytes: int
    by_language: Mapping[str, tuple[int, int]]
    rejected: Mapping[str, int]
    estimated_tokens: int
    complete: bool


def survey(source: Source, project: ProjectConfig, data: DataConfig) -> Survey:
    """Count what preparation would keep.

    Raises:
        UsageError: A language that is not known.
        SourceError: The source cannot be read.
    """
    filters = filters_of(project, data)
    readable, left_out = screen_paths(source.files(nothing), filters)
    rejected = Counter(entry.reason for entry in left_out)
    sizes: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    contents: set[str] = set()
    room = READ_BYTES
    read = []
    for file in readable:
        room -= file.size
        language = by_path(file.path)
        if room >= 0 or language is None:
            read.append(file)
        else:
            counts[language.name] += 1
            sizes[language.name] += file.size
    for entry in screen_contents(source, read, filters):
        if not isinstance(entry, Accepted):
            rejected[entry.reason] += 1
        elif (content := content_hash(entry.text)) in contents:
            rejected[Reason.EXACT_DUPLICATE] += 1
        else:
            contents.add(content)
            counts[entry.language] += 1
            sizes[entry.language] += entry.size
    total = sizes.total()
    return Survey(
        files=counts.total(),
        bytes=total,
        by_language={name: (counts[name], size) for name, size in sizes.most_common()},
        rejected={reason.value: count for reason, count in rejected.most_common()},
        estimated_tokens=round(total / BYTES_PER_TOKEN),
        complete=len(read) == len(readable),
    )
