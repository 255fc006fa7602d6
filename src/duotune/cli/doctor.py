"""`duotune doctor`: whether this host has what duotune needs, and the system install."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from duotune.config.host import HostConfig, ServingConfig


@click.command()
@click.option("--install", "installs", is_flag=True, help="As root: make the group, the directories and the units.")
@click.option("--dry-run", is_flag=True, help="With --install: tell what would be done, and change nothing.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def doctor(installs: bool, dry_run: bool, as_json: bool) -> None:
    """Look at what duotune needs of this host. Ends with 1 when something is missing.

    With --install, root makes this host a system install: the members of the group `duotune` then share one home,
    /var/lib/duotune, and may start and stop vLLM. It can be repeated; what is there stays.
    """
    from duotune.config.load import load_host_config
    from duotune.errors import UsageError

    if dry_run and not installs:
        raise UsageError("--dry-run belongs to --install.", "Without --install, `duotune doctor` changes nothing.")
    host = load_host_config()
    if installs:
        _install(host.serving, dry_run, as_json)
    else:
        _look(host, as_json)


def _install(serving: ServingConfig, dry_run: bool, as_json: bool) -> None:
    from dataclasses import asdict

    from duotune.cli.output import plain_table, print_json, say, show
    from duotune.serving.install import install
    from duotune.serving.unit import GROUP

    table, steps = plain_table("", "", ""), []
    table.show_header = False
    for step in install(serving, dry_run):
        steps.append(step)
        table.add_row("-" if step.left_out else "ok", step.what, step.left_out or step.change or "is there")
    if as_json:
        print_json([asdict(step) for step in steps])
        return
    show(table)
    if not dry_run:
        say(f"`usermod --append --groups {GROUP} NAME` lets a person work with it, from their next login on.")


def _look(host: HostConfig, as_json: bool) -> None:
    from duotune.cli.output import print_json
    from duotune.cli.serving import check_document, show_checks
    from duotune.plan.doctor import look_around

    checks = look_around(host)
    if as_json:
        print_json([check_document(check) for check in checks])
    else:
        show_checks(checks)
    if any(not check.ok for check in checks):
        raise SystemExit(1)
