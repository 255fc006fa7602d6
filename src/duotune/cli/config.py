"""`duotune config`: write, check and explain configuration files."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from duotune.cli.output import print_json, say


@click.group()
def config() -> None:
    """Write, check and explain configuration files."""


@config.command(short_help="Print a commented configuration with every default.")
@click.option("--host", is_flag=True, help="The host's configuration instead of a run's.")
@click.option("--name", default="my-run", show_default=True, help="Name of the run and of its adapter.")
@click.option("--source", default=".", show_default=True, help="Folder or Git repository to train on.")
def new(host: bool, name: str, source: str) -> None:
    """Print a commented configuration with every default: `duotune config new > run.toml`."""
    from duotune.config.write import host_template, run_template

    click.echo(host_template() if host else run_template(name, source), nl=False)


@config.command(short_help="Report every problem of a file at once.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--host", is_flag=True, help="Check it as the host's configuration.")
def check(file: Path, host: bool) -> None:
    """Report every problem of FILE at once, each with its key, its value and the reason."""
    from duotune.config.host import HostConfig
    from duotune.config.load import load_host_config, read_toml
    from duotune.data.recipes import divided
    from duotune.errors import printable
    from duotune.paths import host_config_file
    from duotune.plan.configuration import load

    named, command = printable(file), shlex.quote(printable(file))
    if host:
        read_toml(file, HostConfig)  # unlike the host's own, a file that was named must exist
        load_host_config(file)
        say(f"{named} is valid. This host's configuration is {host_config_file()}.")
    else:
        shares = load(file).data.recipes.model_dump()
        say(f"{named} is valid. `duotune run {command} --dry-run` checks its sources, its model and this host.")
        say(f"The shares of data.recipes are relative: {'; '.join(divided(shares))}.")


@config.command(short_help="Print a file with every default filled in.")
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
