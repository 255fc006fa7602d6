"""Which cluster goes to training, validation or test: stratified, reproducible, and never back from test."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from duotune.catalog.splits import RecordedSplit, Split
from duotune.data.clusters import Components, linked_pairs
from duotune.data.dice import unit_interval
from duotune.errors import UsageError
from duotune.runs.wording import too_few

# The more held out wins where near-duplicates were recorded apart: never train on what a version was tested on.
STRENGTH: Mapping[Split, int] = {"train": 0, "validation": 1, "test": 2}
_MIN_CLUSTERS = 3
_ENOUGH = 0.8
"""Share of a fraction that is worth moving no cluster for."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file that passed the filters, as the split sees it.

    Attributes:
        project: Name of its project.
        language: Its language.
        content: Content hash (`content.content_hash`).
        signature: Its signature (`similarity.signatures`).
        kept: Whether it becomes examples; duplicates do not, but they tie their cluster together.
        late: Whether it was first committed after the day from which on files are held out.
    """

    project: str
    language: str
    content: str
    signature: bytes
    kept: bool
    late: bool = False


@dataclass(frozen=True, slots=True)
class Assignment:
    """Where a file belongs: its cluster, and the cluster's split."""

    cluster: str
    split: Split


@dataclass(frozen=True)
class Division:
    """The result of a split.

    Attributes:
        assignments: One per candidate.
        records: What the catalog should remember: all candidates, and earlier content that now shares a cluster with
            something held out; one row per content, ordered by it.
        note: What the admin should know of it, in a sentence or two; often empty.
    """

    assignments: list[Assignment]
    records: list[RecordedSplit]
    note: str = ""


@dataclass(slots=True)
class Cluster:
    """Files that are copies of each other, or nearly, directly or by way of others.

    Attributes:
        name: The recorded one, or the beginning of its smallest content hash.
        members: Places of its candidates.
        kept: How many of them become examples.
        late: Whether all of them are late.
        earlier: What earlier datasets recorded of its contents.
    """

    name: str
    members: list[int]
    kept: int
    late: bool
    earlier: list[RecordedSplit]

    @property
    def recorded(self) -> Split | None:
        """The most held-out split that was recorded for it."""
        return max((row.split for row in self.earlier), key=STRENGTH.__getitem__, default=None)


def assign(
    candidates: Sequence[Candidate],
    recorded: Sequence[RecordedSplit],
    validation_fraction: float,
    test_fraction: float,
    seed: int,
) -> Division:
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

    Raises:
        UsageError: Fewer than three clusters: nothing could be held out.
    """
    clusters = clusters_of(candidates, recorded)
    kept = eligible(clusters)
    fractions: dict[Split, float] = {"test": test_fraction, "validation": validation_fraction}
    splits = draw(candidates, kept, fractions, seed)
    _top_up(kept, splits, fractions, seed)
    return division(candidates, clusters, splits)


def eligible(clusters: Sequence[Cluster]) -> list[Cluster]:
    """The clusters that something can be made of.

    Raises:
        UsageError: Fewer than three.
    """
    kept = [cluster for cluster in clusters if cluster.kept]
    if len(kept) < _MIN_CLUSTERS:
        raise UsageError(
            f"{too_few(len(kept), 'file')} of distinct content can be trained on: too few to hold any out.",
            f"Add projects or file types; at least {_MIN_CLUSTERS} distinct files are needed, hundreds are better.",
        )
    return kept


def division(candidates: Sequence[Candidate], clusters: Sequence[Cluster], splits: Mapping[str, Split]) -> Division:
    """What follows for each candidate and for the catalog when the clusters' splits are decided.

    Args:
        candidates: All of them.
        clusters: Of all candidates (`clusters_of`).
        splits: Split by name of cluster; one that it lacks has its recorded split, else it is trained on.
    """
    assignments = [Assignment("", "train")] * len(candidates)
    for cluster in clusters:
        split = splits.get(cluster.name) or cluster.recorded or "train"
        given = Assignment(cluster.name, split)
        for member in cluster.members:
            assignments[member] = given
    return Division(assignments, _records(candidates, assignments, clusters))


def _records(
    candidates: Sequence[Candidate], assignments: Sequence[Assignment], clusters: Sequence[Cluster]
) -> list[RecordedSplit]:
    rows: dict[str, RecordedSplit] = {}
    for cluster in clusters:
        given = assignments[cluster.members[0]]
        for row in cluster.earlier:
            rows[row.content] = RecordedSplit(row.content, given.cluster, given.split, row.signature)
    for candidate, given in zip(candidates, assignments, strict=True):
        rows[candidate.content] = RecordedSplit(candidate.content, given.cluster, given.split, candidate.signature)
    return [rows[content] for content in sorted(rows)]


def clusters_of(candidates: Sequence[Candidate], recorded: Sequence[RecordedSplit]) -> list[Cluster]:
    """Clusters that hold at least one candidate, in the order of their first candidate."""
    components = _components(candidates, recorded)
    members: defaultdict[int, list[int]] = defaultdict(list)
    earlier: defaultdict[int, list[RecordedSplit]] = defaultdict(list)
    for index in range(len(candidates)):
        members[components.find(index)].append(index)
    for offset, row in enumerate(recorded):
        earlier[components.find(len(candidates) + offset)].append(row)
    clusters: dict[str, Cluster] = {}
    for root, indices in members.items():
        rows = earlier.get(root, [])
        strongest = max(rows, key=lambda row: (STRENGTH[row.split], row.cluster), default=None)
        name = strongest.cluster if strongest else min(candidates[i].content for i in indices)[:32]
        cluster = clusters.setdefault(name, Cluster(name, [], 0, True, []))
        cluster.members.extend(indices)
        cluster.late &= all(candidates[i].late for i in indices)
        cluster.earlier.extend(rows)
        cluster.kept += sum(candidates[i].kept for i in indices)
    return list(clusters.values())


def _components(candidates: Sequence[Candidate], recorded: Sequence[RecordedSplit]) -> Components:
    contents = [c.content for c in candidates] + [row.content for row in recorded]
    signed = chain((c.signature for c in candidates), (row.signature for row in recorded))
    components = Components(len(contents))
    first: dict[str, int] = {}
    for index, content in enumerate(contents):
        components.join(first.setdefault(content, index), index)
    for later, linked in linked_pairs(signed):
        for other in linked:
            components.join(later, other)
    return components


def draw(
    candidates: Sequence[Candidate],
    clusters: Sequence[Cluster],
    fractions: Mapping[Split, float],
    seed: int,
    otherwise: Split = "train",
) -> dict[str, Split]:
    """Systematic sampling of whole clusters along (project, language, hash of the cluster).

    Args:
        candidates: All of them.
        clusters: Those to draw from (`eligible`).
        fractions: Share of the kept files by split; the splits that are drawn for.
        seed: Seed of the draw.
        otherwise: Where clusters go that no split is owed.

    Returns:
        Split by name of cluster; a recorded split stays, and counts towards its share.
    """

    def place(cluster: Cluster) -> tuple[str, str, float, str]:
        first = candidates[cluster.members[0]]
        return first.project, first.language, unit_interval(seed, "split", cluster.name), cluster.name

    splits: dict[str, Split] = {}
    owed = dict.fromkeys(fractions, 0.0)
    for cluster in sorted(clusters, key=place):
        for split, fraction in fractions.items():
            owed[split] += fraction * cluster.kept
        # Half a cluster owed is enough: the count then is the rounded fraction, not the one below it.
        due: Split = next((split for split in owed if owed[split] >= cluster.kept / 2), otherwise)
        given = splits[cluster.name] = cluster.recorded or due
        if given in owed:
            owed[given] -= cluster.kept
    return splits


def _top_up(clusters: Sequence[Cluster], splits: dict[str, Split], fractions: Mapping[Split, float], seed: int) -> None:
    """Hold out more where the draw left too little.

    That is where fractions of a small project round to nothing, and where earlier datasets, made with smaller
    fractions, trained on nearly everything: those clusters come last, and are held out from now on.
    """
    total = sum(cluster.kept for cluster in clusters)
    least = 2 if len(clusters) >= 10 else 1
    order = sorted(
        clusters, key=lambda c: (c.recorded is not None, c.kept, unit_interval(seed, "hold out", c.name), c.name)
    )
    for split, fraction in fractions.items():
        wanted = max(least, int(_ENOUGH * fraction * total))
        held = sum(cluster.kept for cluster in clusters if splits[cluster.name] == split)
        spare = [cluster for cluster in order if splits[cluster.name] == "train"]
        for cluster in spare[:-1]:
            if held >= wanted:
                break
            splits[cluster.name] = split
            held += cluster.kept
