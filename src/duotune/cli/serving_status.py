"""How it is shown what serves now."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any

from duotune.catalog.deployments import Deployment
from duotune.cli.output import plain_table, printer, say
from duotune.cli.serving import some
from duotune.runs.wording import counted, in_words
from duotune.serving.status import ServingStatus


def show_status(found: ServingStatus) -> None:
    """What serves now."""
    table = plain_table("", "")
    table.show_header = False
    for label, text in _rows(found):
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
        "stranger": found.stranger,
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


def _rows(found: ServingStatus) -> Iterator[tuple[str, str]]:
    yield "deployment", _deployment(found.generation, _apply(found))
    if found.interrupted:
        yield "", f"an apply was killed half-way (deployment {found.interrupted}); `{_apply(found)}` makes it good"
    service = found.service
    since = "" if service.since is None else f", for {in_words(time.time() - service.since)}"
    restarts = f", started again by itself {counted(service.restarts, 'time')}" if service.restarts else ""
    under = f", under {found.title}" if found.title else f"; {found.refusal}"
    yield "vLLM", f"{service.phase}{since}{restarts}{under}"
    if found.paused:
        yield "", "stopped while a run trains; it starts again when the run ends"
    yield "answers", _answers(found)
    if found.models and not found.stranger:
        yield "models", some(found.models)
    for label, names in (("missing", found.absent), ("not ours", found.unexpected), ("deleted", found.deleted)):
        if names:
            yield label, some(names)


def _deployment(generation: Deployment | None, apply: str) -> str:
    if generation is None:
        return f"none yet; `{apply}` makes one"
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(generation.created_at))
    by = f" by {generation.applied_by}" if generation.applied_by else ""
    return f"{generation.id}, applied {when}{by}{', stopped' if generation.state == 'stopped' else ''}"


def _answers(found: ServingStatus) -> str:
    if found.answers:
        return f"at {found.address}, version {found.version}"
    if found.stranger:
        return f"not ours: at {found.address} is {found.stranger}; stop that one, or change serving.listen"
    if found.version:
        return f"at {found.address}, but its engine does not work"
    if found.service.up or found.paused:
        return f"nobody at {found.address} yet"
    return f"nobody at {found.address}; `{_apply(found)}` starts vLLM"


def _apply(found: ServingStatus) -> str:
    """The command that would start vLLM here."""
    return "duotune serve apply --foreground" if found.refusal else "duotune serve apply"
