"""One connection to the catalog: opened safely by many processes, with errors that a person can read."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from duotune.catalog.migrations import migrate
from duotune.disk import alone_in
from duotune.errors import HostError

BUSY_MILLISECONDS = 20_000
Value = str | int | float | bytes | None


class Database:
    """A connection on which every statement is its own transaction unless `transaction` is open.

    Args:
        path: The SQLite file; made, with its directory, when missing.

    Raises:
        HostError: The file cannot be opened, is no catalog, or was made by a newer duotune.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with self._readable_errors():
            path.parent.mkdir(parents=True, exist_ok=True)
            with alone_in(path.parent):  # switching a new file to WAL does not wait for others, whatever the timeout
                self._connection = _connect(path)

    def execute(self, statement: str, values: Sequence[Value] = ()) -> sqlite3.Cursor:
        """Run one statement."""
        with self._readable_errors():
            return self._connection.execute(statement, values)

    def execute_many(self, statement: str, rows: Iterable[Sequence[Value]]) -> None:
        """Run one statement for each row."""
        with self._readable_errors():
            self._connection.executemany(statement, rows)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Do all statements inside or none; a transaction inside another belongs to the outer one."""
        if self._connection.in_transaction:
            yield
            return
        self.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.rollback()
            raise
        self.execute("COMMIT")

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    @contextmanager
    def _readable_errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.IntegrityError:
            raise
        except (sqlite3.Error, OSError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise HostError(
                f"The catalog {str(self.path)!r} cannot be used: {reason}.",
                "Check that its directory is writable for you and that its disk has space, or set DUOTUNE_HOME.",
            ) from error


def _connect(path: Path) -> sqlite3.Connection:
    # SQLite's own files are 0644 at most; the group of a system install writes too, as far as the umask lets it
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o660))
    connection = sqlite3.connect(path, isolation_level=None, timeout=BUSY_MILLISECONDS / 1000)
    try:
        connection.execute(f"PRAGMA busy_timeout = {BUSY_MILLISECONDS}")
        connection.execute("PRAGMA foreign_keys = ON")
        if connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
            connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        migrate(connection, path.absolute().parent)
    except BaseException:
        connection.close()
        raise
    return connection
