"""Parts become a dataset: split by cluster, checked for leaks, packed to rows, with held-out items and a manifest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from duotune.catalog.catalog import Catalog
from duotune.config.evaluation import EvaluationConfig
from duotune.config.run import DataConfig
from duotune.data.building import building
from duotune.data.entries import cluster_splits, kept_files, rejected_files
from duotune.data.held_out import HeldOut, hold_out
from duotune.data.manifest import (
    MANIFEST_FILE,
    Leakage,
    Manifest,
    ProjectEntry,
    Settings,
    read_manifest,
    write_manifest,
)
from duotune.data.memory import release_memory
from duotune.data.packed import Packer
from duotune.data.parts import PIPELINE_VERSION
from duotune.data.pool import Pool
from duotune.data.prepare import Part, check_stop
from duotune.data.redaction.report import FINDINGS_FILE, FindingCounts, findings_of, write_findings
from duotune.data.report import FUNNEL_FILE, funnel_of
from duotune.data.selection import Selection, select
from duotune.data.shards import ALONE, Shards
from duotune.models.items import write_items
from duotune.models.prompts import PromptRenderer
from duotune.models.tokenizer import CodeTokenizer
from duotune.runs.reporter import Reporter

_STEPS = 4


@dataclass(frozen=True)
class Dataset:
    """A dataset, complete on disk.

    Attributes:
        directory: Where it is.
        fingerprint: Its name.
        train_rows: Packed rows to train on.
        train_tokens: Their tokens without padding.
        label_tokens: Those that the loss looks at.
        validation_rows: Packed rows of the validation split.
        items: Held-out items by set.
        leaked: Files that repeat one held out further from training; 0.
        manifest: What it was made of, file by file.
        findings: Secrets and personal data that were redacted, or whose files were left out.
        reused: Whether it was there already.
    """

    directory: Path
    fingerprint: str
    train_rows: int
    train_tokens: int
    label_tokens: int
    validation_rows: int
    items: Mapping[str, int]
    leaked: int
    manifest: Manifest
    findings: FindingCounts
    reused: bool

    @property
    def findings_file(self) -> Path:
        """The list of findings: rule, place and fingerprint."""
        return self.directory / FINDINGS_FILE


@dataclass(frozen=True)
class _Request:
    """What was asked for, once resolved."""

    parts: Sequence[Part]
    projects: Sequence[ProjectEntry]
    tokenizer: CodeTokenizer
    data: DataConfig
    evaluation: EvaluationConfig
    settings: Settings


def combine(
    parts: Sequence[Part],
    tokenizer: CodeTokenizer,
    data: DataConfig,
    evaluation: EvaluationConfig,
    catalog: Catalog,
    root: Path,
    report: Reporter,
    shards: Shards = ALONE,
) -> Dataset:
    """Combine parts to a dataset, or find it there already.

    Args:
        parts: Prepared parts, in the configured order: of duplicates across projects the first is kept.
        tokenizer: The one that the parts were made with.
        data: Settings.
        evaluation: How many items to hold out.
        catalog: Where earlier splits are recorded, and this one will be.
        root: Directory of datasets.
        report: Progress; asked whether to stop.
        shards: Processes that share the measuring of leaks.

    Returns:
        The dataset, complete on disk and its split recorded.

    Raises:
        UsageError: Too few files to hold any out.
        CheckFailed: A part is damaged.
        HostError: The disk refuses.
        Stopped: A stop was requested; nothing is left behind.
    """
    _step(report, 0)
    pool = Pool([(part.project, part.directory) for part in parts], [part.late for part in parts])
    # Another preparation that decided on the same earlier splits could test on what this one trains on.
    with catalog.splits.one_writer(lambda: check_stop(report)):
        selection = select(pool, list(catalog.splits.recorded()), data)
        if selection.note:
            report.warning(selection.note)
        _step(report, 1)
        projects = [
            ProjectEntry(name=part.project, commit=part.commit, part=record.key)
            for part, record in zip(parts, pool.records, strict=True)
        ]
        request = _Request(parts, projects, tokenizer, data, evaluation, _settings(data, evaluation))
        fingerprint = _fingerprint(request, selection)
        directory = root / fingerprint
        reused = (directory / MANIFEST_FILE).is_file()
        if reused:
            manifest = read_manifest(directory)
        else:
            release_memory()
            with building(directory) as temporary:
                manifest = _write(temporary, fingerprint, request, selection, report, shards)
        catalog.splits.record(selection.records)
    _step(report, _STEPS)
    return _dataset(directory, manifest, reused)


def _write(
    directory: Path, fingerprint: str, request: _Request, selection: Selection, report: Reporter, shards: Shards
) -> Manifest:
    def progress(phase: str, done: int, total: int, unit: str = "files") -> None:
        check_stop(report)
        report.progress(phase, done, total, unit)

    def pack_progress(split: str, done: int, total: int) -> None:
        progress(f"pack {split}", done, total, "rows")

    look = partial(progress, "compare with held-out items")
    items, contaminated = _hold_out(directory, request, selection, report, look)
    release_memory()
    _step(report, 2)
    packer = Packer(
        selection, [part.directory for part in request.parts], request.data, PromptRenderer(request.tokenizer)
    )
    counts, weights = packer.write(directory, fingerprint, pack_progress), packer.weights
    del packer
    release_memory()
    _step(report, 3)
    left = selection.leaked(shards, partial(progress, "measure leaks"))
    release_memory()
    leakage = Leakage(found=len(selection.leaks), left=left, contaminated_items=contaminated)
    manifest = Manifest(
        fingerprint=fingerprint,
        tokenizer=request.tokenizer.fingerprint,
        settings=request.settings,
        projects=list(request.projects),
        files=kept_files(selection),
        rejected=rejected_files(selection),
        clusters=cluster_splits(selection),
        splits=counts,
        items=items,
        loss_weights=weights,
        leakage=leakage,
        findings=write_findings(directory, findings_of(selection.pool.projects, selection.pool.records)),
    )
    (directory / FUNNEL_FILE).write_text(funnel_of(manifest).model_dump_json(indent=1) + "\n")
    write_manifest(directory, manifest)
    return manifest


def _hold_out(
    directory: Path,
    request: _Request,
    selection: Selection,
    report: Reporter,
    progress: Callable[[int, int], None],
) -> tuple[dict[str, int], int]:
    """Write the held-out items; returns their number by set, and the number of places passed over."""
    held_out = hold_out(selection, request.tokenizer, request.data, request.evaluation, progress)
    for name, items in held_out.items.items():
        write_items(directory / "held_out" / f"{name}.jsonl", items)
    _warn_of_few(held_out, request.evaluation, report)
    return {name: len(items) for name, items in held_out.items.items()}, held_out.contaminated


def _fingerprint(request: _Request, selection: Selection) -> str:
    """SHA-256 (hex) of the parts, the settings and the split with the files' paths inside of their projects.

    It holds nothing of where projects and parts lie, of the run, or of the time.
    """
    pool = selection.pool
    split = [
        (pool.files[position].place, selection.assignments[position].cluster, name)
        for name, positions in selection.positions.items()
        for position in positions
    ]
    content = {
        "pipeline": PIPELINE_VERSION,
        "tokenizer": request.tokenizer.fingerprint,
        "settings": request.settings.model_dump(),
        "projects": [project.model_dump() for project in request.projects],
        "split": sorted(split),
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _settings(data: DataConfig, evaluation: EvaluationConfig) -> Settings:
    return Settings(
        sequence_length=data.sequence_length,
        validation_fraction=data.validation_fraction,
        test_fraction=data.test_fraction,
        held_out_after=data.held_out_after,
        max_file_bytes=data.max_file_bytes,
        secrets=data.secrets,
        personal_data=data.personal_data,
        seed=data.seed,
        recipes=data.recipes,
        prompt_loss_weight=data.prompt_loss_weight,
        answer_end_weight=data.answer_end_weight,
        fim_items=evaluation.fim_items,
        signature_items=evaluation.signature_items,
        max_new_tokens=evaluation.max_new_tokens,
        items_seed=evaluation.seed,
    )


def _warn_of_few(held_out: HeldOut, evaluation: EvaluationConfig, report: Reporter) -> None:
    wanted = {"fim": evaluation.fim_items, "signature": evaluation.signature_items}
    for name, items in held_out.items.items():
        if len(items) < wanted[name]:
            report.warning(
                f"Only {len(items)} of {wanted[name]} {name} items could be held out: the test files have no more."
            )


def _step(report: Reporter, done: int) -> None:
    """Report a step of the combination, and end here when a stop was requested."""
    if done < _STEPS:
        check_stop(report)
    report.progress("combine", done, _STEPS, "steps")


def _dataset(directory: Path, manifest: Manifest, reused: bool) -> Dataset:
    train, validation = manifest.splits["train"], manifest.splits["validation"]
    return Dataset(
        directory=directory,
        fingerprint=manifest.fingerprint,
        train_rows=train.rows,
        train_tokens=train.tokens,
        label_tokens=train.targets,
        validation_rows=validation.rows,
        items=dict(manifest.items),
        leaked=manifest.leakage.left,
        manifest=manifest,
        findings=manifest.findings,
        reused=reused,
    )
