"""What the adapter screens show: read in threads."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from duotune.adapters.copies import local_copy
from duotune.adapters.export import export, released
from duotune.adapters.manifest import AdapterManifest, read_manifest
from duotune.adapters.publish import found_harmful, publish_withheld
from duotune.adapters.remove import consequences, remove
from duotune.adapters.verify import Check, verify
from duotune.catalog.adapters import Version
from duotune.catalog.catalog import open_catalog
from duotune.errors import DuotuneError
from duotune.models.locate import fingerprint, locate
from duotune.models.shape import read_shape
from duotune.plan.merge import MergePlan, plan_merge, start_merge
from duotune.runs.wording import counted, in_bytes


@dataclass(frozen=True)
class AdapterRow:
    """One version in the list.

    Attributes:
        version: Its row in the catalog.
        base: What people call its base model.
        current: It is what its name means now.
        served: The deployment that serves has it.
        projects: Projects that are assigned its adapter.
    """

    version: Version
    base: str
    current: bool
    served: bool
    projects: tuple[str, ...]


@dataclass(frozen=True)
class AdapterFacts:
    """One version, whole.

    Attributes:
        row: As in the list.
        manifest: Where it comes from and what it is worth.
        directory: Its copy on this host.
        deployments: Numbers of the deployments that name it.
        consequences: What removing it would mean.
        kept: Why it cannot be removed; None when it can.
        harmful: Some evaluation found it harmful, so that publishing it takes a reason.
    """

    row: AdapterRow
    manifest: AdapterManifest
    directory: str
    deployments: tuple[int, ...]
    consequences: tuple[str, ...]
    kept: DuotuneError | None
    harmful: bool

    @property
    def size_bytes(self) -> int:
        """Of all files."""
        return sum(file.bytes for file in self.manifest.files.values())


@dataclass(frozen=True)
class Mergeable:
    """What merging a version comes to.

    Attributes:
        planned: What it takes.
        proposed: Where the merged model may go.
    """

    planned: MergePlan
    proposed: str


def read_all() -> list[AdapterRow]:
    """Every version of every adapter, the newest first."""
    with open_catalog() as catalog:
        adapters = {adapter.name: adapter for adapter in catalog.adapters.all()}
        currents = {found.name for name in adapters if (found := catalog.adapters.current(name))}
        serving = catalog.deployments.newest("serving")
        served = set(serving.versions) if serving else set()
        assigned = catalog.assignments.all()
        rows = [
            AdapterRow(
                version,
                adapters[version.adapter].base_name,
                version.name in currents,
                (version.adapter, version.version) in served,
                tuple(project for project, names in assigned.items() if version.adapter in names),
            )
            for version in catalog.adapters.versions()
        ]
    return sorted(rows, key=lambda row: row.version.created_at, reverse=True)


def read_one(name: str) -> AdapterFacts:
    """One version with its manifest.

    Raises:
        UsageError: There is none of that name.
        CheckFailed: Its manifest is damaged.
        StorageError: It has no copy on this host and cannot be fetched.
    """
    with open_catalog() as catalog:
        version = catalog.adapters.get(name)
        directory = local_copy(catalog, version)
        deployments = catalog.deployments.named(version.adapter, version.version)
        told = tuple(consequences(catalog, version))
        kept = catalog.adapters.why_kept(version)
        harmful = found_harmful(catalog, version)
    row = next(row for row in read_all() if row.version.name == version.name)
    return AdapterFacts(row, read_manifest(directory), str(directory), tuple(deployments), told, kept, harmful)


def check(name: str) -> Sequence[Check]:
    """Check a version against its manifest and its base model, tensor by tensor.

    Raises:
        UsageError: There is none of that name.
        ModelError: Its base model is not there.
        StorageError: It has no copy on this host and cannot be fetched.
    """
    with open_catalog() as catalog:
        directory = local_copy(catalog, catalog.adapters.get(name))
    base = locate(read_manifest(directory).base.path)
    return verify(directory, read_shape(base), base_fingerprint=fingerprint(base))


def delete(name: str) -> None:
    """Remove a version for good.

    Raises:
        UsageError: It is named by a deployment, or needed by a project.
        StorageError: Its files cannot be deleted.
    """
    with open_catalog() as catalog:
        remove(catalog, catalog.adapters.get(name))


def let_publish(name: str, reason: str) -> Version:
    """Publish a withheld version.

    Raises:
        UsageError: It is published already, or was found harmful and no reason is given.
        CheckFailed: Its files are not what was stored.
    """
    with open_catalog() as catalog:
        return publish_withheld(catalog, name, reason)


def export_to(name: str, directory: str, told: Callable[[int, int], None]) -> str:
    """Copy a version's files to a directory; returns what came of it, in a sentence.

    Raises:
        UsageError: There is no such version, it is withheld, or something is there.
        CheckFailed: What was copied is not what was published.
        StorageError: It cannot be read, or written there.
    """
    with open_catalog() as catalog:
        version = released(catalog, name)
    done = export(version, directory, told)
    left = f" Left out, as the manifest does not name it: {', '.join(done.left_out)}." if done.left_out else ""
    files = counted(len(done.files), "file")
    return f"Exported {done.version}: {files}, {in_bytes(done.bytes)}, to {done.directory}.{left}"


def plan_to_merge(name: str) -> Mergeable:
    """What merging would take, and a place for it: beside the base model where people keep such, else their own folder.

    Raises:
        DuotuneError: It cannot be merged.
    """
    planned = plan_merge(name)
    base, bundled = planned.base_path, planned.base == "tiny"
    kept_there = not bundled and base.parent.name != "snapshots" and os.access(base.parent, os.W_OK)
    called = f"{planned.base if bundled else base.name}-{planned.version.name}"
    return Mergeable(planned, str((base.parent if kept_there else Path.home()) / called))


def start_merging(planned: MergePlan, directory: str, told: Callable[[int, int], None]) -> str:
    """Start the run that merges; returns its id.

    Raises:
        UsageError: Something is there.
        StorageError: There is no room for it, or it cannot be written.
        HostError: The worker does not come up.
    """
    return start_merge(planned, directory).run.id
