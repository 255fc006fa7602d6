"""`duotune run` and `duotune resume`: start a run, or go on with one, and watch it."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from duotune.cli.output import print_error, print_json, say
from duotune.errors import ExitCode, UsageError, printable

if TYPE_CHECKING:
    from duotune.plan.start import Started
    from duotune.runs.directory import RunDirectory
    from duotune.runs.state import RunState


@click.command()
@click.argument("config", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Print the plan and every check, and change nothing.")
@click.option("--detach", is_flag=True, help="Return as soon as the worker runs.")
@click.option("--until", metavar="STAGE", help="Stop after prepare, train or evaluate.")
@click.option("--rehearse", is_flag=True, help="Go the whole way in a few training steps, and publish nothing.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document, as the last line of standard output.")
def run(config: Path, dry_run: bool, detach: bool, until: str | None, rehearse: bool, as_json: bool) -> int:
    """Train an adapter as the TOML file CONFIG says: prepare, train, evaluate, publish.

    The work is done by a detached process: closing the terminal does not end it. Ctrl-C asks it to stop with a
    checkpoint; `duotune resume` then goes on.
    """
    from duotune.cli.tables import show_plan, show_settings
    from duotune.plan.configuration import load
    from duotune.plan.rehearsal import LAST_STAGE, rehearsal_of
    from duotune.plan.resolve import plan
    from duotune.plan.start import start
    from duotune.runs.directory import check_until
    from duotune.runs.state import stages_of

    check_until(until)
    wanted = load(config)
    if rehearse:
        if until == "publish":
            raise UsageError("A rehearsal publishes nothing.", "Leave --until out, or name an earlier stage.")
        wanted, until = rehearsal_of(wanted), until or LAST_STAGE
    planned = plan(wanted)
    if dry_run:
        planned = planned.only_until(until)
        if as_json:
            print_json(planned.model_dump(mode="json"))
        else:
            show_plan(planned)
            show_settings(planned.config, config)
        return planned.refusals[0].exit_code if planned.refusals else ExitCode.OK
    for check in planned.checks:
        if check.status == "warning":
            say(f"Note: {check.detail}. {check.hint}".rstrip())
    status = accompany(start(planned, until, detach), detach, as_json)
    if rehearse and not detach and status == ExitCode.OK:
        done = ", ".join(stages_of("train", until))
        say(f"Without an error on this host: {done}.")
        say(f"`duotune run {shlex.quote(printable(config))}` does all of it, and publishes.")
    return status


@click.command()
@click.argument("run_name", metavar="RUN")
@click.option("--detach", is_flag=True, help="Return as soon as the worker runs.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document, as the last line of standard output.")
def resume(run_name: str, detach: bool, as_json: bool) -> int:
    """Continue RUN (an id, its beginning, or a name) from its last checkpoint."""
    from duotune.plan.start import go_on
    from duotune.runs.directory import find_run

    return accompany(go_on(find_run(run_name), detach), detach, as_json)


def accompany(started: Started, detach: bool, as_json: bool) -> int:
    """Watch a run that was started to its end, unless it is detached; returns the exit code."""
    run = started.run
    if started.note:
        say(f"Note: {started.note}.")
    if detach:
        say(f"Run {run.id} has started. `duotune status {run.id}` shows it, `duotune logs -f {run.id}` follows it.")
        if as_json:
            print_json(run.state().model_dump(mode="json"))
        return ExitCode.OK
    say(f"Run {run.id}")
    state = _watch_to_the_end(run)
    if as_json:
        print_json(state.model_dump(mode="json"))
    _tell_the_end(state, as_json)
    if state.state == "finished":
        return ExitCode.OK
    if state.state == "stopped":
        return ExitCode.INTERRUPTED
    return state.error.exit_code if state.error else ExitCode.FAILED


def _watch_to_the_end(run: RunDirectory) -> RunState:
    from duotune.cli.watch import watch
    from duotune.runs.launcher import request_stop
    from duotune.runs.outcomes import stopping

    def stop() -> str:
        try:
            request_stop(run)
        except UsageError as error:  # it has ended in this very moment
            return error.message
        return f"{stopping(run.state().kind)} Ctrl-C again leaves it to that."

    return watch(run, stop)


def _tell_the_end(state: RunState, as_json: bool) -> None:
    from duotune.cli.tables import show_result

    if state.error:
        print_error(state.error.message, state.error.hint)
        say(f"`duotune logs {state.run}` shows what led to it.")
    elif state.state == "stopped":
        say(f"Run {state.run} is stopped. Go on with `duotune resume {state.run}`.")
    elif not as_json:
        show_result(state)
