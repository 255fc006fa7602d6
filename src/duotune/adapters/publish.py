"""Publishing: a trained adapter becomes an immutable version, and a row in the catalog says so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from duotune import paths
from duotune.adapters.copies import fetch, local_copy, manifest_digest
from duotune.adapters.manifest import (
    MANIFEST,
    AdapterManifest,
    ManifestDraft,
    content_digest,
    describe_file,
    read_manifest,
)
from duotune.adapters.store import CONTENT, OnBytes, one_publisher, store_version
from duotune.adapters.verify import raise_unless_good, verify
from duotune.catalog.adapters import Adapter, TrainedProject, Version
from duotune.catalog.catalog import Catalog
from duotune.catalog.evaluations import EvaluationRecord
from duotune.catalog.projects import Project
from duotune.errors import StorageError, UsageError, printable
from duotune.hardware.host import user_name
from duotune.models.shape import ModelShape
from duotune.storage.local import LocalStorage
from duotune.storage.locations import Storage, open_storage

HARMFUL = "harmful"
Policy = Literal["auto", "ask"]


@dataclass(frozen=True)
class PublishedAdapter:
    """What publishing came to.

    Attributes:
        version: Its row in the catalog.
        manifest: Its manifest.
        local_path: Its directory on this host.
        reused: The same content was there already, so nothing was stored again.
        harmful_yet_published: This evaluation found harmful what was published before, and stays so.
    """

    version: Version
    manifest: AdapterManifest
    local_path: Path
    reused: bool
    harmful_yet_published: bool = False

    @property
    def name(self) -> str:
        """Such as `payments.v3`."""
        return self.version.name


def publish(
    adapter: Path,
    draft: ManifestDraft,
    shape: ModelShape,
    catalog: Catalog,
    *,
    location: str = "",
    policy: Policy = "auto",
    by: str = "",
    extras: Mapping[str, Path] | None = None,
    on_bytes: OnBytes = lambda done, total: None,
) -> PublishedAdapter:
    """Verify an adapter, store it as the next version of its name, and enter it in the catalog.

    The same content under the same name re-uses the version there and adds its evaluation. After a crash at any point,
    calling it again ends where an undisturbed call would have. An adapter that the evaluation found harmful, or any
    with policy "ask", is stored but withheld; what was found harmful once is never published by a later verdict alone.

    Args:
        adapter: The trained adapter's directory, in PEFT's format.
        draft: Where it comes from and what it is worth.
        shape: The base model's shape.
        catalog: Open.
        location: Folder or s3://bucket/prefix; empty is duotune's own folder.
        policy: The run's `adapter.publish`.
        by: Who publishes; by default the user that this process runs as.
        extras: Further files to store with it, by name, such as `contract.json`.
        on_bytes: Called with bytes stored so far and in all.

    Raises:
        UsageError: The name belongs to another base model.
        CheckFailed: The adapter is not fit to be served.
        StorageError: The location cannot be written.
    """
    catalog.adapters.check_base(draft.name, draft.base.fingerprint)
    raise_unless_good(draft.name, verify(adapter, shape))
    files = {name: adapter / name for name in CONTENT} | dict(extras or {})
    described = {name: describe_file(file) for name, file in files.items()}
    content = content_digest(described, CONTENT)
    withhold = policy == "ask" or draft.verdict == HARMFUL
    by = by or user_name()
    with one_publisher(draft.name):
        known = catalog.adapters.with_content(draft.name, content)
        if known is not None:
            known = _again(catalog, known, draft, withhold, by)
            done = _published(catalog, known, on_bytes, reused=True)
            return replace(done, harmful_yet_published=known.state == "published" and draft.verdict == HARMFUL)
        storage = open_storage(location or str(paths.adapters()))
        taken = catalog.adapters.taken(draft.name)
        manifest, reused = store_version(storage, draft, files, described, taken, on_bytes)
        version = _row(catalog, storage, manifest, content, withhold, by)
        return _published(catalog, version, on_bytes, reused)


def publish_withheld(catalog: Catalog, target: str, reason: str = "", who: str = "") -> Version:
    """Let a withheld version be served; who did it and why is recorded.

    Args:
        catalog: Open.
        target: `name.vN`, a name (its newest version), or the id of a run that made it.
        reason: Why; needed when the evaluation found it harmful.
        who: By default the user that this process runs as.

    Raises:
        UsageError: There is no such version, it is published already, or a reason is needed.
        CheckFailed: Its files are not what was stored.
        StorageError: Its files cannot be fetched.
    """
    of_run = catalog.adapters.versions(run=target)
    version = of_run[-1] if of_run else catalog.adapters.get(target)
    if version.state == "published":
        raise UsageError(f"{version.name} is published already.", f"See `duotune adapters show {version.name}`.")
    if found_harmful(catalog, version) and not reason.strip():
        raise UsageError(
            f"{version.name} was found harmful by an evaluation.", "Give a reason to publish it: `--force REASON`."
        )
    local_copy(catalog, version)
    return catalog.adapters.publish(version.adapter, version.version, who or user_name(), reason.strip())


def _again(catalog: Catalog, known: Version, draft: ManifestDraft, withhold: bool, by: str) -> Version:
    """A version whose content came again: the new evaluation is added, and what it was withheld for may be over."""
    with catalog.transaction():
        told = {evaluation.run for evaluation in catalog.evaluations.of(known.adapter, known.version) if evaluation.run}
        if draft.evaluation is not None and draft.run not in told:
            _add_evaluation(catalog, known.version, draft)
        if known.state == "withheld" and not withhold and not found_harmful(catalog, known):
            return catalog.adapters.publish(known.adapter, known.version, by)
    return known


def found_harmful(catalog: Catalog, version: Version) -> bool:
    """Whether any evaluation of it came out harmful."""
    evaluations = catalog.evaluations.of(version.adapter, version.version)
    return HARMFUL in (version.verdict, *(evaluation.verdict for evaluation in evaluations))


def _add_evaluation(catalog: Catalog, version: int, draft: ManifestDraft) -> None:
    report = draft.model_dump_json(include={"evaluation"})
    catalog.evaluations.add(EvaluationRecord(draft.name, version, draft.run, draft.verdict, report))


def _row(
    catalog: Catalog, storage: Storage, manifest: AdapterManifest, content: str, withhold: bool, by: str
) -> Version:
    """Enter a stored version with all that belongs to it, in one transaction."""
    kept = storage.location if isinstance(storage, LocalStorage) else str(paths.adapters())
    local_path = Path(kept) / manifest.model_name
    if not (local_path / MANIFEST).is_file():
        fetch(f"{storage.location}/{manifest.model_name}", local_path, "", lambda done, total: None)
    if content_digest(read_manifest(local_path).files, CONTENT) != content:
        raise StorageError(
            f"{printable(local_path)} holds another adapter than {printable(storage.location)} under the same name.",
            "Another host published it; choose another `adapter.name` or location.",
        )
    with catalog.transaction():
        catalog.projects.add_missing(Project(p.name, p.source, p.ref) for p in manifest.projects)
        catalog.adapters.ensure(Adapter(manifest.name, manifest.base.fingerprint, manifest.base.name))
        version = catalog.adapters.add_version(
            Version(
                adapter=manifest.name,
                version=manifest.version,
                content=content,
                location=f"{storage.location}/{manifest.model_name}",
                local_path=str(local_path),
                manifest_sha256=manifest_digest(local_path),
                run=manifest.run,
                verdict=manifest.verdict,
                state="withheld" if withhold else "published",
                published_by="" if withhold else by,
                projects=tuple(TrainedProject(p.name, p.commit) for p in manifest.projects),
            )
        )
        if manifest.evaluation is not None:
            _add_evaluation(catalog, manifest.version, manifest)
    return version


def _published(catalog: Catalog, version: Version, on_bytes: OnBytes, reused: bool) -> PublishedAdapter:
    directory = local_copy(catalog, version, on_bytes)
    return PublishedAdapter(catalog.adapters.get(version.name), read_manifest(directory), directory, reused)
