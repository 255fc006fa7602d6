"""`duotune projects show`: one project, and the verdict on any of its files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from duotune.cli.output import plain_table, print_json, show
from duotune.runs.wording import counted, in_bytes

if TYPE_CHECKING:
    from pathlib import Path

    from duotune.catalog.projects import Project
    from duotune.config.run import DataConfig, ProjectConfig
    from duotune.data.explain import Explanation
    from duotune.data.survey import Survey


def show_everything(name: str, as_json: bool) -> None:
    """File types, what is kept, what is left out and why, and the adapters."""
    from duotune.catalog.catalog import open_catalog
    from duotune.config.run import DataConfig
    from duotune.data.survey import survey
    from duotune.sources.open import open_source

    with open_catalog() as catalog:
        project = catalog.projects.get(name)
        adapters = catalog.assignments.get(name)
        trained = [v.name for v in catalog.adapters.versions() if name in (p.name for p in v.projects)]
    with open_source(project.source, project.ref) as source:
        found = survey(source, project.config(), DataConfig())
    if as_json:
        print_json(_document(project, source.commit, adapters, trained, found))
        return
    _show(project, source.commit, adapters, trained, found)


def explain_file(name: str, path: str, config: Path | None, as_json: bool) -> None:
    """Why one file is kept or left out, by a run's settings or by the defaults."""
    from duotune.catalog.catalog import open_catalog
    from duotune.data.explain import explain
    from duotune.sources.open import open_source

    with open_catalog() as catalog:
        project = catalog.projects.get(name)
    with open_source(project.source, project.ref) as source:
        filters, data, settings = _settings(project, config)
        explanation = explain(source, filters, data, path)
    if as_json:
        print_json({**asdict(explanation), "settings": settings})
    else:
        _show_explanation(explanation)
        show(f"Judged by {settings}.")


def _settings(project: Project, config: Path | None) -> tuple[ProjectConfig, DataConfig, str]:
    """The project's filters, the settings of data, and where both come from, in words."""
    from duotune.config.load import load_run_config
    from duotune.config.run import DataConfig
    from duotune.errors import printable

    if config is None:
        return project.config(), DataConfig(), "the catalog's filters of the project and the default settings of data"
    loaded = load_run_config(config)
    filters = next((found for found in loaded.projects if found.name == project.name), None)
    if filters is None:
        where = f"the catalog's filters of the project, which {printable(config)} does not name, and its settings"
        return project.config(), loaded.data, where
    return filters, loaded.data, f"the settings of {printable(config)}"


def _document(
    project: Project, commit: str | None, adapters: Sequence[str], trained: Sequence[str], found: Survey
) -> dict[str, object]:
    return {
        "name": project.name,
        "source": project.source,
        "ref": project.ref,
        "commit": commit,
        "include": list(project.include),
        "exclude": list(project.exclude),
        "chosen": list(project.languages),
        "assigned": list(adapters),
        "trained": list(trained),
        "files": found.files,
        "bytes": found.bytes,
        "languages": {language: list(counts) for language, counts in found.by_language.items()},
        "found": {language: list(counts) for language, counts in found.found.items()},
        "doubtful": {glob: list(counts) for glob, counts in found.doubtful.items()},
        "rejected": dict(found.rejected),
        "unmatched": {setting: list(globs) for setting, globs in found.unmatched.items()},
    }


def _show(project: Project, commit: str | None, adapters: Sequence[str], trained: Sequence[str], found: Survey) -> None:
    from duotune.cli.data_tables import show_doubts, show_types
    from duotune.errors import printable

    facts = plain_table("", "")
    facts.show_header = False
    state = f"commit {commit}" if commit else "a folder without commits: its files as they are now"
    facts.add_row("source", printable(f"{project.source}, {state}"))
    facts.add_row("gets", ", ".join(adapters) or "base model")
    facts.add_row("trained on it", ", ".join(trained) or "no adapter yet")
    facts.add_row("to train on", f"{counted(found.files, 'file')}, {in_bytes(found.bytes)}")
    show(facts)
    show("")
    show_types(found.found, found.by_language)
    for setting in ("include", "exclude", "languages"):
        values = getattr(project, setting)
        if values:
            show(printable(f"Its {setting}: {', '.join(values)}"))
    for setting, globs in found.unmatched.items():
        show(printable(f"No file matches what its {setting} names: {', '.join(globs)}"))
    show_doubts(project.name, found.doubtful)
    show("")
    left_out = plain_table("left out because", "files", figures_from=1)
    for reason, count in found.rejected.items():
        left_out.add_row(reason.replace("-", " "), f"{count:,}")
    show(left_out)
    if not found.complete:
        show("Not every file was read: of the others the name decided, which finds nearly all that is left out.")


def _show_explanation(explanation: Explanation) -> None:
    verdict = f"{explanation.verdict}: {explanation.reason}" if explanation.reason else explanation.verdict
    show(f"{explanation.path}: {verdict}")
    show(explanation.sentence)
    facts = plain_table("", "")
    facts.show_header = False
    if explanation.directory:
        facts.add_row("directory", explanation.directory)
    if explanation.detail:
        facts.add_row("rule" if not explanation.kept else "note", explanation.detail)
    if explanation.size_bytes is not None:
        facts.add_row("size", f"{explanation.size_bytes:,} bytes")
    facts.add_row("language", explanation.language or "unknown")
    if explanation.preparation:
        facts.add_row(f"in run {explanation.preparation.run}", explanation.preparation.sentence)
    show(facts)
