"""How deployments are shown: plans, progress, outcomes and status."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import click
from rich.console import Console

from duotune.adapters.verify import Check
from duotune.catalog.deployments import Deployment
from duotune.cli.output import narrator, plain_table, print_json, printer, say
from duotune.config.host import HostConfig
from duotune.runs.wording import counted, in_gib, in_words
from duotune.serving.deployment import ServingPlan
from duotune.serving.files import config_file
from duotune.serving.rollout import Outcome
from duotune.serving.status import ServingStatus

SECONDS_BETWEEN_LINES = 15.0
SECONDS_BEFORE_LINES = 2.0
SHOWN_ADAPTERS = 20


def show_plan(planned: ServingPlan, host: HostConfig, narrated: bool = False) -> None:
    """Summary, checks and differences, as a result, or as narration before an apply."""
    console = narrator() if narrated else printer()
    names = [adapter.model_name for adapter in planned.adapters]
    table = plain_table("", "")
    table.show_header = False
    table.add_row("base model", f"{planned.base_path} as {host.serving.served_name}")
    table.add_row("adapters", _some(names) or "none")
    for reason in planned.left_out:
        table.add_row("left out", reason)
    if planned.room:
        room = planned.room
        table.add_row(
            "slots", f"{room.slots} at once, up to rank {room.max_rank}: {in_gib(planned.slot_bytes)} of GPU memory"
        )
        table.add_row("cache", f"{room.cached} adapters, up to {in_gib(planned.cache_bytes)} of the host's memory")
    table.add_row("answers at", host.serving.listen)
    change = planned.change
    table.add_row("change", change.why)
    if change.kind != "start":
        for sign, some in (("+", change.added), ("-", change.removed)):
            if some:
                table.add_row("", f"{sign} {_some(some)}")
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


def show_files(planned: ServingPlan, host: HostConfig) -> None:
    """Both files, whole."""
    click.echo(f"\n# {config_file()}\n{planned.yaml}\n# {host.serving.unit}\n{planned.unit}", nl=False)


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


def report(outcome: Outcome | None, as_json: bool) -> None:
    """What serves now, and how it answered."""
    if outcome is None:
        if as_json:
            print_json({"changed": False})
        return
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
            }
        )
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


def show_status(found: ServingStatus) -> None:
    """What serves now."""
    table = plain_table("", "")
    table.show_header = False
    for label, text in _status_rows(found):
        table.add_row(label, text)
    printer().print(table)
    for line in found.log:
        say(f"  {line}")


def status_document(found: ServingStatus, history: Sequence[Deployment]) -> dict[str, Any]:
    """Status as JSON, with every deployment there was, newest first."""
    return {
        "good": found.good,
        "deployment": found.generation.id if found.generation else None,
        "service": found.service.phase,
        "restarts": found.service.restarts,
        "pid": found.service.pid,
        "since": found.service.since,
        "answers": found.answers,
        "address": found.address,
        "version": found.version,
        "models": list(found.models),
        "absent": list(found.absent),
        "unexpected": list(found.unexpected),
        "deleted": list(found.deleted),
        "interrupted": found.interrupted,
        "paused": found.paused,
        "history": [
            {
                "deployment": one.id,
                "state": one.state,
                "created_at": one.created_at,
                "by": one.applied_by,
                "reason": one.reason,
                "adapters": [f"{name}.v{version}" for name, version in one.versions],
            }
            for one in history
        ],
    }


def _status_rows(found: ServingStatus) -> Iterator[tuple[str, str]]:
    generation = found.generation
    if generation is None:
        yield "deployment", "none yet; `duotune serve apply` makes one"
    else:
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(generation.created_at))
        by = f" by {generation.applied_by}" if generation.applied_by else ""
        stopped = ", stopped" if generation.state == "stopped" else ""
        yield "deployment", f"{generation.id}, applied {when}{by}{stopped}"
    if found.interrupted:
        yield "", f"an apply was killed half-way (deployment {found.interrupted}); `duotune serve apply` makes it good"
    since = "" if found.service.since is None else f", for {in_words(time.time() - found.service.since)}"
    restarts = f", restarted by itself {found.service.restarts} times" if found.service.restarts else ""
    yield "vLLM", f"{found.service.phase}{since}{restarts}, under {found.title}"
    if found.paused:
        yield "", "stopped while a run trains; it starts again when the run ends"
    if found.answers:
        yield "answers", f"at {found.address}, version {found.version}"
    else:
        yield "answers", f"nobody at {found.address}; `duotune serve apply` starts vLLM"
    if found.models:
        yield "models", _some(found.models)
    for label, names in (("missing", found.absent), ("not ours", found.unexpected), ("deleted", found.deleted)):
        if names:
            yield label, _some(names)


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


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(names[:SHOWN_ADAPTERS])
    return shown if len(names) <= SHOWN_ADAPTERS else f"{shown} and {len(names) - SHOWN_ADAPTERS} more"
