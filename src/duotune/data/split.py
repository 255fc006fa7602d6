"""Which cluster goes to training, validation or test: stratified, reproducible, and never back from test."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from duotune.catalog.splits import RecordedSplit, Split
from duotune.data.clusters import Components, linked_pairs
from duotune.data.dice import unit_interval
from duotune.errors import UsageError

# The more held out wins where near-duplicates were recorded apart: never train on what a version was tested on.
_STRENGTH: Mapping[Split, int] = {"train": 0, "validation": 1, "test": 2}
_MIN_CLUSTERS = 3


@dataclass(frozen=True)
class Candidate:
    """A file that passed the filters, as the split sees it.

    Attributes:
        project: Name of its project.
        language: Its language.
        content: Content hash (`similarity.content_hash`).
        signature: Its signature (`similarity.signatures`).
        kept: Whether it becomes examples; duplicates do not, but they tie their cluster together.
    """

    project: str
    language: str
    content: str
    signature: bytes
    kept: bool


@dataclass(frozen=True)
class Assignment:
    """Where a file belongs: its cluster, and the cluster's split."""

    cluster: str
    split: Split


@dataclass
class _Cluster:
    name: str
    members: list[int]
    kept: int
    recorded: Split | None = None


def assign(
    candidates: Sequence[Candidate],
    recorded: Sequence[RecordedSplit],
    validation_fraction: float,
    test_fraction: float,
    seed: int,
) -> list[Assignment]:
    """Give every file its cluster and split.

    Files and the recorded signatures of earlier datasets form one graph of near-duplicates; its components are the
    clusters. A cluster that holds recorded content keeps the recorded name and the most held-out recorded split. The
    others are drawn by systematic sampling along (project, language, hash of the cluster), so that every project and
    language gives its share as far as whole clusters allow.

    Args:
        candidates: Files in a reproducible order.
        recorded: What earlier datasets recorded.
        validation_fraction: Share of the kept files for validation.
        test_fraction: Share of the kept files for test.
        seed: Seed of the draw.

    Returns:
        One assignment per candidate.

    Raises:
        UsageError: Fewer than three clusters: nothing could be held out.
    """
    clusters = _clusters(candidates, recorded)
    eligible = [cluster for cluster in clusters if cluster.kept]
    if len(eligible) < _MIN_CLUSTERS:
        raise UsageError(
            f"Only {len(eligible)} file{'s' if len(eligible) != 1 else ''} of distinct content can be trained on: "
            "too few to hold any out.",
            f"Add projects or file types; at least {_MIN_CLUSTERS} distinct files are needed, hundreds are better.",
        )
    splits = _draw(candidates, eligible, validation_fraction, test_fraction, seed)
    assignments = [Assignment("", "train")] * len(candidates)
    for cluster in clusters:
        split = splits.get(cluster.name) or cluster.recorded or "train"
        for member in cluster.members:
            assignments[member] = Assignment(cluster.name, split)
    return assignments


def to_record(candidates: Sequence[Candidate], assignments: Sequence[Assignment]) -> list[RecordedSplit]:
    """The rows for the catalog, one per distinct content, ordered by content."""
    rows = {
        candidate.content: RecordedSplit(candidate.content, given.cluster, given.split, candidate.signature)
        for candidate, given in zip(candidates, assignments, strict=True)
    }
    return [rows[content] for content in sorted(rows)]


def _clusters(candidates: Sequence[Candidate], recorded: Sequence[RecordedSplit]) -> list[_Cluster]:
    """Clusters that hold at least one candidate, in the order of their first candidate."""
    components = _components(candidates, recorded)
    members: defaultdict[int, list[int]] = defaultdict(list)
    earlier: defaultdict[int, list[RecordedSplit]] = defaultdict(list)
    for index in range(len(candidates)):
        members[components.find(index)].append(index)
    for offset, row in enumerate(recorded):
        earlier[components.find(len(candidates) + offset)].append(row)
    clusters: dict[str, _Cluster] = {}
    for root, indices in members.items():
        rows = earlier.get(root, [])
        strongest = max(rows, key=lambda row: (_STRENGTH[row.split], row.cluster), default=None)
        name = strongest.cluster if strongest else min(candidates[i].content for i in indices)[:32]
        cluster = clusters.setdefault(name, _Cluster(name, [], 0, strongest.split if strongest else None))
        cluster.members.extend(indices)
        cluster.kept += sum(candidates[i].kept for i in indices)
    return list(clusters.values())


def _components(candidates: Sequence[Candidate], recorded: Sequence[RecordedSplit]) -> Components:
    contents = [c.content for c in candidates] + [row.content for row in recorded]
    signed = [c.signature for c in candidates] + [row.signature for row in recorded]
    components = Components(len(contents))
    first: dict[str, int] = {}
    for index, content in enumerate(contents):
        components.join(first.setdefault(content, index), index)
    for later, linked in linked_pairs(signed):
        for other in linked:
            components.join(later, other)
    return components


def _draw(
    candidates: Sequence[Candidate],
    clusters: Sequence[_Cluster],
    validation_fraction: float,
    test_fraction: float,
    seed: int,
) -> dict[str, Split]:
    def place(cluster: _Cluster) -> tuple[str, str, float, str]:
        first = candidates[cluster.members[0]]
        return first.project, first.language, unit_interval(seed, "split", cluster.name), cluster.name

    splits: dict[str, Split] = {}
    owed: dict[Split, float] = {"test": 0.0, "validation": 0.0}
    for cluster in sorted(clusters, key=place):
        owed["test"] += test_fraction * cluster.kept
        owed["validation"] += validation_fraction * cluster.kept
        # Half a cluster owed is enough: the count then is the rounded fraction, not the one below it.
        due: Split = next((split for split in owed if owed[split] >= cluster.kept / 2), "train")
        split = cluster.recorded or due
        splits[cluster.name] = split
        if split in owed:
            owed[split] -= cluster.kept
    _hold_out_some(clusters, splits, seed)
    return splits


def _hold_out_some(clusters: Sequence[_Cluster], splits: dict[str, Split], seed: int) -> None:
    """Give a small project the held-out clusters that its fractions round to nothing.

    Clusters that no earlier dataset trained on come first, then those of which the smallest part is lost.
    """
    least = 2 if len(clusters) >= 10 else 1
    order = sorted(
        clusters,
        key=lambda c: (c.recorded is not None, c.kept, unit_interval(seed, "hold out", c.name), c.name),
    )
    wanted: tuple[Split, ...] = ("test", "validation")
    for split in wanted:
        missing = least - sum(given == split for given in splits.values())
        spare = [cluster.name for cluster in order if splits[cluster.name] == "train"]
        for name in spare[: max(0, min(missing, len(spare) - 1))]:
            splits[name] = split
