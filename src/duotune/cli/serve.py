"""`duotune serve`: what vLLM serves, and how that changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from duotune.catalog.catalog import Catalog
    from duotune.config.host import HostConfig
    from duotune.serving.service import Service

as_json_option = click.option("--json", "as_json", is_flag=True, help="One JSON document.")
yes_option = click.option("--yes", is_flag=True, help="Do not ask; needed where there is no terminal.")
overwrite_option = click.option(
    "--overwrite", is_flag=True, help="Replace files that were edited by hand; copies are kept."
)
foreground_option = click.option(
    "--foreground", is_flag=True, help="Without systemd: run vLLM as a child of this process until it ends."
)
only_option = click.option(
    "--only", multiple=True, metavar="ADAPTER", help="Serve this one, as name or name.v2; repeat it. Default: all."
)


@click.group()
def serve() -> None:
    """Show what vLLM serves, and change it.

    `plan` shows what would be served and changes nothing. `apply` carries it out: it writes vLLM's configuration,
    restarts vLLM or loads adapters while it runs, proves that every adapter answers as it did when it was evaluated,
    and goes back to what was served before when one does not.
    """


@serve.command(short_help="Show what would be served; changes nothing.")
@only_option
@click.option("--files", is_flag=True, help="Also print the YAML and the unit whole, not only what changes.")
@as_json_option
def plan(only: tuple[str, ...], files: bool, as_json: bool) -> None:
    """Show what would be served, every check, and what changes. Changes nothing."""
    from duotune.catalog.catalog import open_catalog
    from duotune.cli.output import print_json, say
    from duotune.cli.serving import plan_document, progress, show_files, show_plan
    from duotune.serving.planning import plan_deployment

    host, service = _host()
    with open_catalog() as catalog, progress() as tell:
        planned = plan_deployment(catalog, host, service, only, tell)
    if as_json:
        print_json(plan_document(planned, host))
    else:
        show_plan(planned, host)
        if files:
            show_files(planned, service.unit_file)
        elif planned.change.kind == "start":
            say("`duotune serve plan --files` also shows what would be written, whole.")
    if planned.refused:
        raise SystemExit(1)


@serve.command(short_help="Serve what is published, and prove that it answers.")
@only_option
@yes_option
@overwrite_option
@foreground_option
@as_json_option
def apply(only: tuple[str, ...], yes: bool, overwrite: bool, foreground: bool, as_json: bool) -> None:
    """Make vLLM serve the published adapters, and prove that they answer; or go back to what was served before.

    With --foreground it stays until Ctrl-C, SIGTERM or `serve stop`. Where what is published does not come to serve, it
    says why, serves the last good deployment instead, and stays as well: it ends with an error only when nothing can be
    served. `serve status` tells which deployment serves.
    """
    from duotune.catalog.catalog import open_catalog
    from duotune.cli.serving_foreground import serve_last_good, stay, warn_beside
    from duotune.errors import DuotuneError
    from duotune.serving.foreground import Foreground
    from duotune.serving.rollout import Interrupted

    host, service = _host()
    with open_catalog() as catalog:
        if not foreground:
            _refuse_without(service, "apply")
            _apply(catalog, host, service, only, yes, overwrite, as_json)
            return
        warn_beside(service)
        with Foreground(host.serving) as child:
            try:
                _apply(catalog, host, child, only, yes, overwrite, as_json)
            except Interrupted:
                raise
            except DuotuneError as error:
                serve_last_good(catalog, host, child, error, only, yes, as_json)
            stay(child)


@serve.command()
@as_json_option
def status(as_json: bool) -> None:
    """Show what serves now. Ends with 1 when vLLM does not answer with what was applied."""
    from duotune.catalog.catalog import open_catalog
    from duotune.cli.output import print_json
    from duotune.cli.serving_status import show_status, status_document
    from duotune.serving.memory import held_by
    from duotune.serving.status import read_status

    host, service = _host()
    with open_catalog() as catalog:
        found = read_status(catalog, host, service)
        history = catalog.deployments.all()
    held = held_by(found.service.pid)
    if as_json:
        print_json(status_document(found, held, history))
    else:
        show_status(found, held, history)
    if not found.good:
        raise SystemExit(1)


@serve.command(short_help="Serve again what was served before.")
@click.argument("number", type=int, required=False)
@yes_option
@overwrite_option
@foreground_option
@as_json_option
def rollback(number: int | None, yes: bool, overwrite: bool, foreground: bool, as_json: bool) -> None:
    """Serve again what was served before, or deployment NUMBER (`serve status` lists the last ones)."""
    from duotune.catalog.catalog import open_catalog
    from duotune.cli.serving_foreground import stay, warn_beside
    from duotune.serving.foreground import Foreground

    host, service = _host()
    with open_catalog() as catalog:
        if not foreground:
            _refuse_without(service, "rollback")
            _roll_back(catalog, host, service, number, yes, overwrite, as_json)
            return
        warn_beside(service)
        with Foreground(host.serving) as child:
            _roll_back(catalog, host, child, number, yes, overwrite, as_json)
            stay(child)


@serve.command()
@yes_option
@as_json_option
def stop(yes: bool, as_json: bool) -> None:
    """Stop vLLM. `serve apply` or `serve rollback` starts it again; so does a boot where systemd runs it."""
    from duotune.catalog.catalog import open_catalog
    from duotune.cli.output import ask, print_json, say
    from duotune.serving.apply import stop as stop_serving

    _, service = _host()
    if service.state().phase == "stopped" and not service.paused():
        if as_json:
            print_json({"stopped": False, "deployment": None})
        say("vLLM does not run; there was nothing to stop.")
        return
    ask("Stop vLLM? Nobody gets completions from this host until it is started again.", yes)
    with open_catalog() as catalog:
        stopped = stop_serving(catalog, service)
    if as_json:
        print_json({"stopped": True, "deployment": stopped.id if stopped else None})
    say("vLLM is stopped.")


def _host() -> tuple[HostConfig, Service]:
    from duotune.config.load import load_host_config
    from duotune.serving.systemd import find_service

    host = load_host_config()
    return host, find_service(host.serving)


def _refuse_without(service: Service, command: str) -> None:
    from duotune.serving.service import nobody_to_run_it

    if service.refusal:
        raise nobody_to_run_it(service.refusal, command)


def _roll_back(
    catalog: Catalog, host: HostConfig, service: Service, number: int | None, yes: bool, overwrite: bool, as_json: bool
) -> None:
    from duotune.cli.output import ask
    from duotune.cli.serving import interruptible, progress, report
    from duotune.serving.apply import generation_before, roll_back

    target = generation_before(catalog, number)
    versions = ", ".join(f"{name}.v{version}" for name, version in target.versions) or "the base model alone"
    ask(f"Serve deployment {target.id} again, which is {versions}?", yes)
    with progress() as tell, interruptible():
        outcome = roll_back(catalog, host, service, target, tell, overwrite)
    report(outcome, as_json)


def _apply(
    catalog: Catalog,
    host: HostConfig,
    service: Service,
    only: tuple[str, ...],
    yes: bool,
    overwrite: bool,
    as_json: bool,
) -> None:
    from duotune.cli.output import ask, say
    from duotune.cli.serving import interruptible, progress, report, show_plan
    from duotune.serving.apply import apply as carry_out
    from duotune.serving.planning import plan_deployment

    with progress() as tell:
        planned = plan_deployment(catalog, host, service, only, tell)
    show_plan(planned, host, narrated=True)
    if not planned.refusals(overwrite) and planned.change.kind != "none":
        ask(planned.change.why.removesuffix(".") + ". Go on?", yes)
    with progress() as tell, interruptible():
        outcome = carry_out(catalog, host, service, planned, tell, only, overwrite)
    if outcome is None:
        say("Nothing had to be done.")
    report(outcome, as_json)
