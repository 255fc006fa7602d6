"""The catalog's schema, as the steps that made it; `PRAGMA user_version` counts the steps that a file has had."""

from __future__ import annotations

import hashlib
import sqlite3
from pathlib import Path

from duotune.catalog.places import noted
from duotune.errors import HostError

STEPS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE projects (
            name TEXT PRIMARY KEY,
            source TEXT NOT NULL,
            ref TEXT NOT NULL,
            include TEXT NOT NULL,
            exclude TEXT NOT NULL,
            languages TEXT NOT NULL,
            created_at REAL NOT NULL
        ) STRICT""",
        """CREATE TABLE adapters (
            name TEXT PRIMARY KEY,
            base TEXT NOT NULL,
            base_name TEXT NOT NULL,
            created_at REAL NOT NULL
        ) STRICT""",
        """CREATE TABLE versions (
            adapter TEXT NOT NULL REFERENCES adapters (name),
            version INTEGER NOT NULL CHECK (version > 0),
            content TEXT NOT NULL,
            location TEXT NOT NULL,
            local_path TEXT NOT NULL,
            manifest_sha256 TEXT NOT NULL,
            run TEXT NOT NULL,
            verdict TEXT NOT NULL,
            state TEXT NOT NULL CHECK (state IN ('published', 'withheld')),
            published_at REAL,
            published_by TEXT NOT NULL,
            force_reason TEXT NOT NULL,
            created_at REAL NOT NULL,
            PRIMARY KEY (adapter, version),
            UNIQUE (adapter, content)
        ) STRICT""",
        """CREATE TABLE version_projects (
            adapter TEXT NOT NULL,
            version INTEGER NOT NULL,
            position INTEGER NOT NULL,
            project TEXT NOT NULL REFERENCES projects (name),
            commit_id TEXT NOT NULL,
            PRIMARY KEY (adapter, version, position),
            FOREIGN KEY (adapter, version) REFERENCES versions (adapter, version) ON DELETE CASCADE
        ) STRICT""",
        """CREATE TABLE assignments (
            project TEXT NOT NULL REFERENCES projects (name) ON DELETE CASCADE,
            position INTEGER NOT NULL,
            adapter TEXT NOT NULL REFERENCES adapters (name),
            PRIMARY KEY (project, position),
            UNIQUE (project, adapter)
        ) STRICT""",
        """CREATE TABLE deployments (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            created_at REAL NOT NULL,
            base TEXT NOT NULL,
            yaml TEXT NOT NULL,
            unit TEXT NOT NULL,
            state TEXT NOT NULL CHECK (state IN ('planned', 'applying', 'serving', 'replaced', 'failed', 'stopped'))
        ) STRICT""",
        """CREATE TABLE deployment_versions (
            deployment INTEGER NOT NULL REFERENCES deployments (id) ON DELETE CASCADE,
            adapter TEXT NOT NULL,
            version INTEGER NOT NULL,
            PRIMARY KEY (deployment, adapter, version),
            FOREIGN KEY (adapter, version) REFERENCES versions (adapter, version)
        ) STRICT""",
        """CREATE TABLE splits (
            content TEXT PRIMARY KEY,
            cluster TEXT NOT NULL,
            split TEXT NOT NULL CHECK (split IN ('train', 'validation', 'test')),
            signature BLOB NOT NULL
        ) STRICT""",
        """CREATE TABLE evaluations (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            adapter TEXT NOT NULL,
            version INTEGER NOT NULL,
            run TEXT NOT NULL,
            verdict TEXT NOT NULL,
            report TEXT NOT NULL,
            created_at REAL NOT NULL,
            FOREIGN KEY (adapter, version) REFERENCES versions (adapter, version) ON DELETE CASCADE
        ) STRICT""",
    ),
    (
        "ALTER TABLE deployments ADD COLUMN applied_by TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE deployments ADD COLUMN reason TEXT NOT NULL DEFAULT ''",
    ),
    (
        """CREATE TABLE removed_versions (
            adapter TEXT NOT NULL,
            version INTEGER NOT NULL,
            removed_at REAL NOT NULL,
            removed_by TEXT NOT NULL,
            PRIMARY KEY (adapter, version)
        ) STRICT""",
    ),
    (),  # places of adapters are relative to the home from here on: `_note_own_places`
)
ABSOLUTE = 3
"""So many steps has a catalog had whose places are all absolute."""


def migrate(connection: sqlite3.Connection, home: Path) -> None:
    """Bring an open catalog to the newest schema; all of it or nothing.

    Args:
        connection: To the catalog.
        home: The absolute directory that it is in.

    Raises:
        HostError: A newer version of duotune made this catalog.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        (reached,) = connection.execute("PRAGMA user_version").fetchone()
        if reached > len(STEPS):
            raise HostError(
                f"The catalog has schema {reached}, made by a newer duotune; this one knows {len(STEPS)}.",
                "Run the newer duotune, or point DUOTUNE_HOME at another directory.",
            )
        for step in STEPS[reached:]:
            for statement in step:
                connection.execute(statement)
        if reached <= ABSOLUTE:
            _note_own_places(connection, home)
        connection.execute(f"PRAGMA user_version = {len(STEPS)}")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _note_own_places(connection: sqlite3.Connection, home: Path) -> None:
    """Note relative to the home what lies in it, also when the home was copied and its rows name the one it came from.

    A copied home holds an adapter when the manifest that was published lies where a home keeps it.
    """
    rows = connection.execute(
        "SELECT rowid, adapter || '.v' || version, manifest_sha256, location, local_path FROM versions"
    ).fetchall()
    for row, name, digest, location, local_path in rows:
        copy = noted(local_path, home)
        if copy.startswith("/") and _digest(home / "adapters" / name / "manifest.json") == digest:
            copy = f"adapters/{name}"
        own = copy if location == local_path else noted(location, home)
        connection.execute("UPDATE versions SET location = ?, local_path = ? WHERE rowid = ?", (own, copy, row))


def _digest(file: Path) -> str | None:
    """SHA-256 of a file in hexadecimal; None when it cannot be read."""
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError:
        return None
