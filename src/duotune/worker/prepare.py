"""Stage `prepare`: sources to parts, parts to one dataset."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from duotune import paths
from duotune.catalog.catalog import open_catalog
from duotune.config.resolve import is_remote
from duotune.config.run import RunConfig
from duotune.data.combine import Dataset, combine
from duotune.data.page import as_markdown
from duotune.data.prepare import Part, prepare_part
from duotune.data.report import funnel_of
from duotune.data.shards import Shards, usable_cpus
from duotune.errors import UsageError
from duotune.models.locate import locate
from duotune.models.tokenizer import load_tokenizer
from duotune.runs.reporter import Reporter
from duotune.runs.results import DATA_REPORT, Findings, Prepared, PreparedProject
from duotune.runs.wording import counted
from duotune.sources.open import open_source
from duotune.storage.locations import open_storage
from duotune.worker.stages import RunInProgress

_MADE = "made_by_this_run"
"""Name of the decision that lists the parts and datasets which attempts at this run have made."""


def run(run: RunInProgress, config: RunConfig) -> Prepared:
    """Prepare every project, then combine the parts into one dataset; what has not changed is used again."""
    tokenizer = load_tokenizer(locate(config.model.path))
    parts = []
    with Shards(usable_cpus()) as shards:
        for project in config.projects:
            with open_source(project.source, project.ref) as source:
                part = prepare_part(project, source, tokenizer, config.data, run.report, shards)
            parts.append(replace(part, reused=_from_earlier_run(part.directory, part.reused, run.report)))
        remote = is_remote(config.data.location)
        root = paths.datasets() if remote or not config.data.location else Path(config.data.location)
        with open_catalog() as catalog:
            dataset = combine(parts, tokenizer, config.data, config.evaluation, catalog, root, run.report, shards)
    dataset = replace(dataset, reused=_from_earlier_run(dataset.directory, dataset.reused, run.report))
    if remote:
        _keep_remote(dataset, config.data.location, run.report)
    (run.directory.path / DATA_REPORT).write_text(as_markdown(dataset.manifest, dataset.findings_file))
    if not dataset.train_rows:
        raise _nothing_to_train_on(dataset)
    return _result(parts, dataset)


def _from_earlier_run(directory: Path, reused: bool, report: Reporter) -> bool:
    """Whether what was found again is an earlier run's; what an attempt at this run makes is journaled."""
    recalled = report.recall(_MADE)
    made = recalled if isinstance(recalled, list) else []
    if not reused:
        report.record(_MADE, [*made, directory.name])
    return reused and directory.name not in made


def _nothing_to_train_on(dataset: Dataset) -> UsageError:
    files = sum(file.split == "train" for file in dataset.manifest.files)
    return UsageError(
        f"There is nothing to train on: the {counted(files, 'file')} of the train split gave no example.",
        "Add projects or file types, give other recipes in data.recipes a share above 0, or lower "
        "data.validation_fraction and data.test_fraction.",
    )


def _keep_remote(dataset: Dataset, location: str, report: Reporter) -> None:
    storage = open_storage(location)
    if not storage.exists(dataset.fingerprint):
        storage.put_directory(
            dataset.directory, dataset.fingerprint, lambda done, total: report.progress("upload", done, total, "bytes")
        )


def _result(parts: list[Part], dataset: Dataset) -> Prepared:
    return Prepared(
        dataset=str(dataset.directory),
        fingerprint=dataset.fingerprint,
        reused=dataset.reused,
        train_rows=dataset.train_rows,
        train_tokens=dataset.train_tokens,
        label_tokens=dataset.label_tokens,
        validation_rows=dataset.validation_rows,
        items=dict(dataset.items),
        leaked=dataset.leaked,
        funnel=funnel_of(dataset.manifest),
        projects=[
            PreparedProject(
                name=part.project,
                commit=part.commit,
                files=part.files,
                rejected=part.rejected,
                tokens=part.tokens,
                reused=part.reused,
            )
            for part in parts
        ],
        findings=Findings(
            secrets=dataset.findings.secrets,
            personal=dataset.findings.personal,
            redacted_files=dataset.findings.redacted_files,
            dropped_files=dataset.findings.dropped_files,
            list=str(dataset.findings_file),
        ),
    )
