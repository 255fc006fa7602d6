"""Which files of a pool are trained on, validated on and tested on, once leaks are out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from duotune.catalog.splits import RecordedSplit, Split
from duotune.config.run import DataConfig
from duotune.data.leakage import crossing, leaking
from duotune.data.pool import Pool
from duotune.data.shards import Shards
from duotune.data.split import Assignment, assign
from duotune.data.split_by_time import assign_by_time
from duotune.errors import UsageError


@dataclass(frozen=True)
class Selection:
    """The split of a pool.

    Attributes:
        pool: The files.
        assignments: Cluster and split of every file, kept or not.
        records: What the catalog should remember of the split; signatures are read as they are asked for.
        positions: Kept files by split, in the pool's order.
        leaks: Training files that repeat a held-out file, and validation files that repeat a test file, although their
            clusters differ; they are not in `positions`.
        note: What the admin should know of the split; often empty.
    """

    pool: Pool
    assignments: Sequence[Assignment]
    records: Iterable[RecordedSplit]
    positions: Mapping[Split, list[int]]
    leaks: Sequence[int]
    note: str = ""

    def leaked(self, shards: Shards, progress: Callable[[int, int], None]) -> int:
        """How many kept files repeat one that is held out further, measured from the texts of all three splits.

        Args:
            shards: Where the work is done.
            progress: Told how many files were measured, and of how many.
        """
        contents = [pooled.file.content for pooled in self.pool.files]
        splits = [self.positions[split] for split in ("train", "validation", "test")]
        return crossing(
            splits,
            contents,
            lambda positions: self.pool.shingle_sets(positions, shards),
            self.pool.shingles,
            progress,
        )


class _Records:
    """The rows for the catalog, most of them without their signatures, which the parts' files hold.

    Args:
        rows: The rows.
        pool: The files.
    """

    def __init__(self, rows: Sequence[RecordedSplit], pool: Pool) -> None:
        self._pool = pool
        self._positions = {pooled.file.content: position for position, pooled in enumerate(pool.files)}
        self._rows = [replace(row, signature=b"") if row.content in self._positions else row for row in rows]

    def __iter__(self) -> Iterator[RecordedSplit]:
        for row in self._rows:
            position = self._positions.get(row.content)
            yield row if position is None else replace(row, signature=self._pool.signature(position))


def select(pool: Pool, recorded: Sequence[RecordedSplit], data: DataConfig) -> Selection:
    """Split the kept files of a pool.

    Locality-sensitive hashing overlooks some pairs, mostly close to the threshold. So after the split every validation
    file is compared with every test file, and every training file with both; those that repeat one are dropped.

    Raises:
        UsageError: Too few files to hold any out, or to train on.
    """
    candidates, fractions = pool.candidates(), (data.validation_fraction, data.test_fraction)
    if data.held_out_after:
        division = assign_by_time(candidates, recorded, *fractions, data.seed, data.held_out_after)
    else:
        division = assign(candidates, recorded, *fractions, data.seed)
    positions: dict[Split, list[int]] = {"train": [], "validation": [], "test": []}
    for position, given in enumerate(division.assignments):
        if position not in pool.repeats:
            positions[given.split].append(position)
    leaks = _drop(pool, positions, "validation", positions["test"])
    leaks += _drop(pool, positions, "train", [*positions["validation"], *positions["test"]])
    rows = _Records(division.records, pool)
    return Selection(pool, division.assignments, rows, positions, leaks, division.note)


def _drop(pool: Pool, positions: dict[Split, list[int]], split: Split, held_out: Sequence[int]) -> list[int]:
    """Take out of a split what repeats a held-out file, and return that.

    Raises:
        UsageError: Nothing is left of it.
    """
    contents = [pooled.file.content for pooled in pool.files]
    leaks = leaking(positions[split], held_out, pool.signature, contents, pool.shingles)
    gone = set(leaks)
    positions[split] = [position for position in positions[split] if position not in gone]
    if gone and not positions[split]:
        raise UsageError(
            f"Every {split} file nearly repeats a file that is held out further from training.",
            "Add projects or files that differ from each other.",
        )
    return leaks
