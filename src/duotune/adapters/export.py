"""Exports a version: a plain copy of its files for use elsewhere, proven by its manifest's hashes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from duotune.adapters.copies import check_arrived, is_version
from duotune.adapters.manifest import MANIFEST, read_manifest
from duotune.adapters.modes import hand_over
from duotune.adapters.target import check_room, checked_target, drafting, place
from duotune.catalog.adapters import Version, split_name
from duotune.catalog.catalog import Catalog
from duotune.errors import UsageError, printable
from duotune.storage.local import copy_directory, delete_tree
from duotune.storage.locations import OnBytes, open_storage


@dataclass(frozen=True)
class Exported:
    """A copy that stands.

    Attributes:
        version: Name of the version, such as `payments.v3`.
        directory: Where it is.
        files: Name and bytes of each file, by name.
        source: Where it was read from.
        left_out: Names of files beside it that its manifest does not name, so that nobody can vouch for them.
    """

    version: str
    directory: Path
    files: dict[str, int]
    source: str
    left_out: tuple[str, ...] = ()

    @property
    def bytes(self) -> int:
        """Of all files."""
        return sum(self.files.values())


def released(catalog: Catalog, name: str) -> Version:
    """The version that a name means where it may leave this host: a published one.

    Args:
        catalog: Open.
        name: `name.vN`, or a name, which means its current version.

    Raises:
        UsageError: There is none, or it is withheld.
    """
    current = catalog.adapters.current(name) if split_name(name)[1] is None else None
    version = current or catalog.adapters.get(name)
    if version.state == "withheld":
        raise UsageError(
            f"{version.name} is withheld, so it is not given away.",
            f"`duotune adapters publish {version.name}` publishes it; `duotune adapters show {version.name}` tells "
            "what was found.",
        )
    return version


def export(version: Version, directory: str | Path, on_bytes: OnBytes = lambda done, total: None) -> Exported:
    """Copy a version's files to a directory, where they appear all at once when every hash holds.

    They are read from this host's copy, or from where the version was published if there is none.

    Args:
        version: Its row in the catalog.
        directory: Where to; nothing may be there but an empty directory.
        on_bytes: Called with bytes copied so far and in all.

    Raises:
        UsageError: Something is there.
        CheckFailed: What was copied is not what was published; nothing is left of it.
        StorageError: It cannot be read, or written there; nothing is left of it.
    """
    target = checked_target(directory)
    root, _, name = version.location.rstrip("/").rpartition("/")
    if target.resolve().parent == Path(root).resolve():
        raise UsageError(f"{printable(target)} is where adapters are published.", "Choose another directory.")
    here = Path(version.local_path) if version.local_path else None
    local = here if here is not None and is_version(here, version) else None
    source = str(local or version.location)
    with drafting(target) as draft:
        copy = draft / version.name
        if local is not None:
            files = [*map(Path, read_manifest(local).files), Path(MANIFEST)]
            check_room(target, sum((local / file).stat().st_size for file in files))
            copy_directory(local, copy, files, on_bytes)
            unknown = {file.name for file in local.iterdir()} - {file.name for file in files}
        else:
            storage = open_storage(root)
            check_room(target, storage.size_of(name))
            storage.get_directory(name, copy, on_bytes)
            unknown = _drop_unknown(copy)
        check_arrived(source, copy, version.manifest_sha256)
        hand_over(copy)
        place(copy, target)
    sizes = {file.name: file.stat().st_size for file in sorted(target.iterdir())}
    return Exported(version.name, target, sizes, source, tuple(sorted(unknown)))


def _drop_unknown(copy: Path) -> set[str]:
    """Delete what the manifest of a copy does not name; returns the names."""
    named = {*read_manifest(copy).files, MANIFEST}
    unknown = [path for path in copy.iterdir() if path.name not in named]
    for path in unknown:
        delete_tree(path) if path.is_dir() else path.unlink()
    return {path.name for path in unknown}
