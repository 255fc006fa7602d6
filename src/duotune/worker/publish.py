"""Stage `publish`: the adapter, verified, becomes an immutable version in the catalog."""

from __future__ import annotations

from pathlib import Path

from duotune.adapters.contract import CONTRACT
from duotune.adapters.manifest import BaseModelRef, ManifestDraft, ProjectRef
from duotune.adapters.publish import PublishedAdapter, publish
from duotune.catalog.catalog import open_catalog
from duotune.config.run import RunConfig
from duotune.models.locate import fingerprint, locate
from duotune.models.shape import ModelShape, read_shape
from duotune.runs.results import Evaluated, Prepared, Published, PublishedVersion, Trained
from duotune.worker.stages import RunInProgress


def run(run: RunInProgress, config: RunConfig) -> Published:
    """Publish what was trained; a harmful adapter is stored, but withheld."""
    model = locate(config.model.path)
    shape = read_shape(model)
    trained = Trained.model_validate(run.results["train"])
    if trained.best_step == 0:
        run.report.warning("The adapter learned nothing, so it is stored, but not published.")
    contract = run.directory.path / "evaluation" / CONTRACT
    with open_catalog() as catalog:
        published = publish(
            Path(trained.adapter),
            _draft(run, config, model, shape),
            shape,
            catalog,
            location=config.adapter.location,
            policy="ask" if trained.best_step == 0 else config.adapter.publish,
            extras={contract.name: contract} if contract.is_file() else None,
            on_bytes=lambda done, total: run.report.progress("copy", done, total, "bytes"),
        )
    if published.harmful_yet_published:
        run.report.warning(f"{published.name} was published earlier with these very weights, and is now found harmful.")
    return Published(published=_version(published))


def _draft(run: RunInProgress, config: RunConfig, model: Path, shape: ModelShape) -> ManifestDraft:
    prepared = Prepared.model_validate(run.results["prepare"])
    trained = Trained.model_validate(run.results["train"])
    evaluation = Evaluated.model_validate(run.results["evaluate"]).evaluation
    commits = {project.name: project.commit or "" for project in prepared.projects}
    return ManifestDraft(
        name=config.adapter.name,
        base=BaseModelRef(
            path=str(model),
            name=config.model.path if config.model.path == "tiny" else model.name,
            fingerprint=fingerprint(model),
            architecture=shape.architecture,
        ),
        projects=[ProjectRef(name=p.name, source=p.source, ref=p.ref, commit=commits[p.name]) for p in config.projects],
        dataset=prepared.fingerprint,
        run=run.directory.id,
        config=config.model_dump(mode="json"),
        metrics=trained.model_dump(include={"steps", "train_loss", "validation_loss", "initial_validation_loss"}),
        evaluation=evaluation,
        verdict=str(evaluation.get("verdict", "")),
    )


def _version(published: PublishedAdapter) -> PublishedVersion:
    version = published.version
    return PublishedVersion(
        name=version.name,
        adapter=version.adapter,
        version=version.version,
        state=version.state,
        location=version.location,
        reused=published.reused,
    )
