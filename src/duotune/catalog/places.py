"""Where files are: what lies in the catalog's own home is noted relative to it, so that a copied home names its own."""

from __future__ import annotations

from pathlib import Path


def noted(place: str, home: Path) -> str:
    """A place as the catalog keeps it: relative to the home when it is inside, else as it is.

    Args:
        place: An absolute directory, an address such as s3://bucket/prefix, or nothing.
        home: The directory of the catalog.
    """
    return place.removeprefix(f"{home}/")


def resolved(note: str, home: Path) -> str:
    """The place that was noted, absolute again.

    Args:
        note: As the catalog keeps it; catalogs of older versions hold absolute directories.
        home: The directory of the catalog.
    """
    return str(home / note) if note and "://" not in note else note
