"""Which split each piece of content fell into, so that later datasets never train on what was tested on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from duotune.catalog.database import Database

Split = Literal["train", "validation", "test"]
BATCH = 1000
_RANK = "CASE {}.split WHEN 'train' THEN 0 WHEN 'validation' THEN 1 ELSE 2 END"


@dataclass(frozen=True)
class RecordedSplit:
    """One file's place.

    Attributes:
        content: sha256 of the file's content, hex.
        cluster: Id of its near-duplicate cluster.
        split: Where the cluster went.
        signature: Its MinHash signature, raw bytes, to find near-duplicates of it later.
    """

    content: str
    cluster: str
    split: Split
    signature: bytes


class Splits:
    """The table of splits; a row, once there, only ever moves towards test."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(self, rows: Iterable[RecordedSplit]) -> None:
        """Enter rows, all or none.

        Content that is there keeps its cluster and split, unless the new split is further from training (train,
        validation, test): what is tested on once must not be trained on later.
        """
        with self._database.transaction():
            self._database.execute_many(
                "INSERT INTO splits (content, cluster, split, signature) VALUES (?, ?, ?, ?) "
                "ON CONFLICT (content) DO UPDATE SET cluster = excluded.cluster, split = excluded.split "
                f"WHERE {_RANK.format('excluded')} > {_RANK.format('splits')}",
                ((row.content, row.cluster, row.split, row.signature) for row in rows),
            )

    def recorded(self) -> Iterator[RecordedSplit]:
        """Every row, in the order in which they came."""
        cursor = self._database.execute("SELECT content, cluster, split, signature FROM splits ORDER BY rowid")
        while rows := cursor.fetchmany(BATCH):
            yield from (RecordedSplit(*row) for row in rows)
