"""What is served, and what would be, in the words that every front end shows."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from duotune.catalog.deployments import Deployment
from duotune.config.host import ServingConfig, host_setting
from duotune.errors import printable
from duotune.runs.wording import counted, in_gib, in_words
from duotune.serving.deployment import ServingPlan
from duotune.serving.memory import Held
from duotune.serving.status import ServingStatus

SHOWN_ADAPTERS = 20


def status_rows(found: ServingStatus, held: Held | None = None) -> Iterator[tuple[str, str]]:
    """What serves now, and what it holds: a label, which may be empty, and a phrase."""
    yield "deployment", _deployment(found.generation, "" if found.applying else _apply(found))
    if found.applying:
        by = f" by {printable(found.applying.applied_by)}" if found.applying.applied_by else ""
        yield "", f"{found.applying.id} is being applied{by}; wait for it"
    if found.interrupted:
        yield "", f"an apply did not come to its end (deployment {found.interrupted}); `{_apply(found)}` makes it good"
    if found.failed:
        yield "last apply", f"{found.failed.id} failed: {printable(found.failed.reason.partition(chr(10))[0])}"
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
    if held:
        own = [f"{in_gib(amount)} of GPU {index}" for index, amount in held.gpus.items()]
        yield "memory", ", ".join([*own, f"{in_gib(held.resident)} of the host"])
    for label, names in (("missing", found.absent), ("not ours", found.unexpected)):
        if names:
            yield label, some(names)
    if found.deleted:
        yield "files gone", f"{some(found.deleted)}: vLLM dies when it has to read them again; publish again, and apply"


def plan_rows(planned: ServingPlan, serving: ServingConfig) -> Iterator[tuple[str, str]]:
    """What would be served, and what it takes to get there: a label, which may be empty, and a phrase."""
    yield "base model", f"{planned.base_path} as {serving.served_name}"
    yield "adapters", some([adapter.model_name for adapter in planned.adapters]) or "none"
    for reason in planned.left_out:
        yield "left out", reason
    if planned.room:
        room, gpu, host = planned.room, in_gib(planned.slot_bytes), in_gib(planned.cache_bytes)
        yield "slots", f"{room.slots} at once, up to rank {room.max_rank}: {gpu} of GPU memory"
        yield "cache", f"{room.cached} adapters, up to {host} of the host's memory"
    yield "answers at", serving.listen
    change = planned.change
    yield "change", change.why
    if change.kind != "start":
        for sign, moved in (("+", change.added), ("-", change.removed)):
            if moved:
                yield "", f"{sign} {some(moved)}"


def some(names: Sequence[str]) -> str:
    """Names in a row; of many, the first."""
    shown = ", ".join(names[:SHOWN_ADAPTERS])
    return shown if len(names) <= SHOWN_ADAPTERS else f"{shown} and {len(names) - SHOWN_ADAPTERS} more"


def _deployment(generation: Deployment | None, apply: str) -> str:
    if generation is None:
        return f"none yet{apply and f'; `{apply}` makes one'}"
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(generation.created_at))
    by = f" by {generation.applied_by}" if generation.applied_by else ""
    return f"{generation.id}, applied {when}{by}{', stopped' if generation.state == 'stopped' else ''}"


def _answers(found: ServingStatus) -> str:
    if found.answers:
        return f"at {found.address}, version {found.version}{', not proven yet' if found.applying else ''}"
    if found.stranger:
        own = host_setting("serving.listen")
        return f"not ours: at {found.address} is {found.stranger}; stop that one, or change {own}"
    if found.version:
        return f"at {found.address}, but its engine does not work"
    if found.service.up or found.paused or found.applying:
        return f"nobody at {found.address} yet"
    return f"nobody at {found.address}; `{_apply(found)}` starts vLLM"


def _apply(found: ServingStatus) -> str:
    """The command that would start vLLM here."""
    return "duotune serve apply --foreground" if found.refusal else "duotune serve apply"
