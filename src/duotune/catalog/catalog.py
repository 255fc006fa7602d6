"""The whole catalog: one object with a typed API for each group of tables."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType

from duotune import paths
from duotune.catalog.adapters import Adapters
from duotune.catalog.assignments import Assignments
from duotune.catalog.database import Database
from duotune.catalog.deployments import Deployments
from duotune.catalog.evaluations import Evaluations
from duotune.catalog.projects import Projects
from duotune.catalog.splits import Splits


class Catalog:
    """An open catalog; use it in the thread that opened it, and close it or use it as a context manager.

    Attributes:
        projects: Bodies of code.
        adapters: Adapters and their versions.
        assignments: Project to adapters.
        deployments: Generations of what vLLM serves.
        splits: Sticky splits by content.
        evaluations: Reports of versions.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self.projects = Projects(database)
        self.adapters = Adapters(database)
        self.assignments = Assignments(database)
        self.deployments = Deployments(database)
        self.splits = Splits(database)
        self.evaluations = Evaluations(database)

    def transaction(self) -> AbstractContextManager[None]:
        """Do all changes inside or none; other processes wait."""
        return self._database.transaction()

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def __enter__(self) -> Catalog:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_catalog(path: Path | None = None) -> Catalog:
    """Open the catalog, made when missing; the one of this host by default.

    Raises:
        HostError: It cannot be opened, or a newer duotune made it.
    """
    return Catalog(Database(path or paths.catalog()))
