"""How changes of what is served are shown: plans, progress and outcomes."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from duotune.adapters.verify import Check
from duotune.cli.output import error_document, narrator, plain_table, print_json, printer, say
from duotune.config.host import HostConfig
from duotune.errors import DuotuneError
from duotune.runs.wording import counted, in_words
from duotune.serving.deployment import ServingPlan
from duotune.serving.files import config_file
from duotune.serving.rollout import Outcome
from duotune.serving.wording import SHOWN_ADAPTERS, plan_rows

SECONDS_BETWEEN_LINES = 15.0
SECONDS_BEFORE_LINES = 2.0


def show_plan(planned: ServingPlan, host: HostConfig, narrated: bool = False) -> None:
    """Summary, checks and differences, as a result, or as narration before an apply."""
    console = narrator() if narrated else printer()
    table = plain_table("", "")
    table.show_header = False
    for label, text in plan_rows(planned, host.serving):
        table.add_row(label, text)
    change = planned.change
    console.print(table)
    show_checks(planned.checks, console)
    if change.diff and not narrated:
        console.print()
        console.print(change.diff.rstrip(), soft_wrap=True)
    if not narrated:
        failed = len(planned.refusals())
        say(
            "Nothing was changed." if not failed else f"This would be refused: {counted(failed, 'check')} did not hold."
        )


def show_files(planned: ServingPlan, unit_file: Path | None) -> None:
    """The YAML, and the unit where there is one, whole."""
    click.echo(f"\n# {config_file()}\n{planned.yaml}", nl=False)
    if unit_file is not None:
        click.echo(f"\n# {unit_file}\n{planned.unit}", nl=False)


def plan_document(planned: ServingPlan, host: HostConfig) -> dict[str, Any]:
    """A plan as JSON."""
    change = planned.change
    return {
        "base": str(planned.base_path),
        "served_name": host.serving.served_name,
        "adapters": [{"name": a.model_name, "path": str(a.path), "rank": a.rank} for a in planned.adapters],
        "left_out": list(planned.left_out),
        "max_rank": planned.room.max_rank if planned.room else None,
        "slots": planned.room.slots if planned.room else 0,
        "cached": planned.room.cached if planned.room else 0,
        "slot_bytes": planned.slot_bytes,
        "cache_bytes": planned.cache_bytes,
        "listen": host.serving.listen,
        "change": {"kind": change.kind, "why": change.why, "added": change.added, "removed": change.removed},
        "diff": change.diff,
        "checks": [check_document(check) for check in planned.checks],
        "config_file": str(config_file()),
        "config": planned.yaml,
        "unit_name": host.serving.unit,
        "unit": planned.unit,
    }


@contextmanager
def progress() -> Iterator[Callable[[str, str], None]]:
    """Show phases with the time elapsed: one line that changes on a terminal, else a line now and then."""
    console = narrator()
    begun = time.monotonic()
    if console.is_terminal:
        with console.status("") as spinner:
            yield lambda phase, detail: spinner.update(_phase(phase, detail, begun))
        return
    told: dict[str, float] = {}

    def tell(phase: str, detail: str) -> None:
        now = time.monotonic()
        quick = now - begun < SECONDS_BEFORE_LINES
        if not quick and now - told.get(phase, -SECONDS_BETWEEN_LINES) >= SECONDS_BETWEEN_LINES:
            told[phase] = now
            say(_phase(phase, detail, begun))

    yield tell


@contextmanager
def interruptible() -> Iterator[None]:
    """Let a lost connection or a SIGTERM end a change as Ctrl-C does, which goes back to what served before."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    numbers = [signal.SIGTERM, signal.SIGHUP]
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:  # by nohup
        numbers.remove(signal.SIGHUP)
    before = {number: signal.signal(number, interrupt) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def report(outcome: Outcome | None, as_json: bool, failure: DuotuneError | None = None) -> None:
    """What serves now, and how it answered.

    Args:
        outcome: What serves; None when nothing had to be done.
        as_json: One document.
        failure: Why something else serves than what was asked for.
    """
    if outcome is None:
        if as_json:
            print_json({"changed": False})
        return
    if outcome.kept:
        say(outcome.kept)
    if as_json:
        print_json(
            {
                "changed": True,
                "deployment": outcome.number,
                "seconds": round(outcome.seconds, 1),
                "probe_seconds": round(outcome.probe_seconds, 1),
                "probes": [
                    {"name": p.name, "tokens": p.tokens, "distance": p.distance, "from_base": p.from_base}
                    for p in outcome.probes
                ],
                **({"error": error_document(failure)} if failure else {}),
            }
        )
        return
    if not outcome.probes:
        say(f"Deployment {outcome.number} serves after {in_words(outcome.seconds)}. Nothing came that needed a probe.")
        return
    table = plain_table("model", "tokens", "from recorded", "from base", figures_from=1)
    for probe in outcome.probes[:SHOWN_ADAPTERS]:
        table.add_row(probe.name, f"{probe.tokens}", _nats(probe.distance), _nats(probe.from_base))
    printer().print(table)
    if len(outcome.probes) > SHOWN_ADAPTERS:
        say(f"… and {len(outcome.probes) - SHOWN_ADAPTERS} more, all within the tolerance.")
    say(
        f"Deployment {outcome.number} serves after {in_words(outcome.seconds)}. Distances are nats per token from what "
        "was recorded when the adapter was evaluated."
    )


def show_checks(checks: Sequence[Check], console: Console | None = None) -> None:
    """A line for each; of many that hold, some.

    Args:
        checks: What was looked at.
        console: Where to; by default standard output.
    """
    console = console or printer()
    table = plain_table("", "check", "")
    table.show_header = False
    quiet = [check for check in checks if check.ok and not check.warning]
    shown = [check for check in checks if check not in quiet[SHOWN_ADAPTERS:]]
    for check in shown:
        table.add_row("!" if check.warning else "ok" if check.ok else "NO", check.name, check.detail)
    console.print(table)
    if len(shown) < len(checks):
        console.print(f"… and {len(checks) - len(shown)} more that hold")


def check_document(check: Check) -> dict[str, Any]:
    """A check as JSON."""
    status = "warning" if check.warning else "ok" if check.ok else "refused"
    return {"name": check.name, "status": status, "detail": check.detail}


def _phase(phase: str, detail: str, begun: float) -> str:
    return f"{phase}{f': {detail}' if detail else ''} · {in_words(time.monotonic() - begun)}"


def _nats(distance: float | None) -> str:
    return "–" if distance is None else f"{distance:.4f}"
