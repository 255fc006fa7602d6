"""Merging an adapter into its base model: what it would take, then the run that does it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from duotune.adapters.contract import read_contract
from duotune.adapters.copies import local_copy
from duotune.adapters.export import released
from duotune.adapters.manifest import AdapterManifest, read_manifest
from duotune.adapters.merged import SPEED, check_foldable, other_base
from duotune.adapters.target import check_room, checked_target, clear_draft
from duotune.catalog.adapters import Version
from duotune.catalog.catalog import open_catalog
from duotune.config.run import LONGEST_NAME, AdapterConfig, ModelConfig, ProjectConfig, RunConfig
from duotune.hardware.measured import measured_speed
from duotune.models.companions import model_files
from duotune.models.locate import known_fingerprint, locate
from duotune.models.shape import read_shape
from duotune.plan.start import Started, launched_beside
from duotune.runs.directory import create_run
from duotune.runs.events import DecisionTaken, MergeOrder
from duotune.runs.fold import EXPECTED_SECONDS
from duotune.runs.journal import Journal

GUESSED_BYTES_PER_SECOND = 30e6
"""Proof included; measured on two CPU cores with 1.6 GB. What is left of a first merge is told by it."""


@dataclass(frozen=True)
class MergePlan:
    """What merging a version comes to.

    Attributes:
        version: Its row in the catalog.
        base: What people call the base model.
        base_path: Where that is.
        bytes: What the merged model takes on disk.
        seconds: How long it takes, from what was measured here; None when that is not known.
        proven: Whether answers of the adapter were recorded, which the merged model must then give.
        config: The configuration of the run.
    """

    version: Version
    base: str
    base_path: Path
    bytes: int
    seconds: float | None
    proven: bool
    config: RunConfig


def plan_merge(name: str, on_bytes: Callable[[int, int], None] = lambda done, total: None) -> MergePlan:
    """Look at an adapter and its base model; what takes long to read is left to the run.

    Args:
        name: `name.vN`, or a name, which means its current version.
        on_bytes: Called with bytes fetched so far and in all, where the adapter has no copy on this host.

    Raises:
        UsageError: There is no such version, it is withheld, or its base model is stored quantized.
        ModelError: The base model is not there.
        CheckFailed: What lies at its place is another one.
        StorageError: The adapter cannot be fetched.
    """
    with open_catalog() as catalog:
        version = released(catalog, name)
        directory = local_copy(catalog, version, on_bytes)
    manifest = read_manifest(directory)
    config = _config(manifest)
    base = locate(config.model.path)
    check_foldable(read_shape(base), manifest.base.name)
    if (known := known_fingerprint(base)) and known != manifest.base.fingerprint:
        raise other_base(manifest, base, known)
    size = model_files(base).bytes
    speed = measured_speed("cpu", manifest.base.fingerprint, SPEED)
    contract = read_contract(directory)
    return MergePlan(
        version,
        manifest.base.name,
        base,
        size,
        size / speed if speed else None,
        contract is not None and bool(contract.cases),
        config,
    )


def start_merge(planned: MergePlan, directory: str | Path) -> Started:
    """Make a run that merges, and launch its worker.

    Args:
        planned: From `plan_merge`.
        directory: Where the merged model goes; nothing may be there but an empty directory.

    Raises:
        UsageError: Something is there.
        StorageError: There is no room for it, or it cannot be written.
        HostError: The worker does not come up.
    """
    target = checked_target(directory)
    clear_draft(target)  # of a killed attempt: it would count as used space
    check_room(target, planned.bytes)
    version = planned.version
    order = MergeOrder(adapter=version.name, manifest_sha256=version.manifest_sha256, directory=str(target))
    run = create_run(planned.config, kind="merge", order=order)
    seconds = planned.seconds or planned.bytes / GUESSED_BYTES_PER_SECOND
    with Journal(run.journal_file) as journal:
        journal.append(DecisionTaken(name=EXPECTED_SECONDS, value={"merge": round(seconds, 1)}))
    return Started(run, launched_beside(run))


def _config(manifest: AdapterManifest) -> RunConfig:
    """The configuration that the adapter was trained with, under a name that says what the run does.

    Where this version does not know it any more, or the adapter was brought in, the little that merging needs.
    """
    name = f"merge-{manifest.model_name}"[:LONGEST_NAME].rstrip(".-_")
    try:
        return RunConfig.model_validate(manifest.config).model_copy(update={"name": name})
    except ValidationError:
        projects = [ProjectConfig(name=one.name, source=one.source, ref=one.ref) for one in manifest.projects]
        return RunConfig(
            name=name,
            projects=projects or [ProjectConfig(name=manifest.name, source="unknown")],
            model=ModelConfig(path=manifest.base.name if manifest.base.name == "tiny" else manifest.base.path),
            adapter=AdapterConfig(name=manifest.name),
        )
