"""`duotune runs`, `status`, `logs`, `stop` and `remove`: look at runs and end them."""

from __future__ import annotations

import sys
import time
from datetime import datetime
from pathlib import Path

import click

from duotune.cli.output import print_json, say, show
from duotune.errors import HostError, printable
from duotune.runs.wording import in_words


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON array, newest first.")
def runs(as_json: bool) -> None:
    """List runs, newest first."""
    from duotune.cli.output import plain_table
    from duotune.runs.directory import list_runs
    from duotune.runs.outcomes import verdict
    from duotune.runs.standing import time_left

    states = []
    for run in list_runs():
        try:
            states.append(run.state())
        except HostError as error:  # one damaged or just removed directory must not hide the others
            say(f"Note: {error.message}")
    if as_json:
        print_json([state.model_dump(mode="json") for state in states])
        return
    if not states:
        say("No run yet. `duotune config new > run.toml`, edit it, then `duotune run run.toml`.")
        return
    table = plain_table("run", "state", "stage", "left", "verdict", "started")
    for state in states:
        found = verdict(state)
        table.add_row(state.run, state.state, state.stage or "", time_left(state), found, _when(state.created_at))
    show(table)


@click.command()
@click.argument("run", metavar="RUN")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def status(run: str, as_json: bool) -> None:
    """Show where RUN (an id, its beginning, or a name) stands."""
    from duotune.cli.output import plain_table
    from duotune.cli.tables import show_result
    from duotune.runs.directory import find_run
    from duotune.runs.outcomes import aim, findings, outcome
    from duotune.runs.standing import left_in_words, measured, progress_in_words

    state = find_run(run).state()
    if as_json:
        print_json(state.model_dump(mode="json"))
        return
    show(", ".join(filter(None, (f"{state.run}: {state.state}", left_in_words(state)))))
    if state.order and state.state != "finished":
        show(printable(aim(state)))
    if state.waiting_for:
        show(
            f"It waits for {state.waiting_for.device}, which run {state.waiting_for.holder} uses, and starts by itself."
        )
    table = plain_table("stage", "state", "time", "")
    for stage in state.stages:
        seconds = in_words(stage.seconds) if stage.started_at else ""
        working = state.stage == stage.name and stage.state == "running"
        table.add_row(
            stage.name, stage.state, seconds, progress_in_words(state) if working else outcome(state, stage.name)
        )
    show(table)
    if state.state != "finished" and (found := findings(state)):
        show(found)
    if state.progress and not state.ended:
        for at, figures in measured(state):
            show(f"{at}: {figures}")
    for warning in state.warnings:
        show(f"Note: {warning}")
    if state.error:
        show(f"{state.error.message} {state.error.hint}")
    elif state.state == "stopped":
        at = f" at step {state.checkpoint.step:,}" if state.checkpoint else ""
        show(f"Stopped{at}. Go on with `duotune resume {state.run}`.")
    if state.state == "finished":
        show_result(state)
    show(f"Directory: {state.directory}")


@click.command()
@click.argument("run", metavar="RUN")
@click.option("-f", "--follow", is_flag=True, help="Go on printing until the run ends.")
def logs(run: str, follow: bool) -> None:
    """Show what RUN's worker printed."""
    from duotune.runs.directory import find_run
    from duotune.runs.liveness import StateReader

    found = find_run(run)
    reader = StateReader(found.path)
    offset = 0
    while True:
        ended = reader.read().ended  # before reading the log, so that its last lines are not missed
        offset = _print_from(found.log_file, offset)
        if ended or not follow:
            return
        time.sleep(0.5)


def _print_from(file: Path, offset: int) -> int:
    """Print what a log has gained, and return its new length; escape sequences in it do nothing."""
    try:
        with file.open("rb") as stream:
            stream.seek(offset)
            text = stream.read()
    except FileNotFoundError:
        return offset
    except OSError as error:
        raise HostError(f"The log {file} cannot be read: {error.strerror}.", "Check its owner and its disk.") from error
    whole = text[: text.rfind(b"\n") + 1] or text
    for line in whole.decode(errors="replace").splitlines():
        click.echo(printable(line))
    sys.stdout.flush()
    return offset + len(whole)


@click.command()
@click.argument("run", metavar="RUN")
def stop(run: str) -> None:
    """Stop RUN at its next step, with a checkpoint; `duotune resume` goes on from there."""
    from duotune.runs.directory import find_run
    from duotune.runs.launcher import request_stop

    found = find_run(run)
    request_stop(found)
    say(f"Run {found.id} stops at its next safe point. `duotune status {found.id}` tells when it has.")


@click.command()
@click.argument("run", metavar="RUN")
def remove(run: str) -> None:
    """Delete RUN's directory with its checkpoints and reports; published adapters and prepared data stay."""
    from duotune.plan.remove import remove as remove_whole
    from duotune.runs.directory import find_run

    found = find_run(run)
    left = remove_whole(found)
    say(f"Removed {found.id}.")
    if left is not None:
        say(f"Note: {printable(left)} is left: it belongs to somebody else, or another process writes there.")


def _when(seconds: float | None) -> str:
    return "" if seconds is None else datetime.fromtimestamp(seconds).strftime("%Y-%m-%d %H:%M")
