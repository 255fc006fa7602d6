"""`duotune serve`: what vLLM would serve, and how."""

from __future__ import annotations

import click

from duotune.cli.output import print_json, say


@click.group()
def serve() -> None:
    """Show what vLLM would serve, and how."""


@serve.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def plan(as_json: bool) -> None:
    """Print the vLLM configuration and the systemd unit that would serve the published adapters."""
    from duotune.catalog.catalog import open_catalog
    from duotune.config.load import load_host_config
    from duotune.serving.deployment import plan_deployment

    with open_catalog() as catalog:
        deployment = plan_deployment(catalog, load_host_config())
    if as_json:
        adapters = [{"name": a.model_name, "path": str(a.path), "rank": a.rank} for a in deployment.adapters]
        print_json(
            {
                "base": str(deployment.base),
                "adapters": adapters,
                "left_out": list(deployment.left_out),
                "config_file": str(deployment.config_file),
                "config": deployment.config_text,
                "unit_name": deployment.unit_name,
                "unit": deployment.unit_text,
                "notes": list(deployment.notes),
            }
        )
        return
    click.echo(f"# {deployment.config_file}")
    click.echo(deployment.config_text)
    click.echo(f"# /etc/systemd/system/{deployment.unit_name}")
    click.echo(deployment.unit_text, nl=False)
    names = ", ".join(adapter.model_name for adapter in deployment.adapters) or "no adapter"
    say(f"\nThis would serve {deployment.base} with {names}. Nothing was changed.")
    for reason in deployment.left_out:
        say(f"Left out: {reason}.")
    for note in deployment.notes:
        say(f"Note: {note}.")
