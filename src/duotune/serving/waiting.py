"""Waiting for vLLM to load its model: minutes, with what it is doing, and an end as soon as it dies."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence

from duotune.endpoint.client import Endpoint, Unreachable
from duotune.errors import CheckFailed
from duotune.serving.deployment import Tell
from duotune.serving.service import Service

START_SECONDS = 30 * 60
"""As the unit's TimeoutStartSec: the largest models load for many minutes from a cold disk."""
POLL_SECONDS = 0.5
TAIL_LINES = 60
SHOWN_LINES = 12
DEATH_LINES = 600
"""The engine's own traceback comes first, and that of the server which waited for it, and hides it, comes last."""

# vLLM 0.32 and 0.33, in the order in which a start passes them; the last one found in the log is where it is.
_PHASES: Sequence[tuple[re.Pattern[str], str]] = (
    (re.compile(r"Initializing a V1 LLM engine|non-default args"), "starting the engine"),
    (re.compile(r"Starting to load model|Loading safetensors|Loading weights"), "loading weights"),
    (re.compile(r"Dynamo bytecode|torch\.compile|Compiling a graph"), "compiling"),
    (re.compile(r"GPU KV cache size|CPU KV cache|Available KV cache memory"), "sizing the cache"),
    (re.compile(r"Capturing CUDA graph"), "capturing CUDA graphs"),
    (re.compile(r"Loaded new LoRA adapter"), "loading adapters"),
)

_RAISED = re.compile(r"\b[\w.]*(?:Error|Exception|Interrupt)\b: .*")
"""The last line of a traceback, whatever the logger put before it."""


def wait_until_ready(service: Service, endpoint: Endpoint, tell: Tell, before: str) -> None:
    """Wait until the vLLM of a new start answers, after `service.begin()`.

    The one before may take minutes to end, and answer until then: it is never asked.

    Args:
        service: Who runs vLLM.
        endpoint: Where it will answer.
        tell: Told what the start is doing.
        before: The start before `begin()`; see `ServiceState`.

    Raises:
        CheckFailed: It died, or did not answer in time; what its log tells is in the message.
    """
    begun = time.monotonic()
    known = ""
    while time.monotonic() - begun < START_SECONDS:
        state = service.state()
        if service.paused():
            raise CheckFailed("A run began to train, and has the GPU to itself.", "Apply again when it has ended.")
        begins = state.start not in ("", before)
        if known and state.start != known:
            raise _died(service, "vLLM ended while it started, and was started again", known)
        known = state.start if begins else known
        if state.phase in ("failed", "restarting") or (state.phase == "stopped" and time.monotonic() - begun > 5):
            raise _died(
                service, f"vLLM {'ended while it started' if known else 'was not started'} ({state.detail})", known
            )
        if begins and state.pid is not None and state.phase in ("starting", "running") and _healthy(endpoint):
            return
        if begins:
            tell("starting vLLM", phase_of(service.log(TAIL_LINES, known)))
        else:
            tell("stopping the vLLM before", "")
        time.sleep(POLL_SECONDS)
    raise _died(service, f"vLLM did not answer within {START_SECONDS // 60} minutes", known)


def _healthy(endpoint: Endpoint) -> bool:
    try:
        return endpoint.healthy()
    except Unreachable:
        return False


def phase_of(log: Sequence[str]) -> str:
    """What a start is doing, by the newest line of its log that tells; empty when none does."""
    for line in reversed(log):
        for pattern, phase in reversed(_PHASES):
            if pattern.search(line):
                return phase
    return ""


def _died(service: Service, what: str, start: str) -> CheckFailed:
    """Why a start failed, from what was written since it alone: what earlier ones died of would mislead."""
    lines = telling(service.log(DEATH_LINES, start)) if start else []
    shown = "".join(f"\n  {line}" for line in lines)
    return CheckFailed(f"{what}.{shown}", "`duotune serve status` shows what runs now.")


def telling(log: Sequence[str]) -> list[str]:
    """The lines of a log that tell why vLLM died: its exceptions, the first cause too; without any, the last lines."""
    lines = [line for line in log if line.strip() and " WARNING " not in f" {line}"]  # which it has survived
    raised = dict.fromkeys(match[0].strip() for line in lines if (match := _RAISED.search(line)))
    suspected = [line for line in lines if "error" in line.lower()]
    return (list(raised) or suspected or lines)[-SHOWN_LINES:]
