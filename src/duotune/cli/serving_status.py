"""How it is shown what serves now."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from duotune.catalog.deployments import Deployment
from duotune.cli.output import plain_table, printer, say
from duotune.serving.memory import Held
from duotune.serving.status import ServingStatus
from duotune.serving.wording import some, status_rows

SHOWN_DEPLOYMENTS = 5


def show_status(found: ServingStatus, held: Held | None, history: Sequence[Deployment] = ()) -> None:
    """What serves now, and the last deployments with the numbers that `serve rollback` takes."""
    table = plain_table("", "")
    table.show_header = False
    for label, text in status_rows(found, held):
        table.add_row(label, text)
    printer().print(table)
    if history:
        last = plain_table("", "deployment", "applied", "adapters")
        for one in history[:SHOWN_DEPLOYMENTS]:
            when = time.strftime("%Y-%m-%d %H:%M", time.localtime(one.created_at))
            adapters = some([f"{name}.v{version}" for name, version in one.versions]) or "the base model alone"
            last.add_row(str(one.id), one.state, when, adapters)
        printer().print()
        printer().print(last)
    for line in found.log:
        say(f"  {line}")


def status_document(found: ServingStatus, held: Held | None, history: Sequence[Deployment]) -> dict[str, Any]:
    """Status as JSON, with every deployment there was, newest first."""
    return {
        "good": found.good,
        "deployment": found.generation.id if found.generation else None,
        "service": found.service.phase,
        "restarts": found.service.restarts,
        "pid": found.service.pid,
        "since": found.service.since,
        "memory_bytes": held.resident if held else None,
        "gpu_memory_bytes": dict(held.gpus) if held else {},
        "answers": found.answers,
        "address": found.address,
        "version": found.version,
        "stranger": found.stranger,
        "models": list(found.models),
        "absent": list(found.absent),
        "unexpected": list(found.unexpected),
        "deleted": list(found.deleted),
        "applying": found.applying.id if found.applying else None,
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
