"""`duotune projects` and `duotune assign`: bodies of code, and the adapters they get."""

from __future__ import annotations

from pathlib import Path

import click

from duotune.cli.output import print_json, say, show


@click.group()
def projects() -> None:
    """List, add, show and remove projects."""


@projects.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def list_projects(as_json: bool) -> None:
    """List projects with the adapters that they get."""
    from rich.table import Table

    from duotune.catalog.catalog import open_catalog

    with open_catalog() as catalog:
        assigned = catalog.assignments.all()
        rows = [(project, assigned[project.name]) for project in catalog.projects.all()]
    if as_json:
        print_json([{"name": p.name, "source": p.source, "ref": p.ref, "adapters": list(a)} for p, a in rows])
        return
    if not rows:
        say("No project yet. A run adds its own; or `duotune projects add NAME SOURCE`.")
        return
    table = Table("project", "adapters", "source", box=None, pad_edge=False)
    for project, adapters in rows:
        table.add_row(project.name, ", ".join(adapters) or "base model", project.source)
    show(table)


@projects.command(short_help="Add a project to the catalog.")
@click.argument("name")
@click.argument("source")
@click.option("--ref", default="HEAD", show_default=True, help="Branch, tag or commit.")
@click.option("--include", multiple=True, help="Glob of paths to keep; may be repeated.")
@click.option("--exclude", multiple=True, help="Glob of paths to leave out; may be repeated.")
@click.option("--language", multiple=True, help="Language to keep; may be repeated.")
def add(
    name: str, source: str, ref: str, include: tuple[str, ...], exclude: tuple[str, ...], language: tuple[str, ...]
) -> None:
    """Add a project, so that adapters can be assigned to it; it starts with the base model."""
    from duotune.catalog.catalog import open_catalog
    from duotune.catalog.projects import Project
    from duotune.config.load import parse
    from duotune.config.resolve import resolve_source
    from duotune.config.run import ProjectConfig
    from duotune.data.languages import resolve
    from duotune.sources.open import open_source

    parse(ProjectConfig, {"name": name, "source": source}, "The project")
    resolve(language)
    location = resolve_source(source)
    open_source(location, ref).close()
    with open_catalog() as catalog:
        catalog.projects.add(Project(name, location, ref, include, exclude, language))
    say(f"Added {name}; it gets the base model until `duotune assign {name} ADAPTER`.")


@projects.command(short_help="Take a project out of the catalog.")
@click.argument("name")
def remove(name: str) -> None:
    """Take a project and its assignment out of the catalog; one that adapters were trained on stays."""
    from duotune.catalog.catalog import open_catalog

    with open_catalog() as catalog:
        catalog.projects.remove(name)
    say(f"Removed {name}. Its source is untouched.")


@projects.command("show", short_help="Show a project: its file types, and what is kept of them.")
@click.argument("name")
@click.option("--explain", "path", metavar="PATH", help="Why this one file is kept or left out.")
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    metavar="RUN.toml",
    help="With --explain: judge by this run's settings, not by the defaults.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def show_project(name: str, path: str | None, config: Path | None, as_json: bool) -> None:
    """Show a project: its file types, what is kept of them, the adapters trained on it, and those it gets."""
    from duotune.cli.project import explain_file, show_everything

    if config is not None and path is None:
        raise click.UsageError("--config is for --explain PATH")
    if path is not None:
        explain_file(name, path, config, as_json)
    else:
        show_everything(name, as_json)


@click.command()
@click.argument("project")
@click.argument("adapters", nargs=-1)
@click.option("--base", is_flag=True, help="Give the project the base model again.")
def assign(project: str, adapters: tuple[str, ...], base: bool) -> None:
    """Choose the adapters that PROJECT gets, in order of preference."""
    from duotune.catalog.adapters import split_name
    from duotune.catalog.catalog import open_catalog
    from duotune.errors import UsageError

    if base == bool(adapters):
        raise click.UsageError("name one or more adapters, or --base")
    for adapter in adapters:
        name, version = split_name(adapter)
        if version is not None:
            raise UsageError(
                f"{adapter} is one version, and projects get adapters by name.",
                f"Write `duotune assign {project} {name}`: its newest published version is served.",
            )
    with open_catalog() as catalog:
        catalog.assignments.set(project, adapters)
    say(f"{project} gets {', '.join(adapters) or 'the base model'}. `duotune serve plan` shows what would be served.")
