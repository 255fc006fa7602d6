"""What a manifest says of each file, from the split of a pool."""

from __future__ import annotations

from duotune.catalog.splits import Split
from duotune.data.manifest import KeptFile, RejectedEntry
from duotune.data.pool import Repeat
from duotune.data.reasons import Reason
from duotune.data.selection import Selection


def kept_files(selection: Selection) -> list[KeptFile]:
    """The kept files, by project and path."""
    pool = selection.pool
    kept = [
        KeptFile(
            project=pool.files[position].project,
            path=pool.files[position].file.path,
            blob_id=pool.files[position].file.blob_id,
            cluster=selection.assignments[position].cluster,
            split=split,
            language=pool.files[position].file.language,
            size_bytes=pool.files[position].file.size_bytes,
            tokens=pool.files[position].file.tokens,
            detail=pool.files[position].file.detail,
        )
        for split, positions in selection.positions.items()
        for position in positions
    ]
    return sorted(kept, key=lambda file: (file.project, file.path))


def rejected_files(selection: Selection) -> list[RejectedEntry]:
    """The others: left out by the filters, repeating another file, or leaking what is held out."""
    pool = selection.pool
    entries = [
        RejectedEntry(
            project=project,
            path=file.path,
            reason=file.reason,
            size_bytes=file.size_bytes,
            detail=file.detail,
            language=file.language,
            read=file.read,
        )
        for project, record in zip(pool.projects, pool.records, strict=True)
        for file in record.rejected
    ]
    repeats = {**pool.repeats, **{position: Repeat(Reason.NEAR_DUPLICATE, None) for position in selection.leaks}}
    for position, repeat in repeats.items():
        pooled = pool.files[position]
        entries.append(
            RejectedEntry(
                project=pooled.project,
                path=pooled.file.path,
                reason=repeat.reason,
                size_bytes=pooled.file.size_bytes,
                language=pooled.file.language,
                read=True,
                repeats=repeat.original,
                cluster=selection.assignments[position].cluster,
            )
        )
    return sorted(entries, key=lambda entry: (entry.project, entry.path))


def cluster_splits(selection: Selection) -> dict[str, Split]:
    """Split of each cluster."""
    return {given.cluster: given.split for given in sorted(set(selection.assignments), key=lambda a: a.cluster)}
