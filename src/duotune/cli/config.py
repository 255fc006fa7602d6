"""`duotune config`: write, check and explain configuration files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from duotune.cli.output import print_json, say

if TYPE_CHECKING:
    from duotune.config.run import RunConfig


@click.group()
def config() -> None:
    """Write, check and explain configuration files."""


@config.command()
@click.option("--host", is_flag=True, help="The host's configuration instead of a run's.")
@click.option("--name", default="my-run", show_default=True, help="Name of the run and of its adapter.")
@click.option("--source", default=".", show_default=True, help="Folder or Git repository to train on.")
def new(host: bool, name: str, source: str) -> None:
    """Print a commented configuration with every default: `duotune config new > run.toml`."""
    from duotune.config.write import host_template, run_template

    click.echo(host_template() if host else run_template(name, source), nl=False)


@config.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--host", is_flag=True, help="Check it as the host's configuration.")
def check(file: Path, host: bool) -> None:
    """Report every problem of FILE at once, each with its key, its value and the reason."""
    from duotune.config.load import load_host_config, load_run_config, read_toml

    if host:
        read_toml(file)  # unlike the host's own, a file that was named must exist
        load_host_config(file)
    else:
        _check_languages(load_run_config(file), file)
    say(f"{file} is valid. `duotune run {file} --dry-run` checks its sources, its model and this host.")


def _check_languages(loaded: RunConfig, file: Path) -> None:
    """Languages are known to the data room alone, so that loading takes any."""
    from duotune.data.languages import by_name, nearest
    from duotune.errors import ConfigError, Problem

    problems = [
        Problem(f"projects[{index}].languages", name, "is not a language that is known", nearest(name))
        for index, project in enumerate(loaded.projects)
        for name in project.languages
        if by_name(name.strip()) is None
    ]
    if problems:
        raise ConfigError(str(file), problems)


@config.command()
@click.argument("file", type=click.Path(path_type=Path))
def show(file: Path) -> None:
    """Print FILE as duotune understands it: every default filled in, every path absolute."""
    from duotune.config.load import load_run_config
    from duotune.config.write import dump_toml

    click.echo(dump_toml(load_run_config(file)), nl=False)


@config.command()
@click.option("--host", is_flag=True, help="The host's configuration instead of a run's.")
def schema(host: bool) -> None:
    """Print the JSON Schema, for editors and scripts."""
    from duotune.config.host import HostConfig
    from duotune.config.run import RunConfig

    print_json((HostConfig if host else RunConfig).model_json_schema())
