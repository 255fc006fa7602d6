"""The funnel of a dataset, from its manifest; and the page about it that a run's directory holds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from duotune.catalog.splits import Split
from duotune.data.manifest import KeptFile, Manifest, RejectedEntry
from duotune.data.reasons import Reason
from duotune.runs.funnel import TOKENIZED, UNKNOWN, Amount, Funnel, Share

File = TypeVar("File", KeptFile, RejectedEntry)

FUNNEL_FILE = "funnel.json"
_SPLITS: tuple[Split, ...] = ("train", "validation", "test")
_DUPLICATES = (Reason.EXACT_DUPLICATE, Reason.NEAR_DUPLICATE)
_STEPS = {
    "listed": "in the projects",
    "readable": "worth reading, by name and size",
    "accepted": "code to learn from, by content",
    "distinct": "not a duplicate",
    "train": "of these: to train on",
    "validation": "to watch the loss with",
    "test": "to test on",
}


def funnel_of(manifest: Manifest) -> Funnel:
    """Count what a manifest lists."""
    kept, rejected = manifest.files, manifest.rejected
    duplicates = _sum(entry for entry in rejected if entry.reason in _DUPLICATES)
    unfit = _sum(entry for entry in rejected if entry.read and entry.reason not in _DUPLICATES)
    distinct, accepted = _sum(kept), _sum(kept) + duplicates
    readable = accepted + unfit
    listed = readable + _sum(entry for entry in rejected if not entry.read)
    stages = {"listed": listed, "readable": readable, "accepted": accepted}
    stages = {name: amount.model_copy(update={"tokens": 0}) for name, amount in stages.items()}
    by_split = _grouped(kept, lambda file: file.split)
    stages |= {"distinct": distinct} | {split: by_split.get(split, Amount()) for split in _SPLITS}
    reasons = _grouped(rejected, lambda entry: entry.reason.value)
    return Funnel(
        stages=stages
        | {"distinct": distinct}
        | {split: by_split.get(split, Amount()) for split in ("train", "validation", "test")},
        reasons=dict(sorted(reasons.items(), key=lambda item: (-item[1].files - item[1].directories, item[0]))),
        projects=_shares(
            [project.name for project in manifest.projects],
            _grouped(kept, lambda file: file.project),
            _grouped(rejected, lambda entry: entry.project),
        ),
        languages=_by_language(manifest),
        leaked=manifest.leakage.left,
        leaks_dropped=manifest.leakage.found,
        contaminated_items=manifest.leakage.contaminated_items,
    )


def as_markdown(manifest: Manifest) -> str:
    """The page about a dataset, for people: the funnel, with one example and the meaning of each reason."""
    funnel = funnel_of(manifest)
    examples: dict[str, RejectedEntry] = {}
    for entry in manifest.rejected:
        examples.setdefault(entry.reason.value, entry)
    parts = [
        "# What the data was made of",
        f"Dataset `{manifest.fingerprint[:12]}`. Every file has one verdict: "
        "`duotune projects show NAME --explain PATH` tells that of any one.",
        _stages(funnel),
        _leakage(funnel),
        "## Left out, by reason",
        "\n".join(
            ["| reason | files | size | example | meaning |", "| --- | ---: | ---: | --- | --- |"]
            + [
                f"| {name} | {_files(amount)} | {_size(amount.bytes)} | {_example(examples[name])} "
                f"| {Reason(name).sentence} |"
                for name, amount in funnel.reasons.items()
            ]
        ),
        "## By project",
        _share_table("project", funnel.projects),
        "## By language",
        _share_table("language", funnel.languages),
    ]
    return "\n\n".join(parts) + "\n"


def _sum(files: Iterable[KeptFile | RejectedEntry]) -> Amount:
    count = size = tokens = directories = 0
    for file in files:
        size += file.size_bytes
        if isinstance(file, KeptFile):
            count, tokens = count + 1, tokens + file.tokens
        elif file.path.endswith("/"):
            directories += 1
        else:
            count += 1
    return Amount(files=count, bytes=size, tokens=tokens, directories=directories)


def _grouped(files: Iterable[File], name_of: Callable[[File], str]) -> dict[str, Amount]:
    groups: defaultdict[str, list[File]] = defaultdict(list)
    for file in files:
        groups[name_of(file)].append(file)
    return {name: _sum(group) for name, group in groups.items()}


def _shares(names: Iterable[str], kept: Mapping[str, Amount], left_out: Mapping[str, Amount]) -> dict[str, Share]:
    return {name: Share(kept=kept.get(name, Amount()), left_out=left_out.get(name, Amount())) for name in names}


def _by_language(manifest: Manifest) -> dict[str, Share]:
    of_kept = _grouped(manifest.files, lambda file: file.language)
    of_rejected = _grouped(manifest.rejected, lambda entry: entry.language or UNKNOWN)

    def order(name: str) -> tuple[int, int, str]:
        return -of_kept.get(name, Amount()).bytes, -of_rejected.get(name, Amount()).bytes, name

    return _shares(sorted({*of_kept, *of_rejected}, key=order), of_kept, of_rejected)


def _leakage(funnel: Funnel) -> str:
    return (
        f"Near-duplicates across the split, measured afterwards on the texts: **{funnel.leaked}** "
        f"({funnel.leaks_dropped} were found and dropped). Held-out places passed over because their lines occur in a "
        f"training file: {funnel.contaminated_items}."
    )


def _stages(funnel: Funnel) -> str:
    lines = ["| | files | size | tokens |", "| --- | ---: | ---: | ---: |"]
    for name, amount in funnel.stages.items():
        tokens = f"{amount.tokens:,}" if name in TOKENIZED else ""
        lines.append(f"| {name}: {_STEPS[name]} | {_files(amount)} | {_size(amount.bytes)} | {tokens} |")
    return "\n".join(lines)


def _share_table(first: str, shares: Mapping[str, Share]) -> str:
    lines = [
        f"| {first} | files kept | size | tokens | files left out | size |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, share in shares.items():
        kept, left_out = share.kept, share.left_out
        lines.append(
            f"| {_cell(name)} | {kept.files:,} | {_size(kept.bytes)} | {kept.tokens:,} | {_files(left_out)} "
            f"| {_size(left_out.bytes)} |"
        )
    return "\n".join(lines)


def _files(amount: Amount) -> str:
    if not amount.directories:
        return f"{amount.files:,}"
    return f"{amount.files:,} + {amount.directories:,} directories"


def _size(count: int) -> str:
    return f"{count / 1e6:,.2f} MB" if count >= 10_000 else f"{count:,} B"


def _example(entry: RejectedEntry) -> str:
    place = f"`{_cell(entry.path)}`" + (f" ({_cell(entry.detail)})" if entry.detail else "")
    return f"{place}, as `{_cell(entry.repeats)}`" if entry.repeats else place


def _cell(text: str) -> str:
    """Foreign text, which is printable already, where it can neither end a cell nor a code span."""
    return text.replace("|", "\\|").replace("`", "'")
