"""Which files of a pool are trained on, validated on and tested on, once leaks are out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from duotune.catalog.splits import RecordedSplit, Split
from duotune.config.run import DataConfig
from duotune.data.leakage import leaking
from duotune.data.pool import Pool
from duotune.data.split import Assignment, assign


@dataclass(frozen=True)
class Selection:
    """The split of a pool.

    Attributes:
        pool: The files.
        assignments: Cluster and split of every file, kept or not.
        records: What the catalog should remember of the split.
        positions: Kept files by split, in the pool's order.
        leaks: Training files that repeat a held-out file although their clusters differ; they are not in `positions`.
    """

    pool: Pool
    assignments: Sequence[Assignment]
    records: Sequence[RecordedSplit]
    positions: Mapping[Split, list[int]]
    leaks: Sequence[int]

    def leaked(self) -> int:
        """How many of the training files repeat a held-out file, measured anew."""
        return len(_leaking(self.pool, self.positions))


def select(pool: Pool, recorded: Sequence[RecordedSplit], data: DataConfig) -> Selection:
    """Split the kept files of a pool.

    Locality-sensitive hashing overlooks some pairs, mostly close to the threshold. So every training file is compared
    with every held-out one after the split, and those that repeat one are dropped.

    Raises:
        UsageError: Too few files to hold any out.
    """
    division = assign(pool.candidates(), recorded, data.validation_fraction, data.test_fraction, data.seed)
    positions: dict[Split, list[int]] = {"train": [], "validation": [], "test": []}
    for position, given in enumerate(division.assignments):
        if position not in pool.repeats:
            positions[given.split].append(position)
    leaks = _leaking(pool, positions)
    gone = set(leaks)
    positions["train"] = [position for position in positions["train"] if position not in gone]
    return Selection(pool, division.assignments, division.records, positions, leaks)


def _leaking(pool: Pool, positions: Mapping[Split, list[int]]) -> list[int]:
    signed = [pooled.signature for pooled in pool.files]
    contents = [pooled.file.content for pooled in pool.files]
    held_out = [*positions["validation"], *positions["test"]]
    return leaking(positions["train"], held_out, signed, contents, pool.shingles)
