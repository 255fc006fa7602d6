"""Removes a published version: its row, its files here and where it was stored. Its number is never given again."""

from __future__ import annotations

from duotune import paths
from duotune.adapters.store import one_publisher
from duotune.catalog.adapters import Version
from duotune.catalog.catalog import Catalog
from duotune.errors import StorageError, printable
from duotune.hardware.host import user_name
from duotune.storage.local import delete_tree
from duotune.storage.locations import open_storage


def consequences(catalog: Catalog, version: Version) -> list[str]:
    """What removing a version means for a person, a sentence each; what forbids it is not among them."""
    told = [f"Its files are deleted from {printable(version.location)}; nobody can bring them back."]
    others = [one for one in catalog.adapters.versions(version.adapter) if one.name != version.name]
    published = [one.name for one in others if one.state == "published"]
    current = catalog.adapters.current(version.adapter)
    if not others:
        told.append(f"It is the only version, so the adapter {version.adapter} is gone too.")
    elif published and current is not None and current.name == version.name:
        told.append(f"It is the current version: {published[-1]} takes its place at the next `duotune serve apply`.")
    if version.run:
        told.append(f"The run {version.run} keeps its own copy until it is removed as well.")
    return told


def remove(catalog: Catalog, version: Version) -> None:
    """Remove a version for good.

    Raises:
        UsageError: A deployment names it, or projects are assigned its adapter, which would have none left.
        StorageError: It is out of the catalog, but its files cannot be deleted.
    """
    with one_publisher(version.adapter):
        catalog.adapters.remove(version.adapter, version.version, user_name())
        root, _, name = version.location.rstrip("/").rpartition("/")
        copy = paths.adapters() / version.name
        try:
            open_storage(root).remove(name)
            if version.local_path and copy.is_dir():
                delete_tree(copy)
        except (OSError, StorageError) as error:
            reason = error.message if isinstance(error, StorageError) else f"{error.strerror}"
            raise StorageError(
                f"{version.name} is out of the catalog, but its files are not all deleted: {reason}",
                f"Delete {printable(version.location)} by hand.",
            ) from error
