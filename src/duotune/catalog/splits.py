"""Which split each piece of content fell into, so that later datasets never train on what was tested on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from duotune.catalog.database import Database

Split = Literal["train", "validation", "test"]
BATCH = 1000


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
    """The table of splits; a row, once there, never changes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(self, rows: Iterable[RecordedSplit]) -> None:
        """Enter rows, all or none; content that is there keeps its cluster and split."""
        with self._database.transaction():
            self._database.execute_many(
                "INSERT OR IGNORE INTO splits (content, cluster, split, signature) VALUES (?, ?, ?, ?)",
                ((row.content, row.cluster, row.split, row.signature) for row in rows),
            )

    def recorded(self) -> Iterator[RecordedSplit]:
        """Every row, in the order in which they came."""
        cursor = self._database.execute("SELECT content, cluster, split, signature FROM splits ORDER BY rowid")
        while rows := cursor.fetchmany(BATCH):
            yield from (RecordedSplit(*row) for row in rows)
