"""Stage `merge`: a base model and an adapter become one whole model, which must answer as the adapter did."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

import duotune
from duotune.adapters.agreement import comparable
from duotune.adapters.contract import read_contract
from duotune.adapters.copies import local_copy
from duotune.adapters.manifest import AdapterManifest, read_manifest
from duotune.adapters.merged import (
    MERGED,
    SPEED,
    MergedBase,
    MergedModel,
    check_foldable,
    other_base,
    read_merged,
)
from duotune.adapters.modes import hand_over
from duotune.adapters.target import check_room, checked_target, clear_draft, drafting, place
from duotune.adapters.verify import raise_unless_good, verify
from duotune.catalog.catalog import open_catalog
from duotune.config.run import RunConfig
from duotune.disk import write_whole
from duotune.errors import CheckFailed, UsageError
from duotune.hardware.measured import remember_speed
from duotune.models.companions import ModelFiles, model_files
from duotune.models.locate import fingerprint, locate
from duotune.models.shape import ModelShape, read_shape
from duotune.runs.events import MergeOrder
from duotune.runs.reporter import Stopped
from duotune.runs.results import Merged, MergeProof
from duotune.training.folding import fold
from duotune.worker.proving import check_memory, prove
from duotune.worker.stages import RunInProgress

FREE_IT = "Free some space there, then `duotune resume` goes on."


def run(run: RunInProgress, config: RunConfig) -> Merged:
    """Fold, prove, and give the model its name; a model that answers otherwise is deleted."""
    order = run.before.order
    if order is None:
        raise UsageError(f"The run {run.directory.id} does not say what it merges.", "Begin it again.")
    clear_draft(Path(order.directory))  # of a killed attempt: it would count as used space
    if (made := _made_before(order, run)) is not None:
        return made
    target = checked_target(order.directory)
    adapter, manifest = _adapter(order)
    base = locate(config.model.path)
    shape, files = read_shape(base), model_files(base)
    check_foldable(shape, manifest.base.name)
    check_room(target, files.bytes, FREE_IT)
    contract = read_contract(adapter)
    if comparable(contract, None):
        check_memory(shape.weight_bytes)
    started = time.monotonic()
    _check(run, adapter, manifest, base, shape, files)
    with drafting(target, FREE_IT) as draft:
        model = draft / target.name
        model.mkdir()
        folded = fold(adapter, files, shape, model, run.report)
        proof = prove(run, model, contract, manifest.model_name, shape)
        made_of = MergedModel(
            adapter=manifest.model_name,
            manifest_sha256=order.manifest_sha256,
            base=MergedBase.model_validate(manifest.base.model_dump()),
            run=run.directory.id,
            created_at=datetime.now(UTC).isoformat(timespec="seconds"),
            duotune=duotune.__version__,
            folded=folded.layers,
            proof=proof,
            files=folded.files,
            left_out=list(files.left_out),
        )
        write_whole(model / MERGED, made_of.model_dump_json(indent=2) + "\n")
        hand_over(model)
        place(model, target)
    remember_speed("cpu", manifest.base.fingerprint, SPEED, files.bytes / (time.monotonic() - started))
    return _result(made_of, target)


def _made_before(order: MergeOrder, run: RunInProgress) -> Merged | None:
    """What an earlier attempt of this run finished, and died before it could say so."""
    target = Path(order.directory)
    made = read_merged(target)
    return _result(made, target) if made is not None and made.run == run.directory.id else None


def _adapter(order: MergeOrder) -> tuple[Path, AdapterManifest]:
    with open_catalog() as catalog:
        version = catalog.adapters.get(order.adapter)
        if version.manifest_sha256 != order.manifest_sha256:
            raise CheckFailed(
                f"{version.name} is not the version that this run was made for.", "Begin the merge again."
            )
        directory = local_copy(catalog, version)
    return directory, read_manifest(directory)


def _check(
    run: RunInProgress, adapter: Path, manifest: AdapterManifest, base: Path, shape: ModelShape, files: ModelFiles
) -> None:
    """Read every byte of the base model and the adapter before anything is written."""
    read = 0

    def on_bytes(count: int) -> None:
        nonlocal read
        read = min(read + count, files.bytes)
        run.report.progress("check", read, files.bytes, "bytes")
        if run.report.stop_requested:
            raise Stopped

    on_bytes(0)
    found = fingerprint(base, on_bytes)
    run.report.progress("check", files.bytes, files.bytes, "bytes")
    if found != manifest.base.fingerprint:
        raise other_base(manifest, base, found)
    raise_unless_good(manifest.model_name, verify(adapter, shape))


def _result(made: MergedModel, target: Path) -> Merged:
    return Merged(
        version=made.adapter,
        directory=str(target),
        bytes=sum(file.bytes for file in made.files.values()),
        layers=made.folded,
        left_out=made.left_out,
        proof=None if made.proof is None else MergeProof.model_validate(made.proof.model_dump()),
    )
