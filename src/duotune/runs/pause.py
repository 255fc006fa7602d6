"""The GPU for training alone: under `serving.during_training = "stop"` vLLM stops for a run and starts again after it.

A run's worker requires a target of systemd that conflicts with vLLM's service. systemd stops vLLM before it starts the
worker, and starts it when no worker needs the target any more, however they ended. Nothing has to be cleaned up, and
after a reboot vLLM is started as always.
"""

from __future__ import annotations

from duotune.config.host import ServingConfig
from duotune.runs.systemd import Manager, find_manager, forgive, is_active, serving_manager


def pause_name(serving: ServingConfig) -> str:
    """Name of the target that a worker requires for vLLM to make room."""
    return f"{serving.unit.removesuffix('.service')}-pause.target"


def refusal(serving: ServingConfig, inherit: bool) -> str:
    """Why vLLM would not make room for a run that is started here; empty when it would, or need not.

    Args:
        serving: The host's settings.
        inherit: The worker needs keys of this process's environment, which no unit may show.
    """
    if serving.during_training != "stop":
        return ""
    if inherit:
        return "the run needs keys that are only in this shell's environment, and no unit of systemd may hold them"
    worker, reason = find_manager()
    if worker is None:
        return reason or "there is no systemd on this host"
    server, reason = serving_manager()
    if worker != server:
        return reason or "vLLM belongs to the system's systemd, and your runs to your own; root's would do"
    return ""


def makes_room(serving: ServingConfig, manager: Manager) -> bool:
    """Whether vLLM runs and has to make room, or has done so for another run.

    One that was stopped on purpose is left alone, since systemd would start it as the run ends.
    """
    if serving.during_training != "stop":
        return False
    return is_active(manager, serving.unit) or is_active(manager, pause_name(serving))


def freed_bytes(serving: ServingConfig, memory_total_bytes: int) -> int:
    """GPU memory that vLLM gives back as a run begins: all of its share while it runs, and nothing when it does not.

    Args:
        serving: The host's settings.
        memory_total_bytes: The GPU's memory.
    """
    if serving.during_training != "stop":
        return 0
    manager, _ = serving_manager()
    runs = manager is not None and is_active(manager, serving.unit)
    return int(serving.gpu_memory_utilization * memory_total_bytes) if runs else 0


def make_room(serving: ServingConfig, manager: Manager) -> str:
    """What a worker must require for vLLM to make room; empty when it has nothing to do.

    Starts after short runs must not use up vLLM's limit of starts, which is there for a vLLM that fails.
    """
    if not makes_room(serving, manager):
        return ""
    forgive(manager, serving.unit)
    return pause_name(serving)
