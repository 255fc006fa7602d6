"""The funnel of a dataset, from its manifest."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from duotune.catalog.splits import Split
from duotune.data.manifest import KeptFile, Manifest, RejectedEntry
from duotune.data.reasons import Reason
from duotune.runs.funnel import UNKNOWN, Amount, Funnel, Share

File = TypeVar("File", KeptFile, RejectedEntry)

FUNNEL_FILE = "funnel.json"
SPLITS: tuple[Split, ...] = ("train", "validation", "test")
_DUPLICATES = (Reason.EXACT_DUPLICATE, Reason.NEAR_DUPLICATE)


def funnel_of(manifest: Manifest) -> Funnel:
    """Count what a manifest lists."""
    kept, rejected = manifest.files, manifest.rejected
    duplicates = _sum(entry for entry in rejected if entry.reason in _DUPLICATES)
    unfit = _sum(entry for entry in rejected if entry.read and entry.reason not in _DUPLICATES)
    distinct = _sum(kept)
    # Only what is kept has been made into tokens, so stages that count more than that tell of none.
    accepted = (distinct + duplicates).model_copy(update={"tokens": None})
    readable = accepted + unfit
    listed = readable + _sum(entry for entry in rejected if not entry.read)
    by_split = dict.fromkeys(SPLITS, Amount()) | grouped(kept, lambda file: file.split)
    reasons = grouped(rejected, lambda entry: entry.reason.value)
    return Funnel(
        stages={"listed": listed, "readable": readable, "accepted": accepted, "distinct": distinct, **by_split},
        reasons=dict(sorted(reasons.items(), key=lambda item: (-item[1].files - item[1].directories, item[0]))),
        projects=_shares(
            [project.name for project in manifest.projects],
            grouped(kept, lambda file: file.project),
            grouped(rejected, lambda entry: entry.project),
        ),
        languages=_by_language(manifest),
        leaked=manifest.leakage.left,
        leaks_dropped=manifest.leakage.found,
        contaminated_items=manifest.leakage.contaminated_items,
    )


def _sum(files: Iterable[KeptFile | RejectedEntry]) -> Amount:
    count = size = directories = 0
    tokens: int | None = 0
    for file in files:
        size += file.size_bytes
        if isinstance(file, KeptFile):
            count, tokens = count + 1, None if tokens is None else tokens + file.tokens
            continue
        tokens = None
        if file.path.endswith("/"):
            directories += 1
        else:
            count += 1
    return Amount(files=count, bytes=size, tokens=tokens, directories=directories)


def grouped(files: Iterable[File], name_of: Callable[[File], str]) -> dict[str, Amount]:
    """Count the files of each name."""
    groups: defaultdict[str, list[File]] = defaultdict(list)
    for file in files:
        groups[name_of(file)].append(file)
    return {name: _sum(group) for name, group in groups.items()}


def _shares(names: Iterable[str], kept: Mapping[str, Amount], left_out: Mapping[str, Amount]) -> dict[str, Share]:
    return {name: Share(kept=kept.get(name, Amount()), left_out=left_out.get(name, Amount())) for name in names}


def _by_language(manifest: Manifest) -> dict[str, Share]:
    of_kept = grouped(manifest.files, lambda file: file.language)
    of_rejected = grouped(manifest.rejected, lambda entry: entry.language or UNKNOWN)

    def order(name: str) -> tuple[int, int, str]:
        return -of_kept.get(name, Amount()).bytes, -of_rejected.get(name, Amount()).bytes, name

    return _shares(sorted({*of_kept, *of_rejected}, key=order), of_kept, of_rejected)
