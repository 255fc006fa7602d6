"""Which split each piece of content fell into, so that later datasets never train on what was tested on."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from duotune.catalog.database import Database
from duotune.errors import HostError, printable

Split = Literal["train", "validation", "test"]
BATCH = 1000
LOCK_SUFFIX = ".splits.lock"
POLL_SECONDS = 0.2
_RANK = "CASE {}.split WHEN 'train' THEN 0 WHEN 'validation' THEN 1 ELSE 2 END"


@dataclass(frozen=True, slots=True)
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

    @contextmanager
    def one_writer(self, waiting: Callable[[], None] = lambda: None) -> Iterator[None]:
        """Let one process at a time read the splits, decide, and record; the kernel frees a dead one's turn.

        A transaction would not do: deciding takes minutes, and publishing must not wait for it.

        Args:
            waiting: Called again and again while another process has the turn; what it raises ends the wait.

        Raises:
            HostError: The lock file beside the catalog cannot be written.
        """
        file = self._database.path.with_suffix(LOCK_SUFFIX)
        try:
            descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o660)
        except OSError as error:
            raise HostError(
                f"{printable(file)} cannot be locked: {error.strerror}.", "Check the owner of duotune's directory."
            ) from error
        try:
            while not _turn(descriptor):
                waiting()
                time.sleep(POLL_SECONDS)
            yield
        finally:
            os.close(descriptor)

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


def _turn(descriptor: int) -> bool:
    """Take the lock if nobody has it."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
