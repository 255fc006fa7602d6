"""What was measured of published versions."""

from __future__ import annotations

import time
from dataclasses import dataclass

from duotune.catalog.database import Database


@dataclass(frozen=True)
class EvaluationRecord:
    """One evaluation of one adapter version.

    Attributes:
        adapter: The adapter's name.
        version: Its number.
        run: The run that measured.
        verdict: What came out.
        report: The whole report, JSON.
        created_at: Seconds since 1970; 0 until it is in the catalog.
    """

    adapter: str
    version: int
    run: str
    verdict: str
    report: str
    created_at: float = 0.0


class Evaluations:
    """The table of evaluations."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, record: EvaluationRecord) -> None:
        """Enter an evaluation of a version that is in the catalog."""
        self._database.execute(
            "INSERT INTO evaluations (adapter, version, run, verdict, report, created_at) VALUES (?, ?, ?, ?, ?, ?)",
            (record.adapter, record.version, record.run, record.verdict, record.report, time.time()),
        )

    def of(self, adapter: str, version: int) -> list[EvaluationRecord]:
        """The evaluations of a version, newest first."""
        rows = self._database.execute(
            "SELECT adapter, version, run, verdict, report, created_at FROM evaluations "
            "WHERE adapter = ? AND version = ? ORDER BY id DESC",
            (adapter, version),
        )
        return [EvaluationRecord(*row) for row in rows]
