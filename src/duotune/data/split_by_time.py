"""The split by time: what was committed last is held out, as in use, where the code of tomorrow is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from duotune.catalog.splits import RecordedSplit, Split
from duotune.data.split import STRENGTH, Candidate, Cluster, Division, clusters_of, division, draw, eligible
from duotune.errors import UsageError
from duotune.runs.wording import counted, too_few


def assign_by_time(
    candidates: Sequence[Candidate],
    recorded: Sequence[RecordedSplit],
    validation_fraction: float,
    test_fraction: float,
    seed: int,
    day: str,
) -> Division:
    """Give every file its cluster and split, holding out the late ones and them alone.

    A cluster is held out when all its files are late, duplicates too: one near-duplicate from before the day, and the
    whole cluster is trained on, since its late files are no news. What earlier datasets recorded still holds: a cluster
    that was trained on is never tested on, and one that was held out is never trained on, however old. Late clusters
    go to test and validation in the proportion of the fractions, drawn as `assign` draws.

    Args:
        candidates: Files in a reproducible order.
        recorded: What earlier datasets recorded.
        validation_fraction: Its proportion to the next one counts.
        test_fraction: See above.
        seed: Seed of the draw.
        day: The day, for what is said when too few files are late or early.

    Raises:
        UsageError: Nothing could be tested on, validated on, or trained on.
    """
    clusters = clusters_of(candidates, recorded)
    kept = eligible(clusters)
    total = validation_fraction + test_fraction
    fractions: dict[Split, float] = {"test": test_fraction / total, "validation": validation_fraction / total}
    late = [cluster for cluster in kept if cluster.late and cluster.recorded is None]
    splits: dict[str, Split] = {cluster.name: cluster.recorded or "train" for cluster in kept}
    splits |= draw(candidates, late, fractions, seed, otherwise="test")
    _one_each(late, splits)
    held = {split: sum(c.kept for c in kept if splits[c.name] == split) for split in STRENGTH}
    if not held["test"] or not held["validation"]:
        files = held["test"] + held["validation"]
        raise UsageError(
            f"{too_few(files, 'file')} of distinct content {'was' if files < 2 else 'were'} first committed "
            f"after {day}: "
            "too few to validate and to test on.",
            'Set data.held_out_after to an earlier day, or to "" to hold files out by chance.',
        )
    if not held["train"]:
        raise UsageError(
            f"Every file was first committed after {day}, so that none is left to train on.",
            'Set data.held_out_after to a later day, or to "" to hold files out by chance.',
        )
    return replace(division(candidates, clusters, splits), note=_note(kept, day))


def _note(clusters: Sequence[Cluster], day: str) -> str:
    """Says when the day decides on fewer files than it seems to, since earlier datasets have decided on them."""
    late = sum(cluster.kept for cluster in clusters if cluster.late)
    trained = sum(cluster.kept for cluster in clusters if cluster.late and cluster.recorded == "train")
    early = sum(cluster.kept for cluster in clusters if not cluster.late and cluster.recorded not in (None, "train"))
    if not trained and not early:
        return ""
    return (
        f"Earlier datasets have decided where files go, and that holds whatever data.held_out_after says: {trained:,} "
        f"of {counted(late, 'file')} first committed after {day} stay in training, and {counted(early, 'file')} from "
        "before stay held out. Set data.held_out_after to a later day for a test of files that no adapter was trained "
        "on; the earlier test files are none either."
    )


def _one_each(late: Sequence[Cluster], splits: dict[str, Split]) -> None:
    """Give validation and test a late cluster each, where the proportion left one of them without."""
    held_out: tuple[Split, ...] = ("validation", "test")
    for split in held_out:
        if split in splits.values():
            continue
        spare = [cluster for cluster in late if list(splits.values()).count(splits[cluster.name]) > 1]
        if spare:
            splits[min(spare, key=lambda cluster: (cluster.kept, cluster.name)).name] = split
