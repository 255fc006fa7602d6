"""The GPU for training alone: under `serving.during_training = "stop"` vLLM stops for a run and starts again after it.

A run's worker requires a target of systemd that conflicts with vLLM's service. systemd stops vLLM before it starts the
worker, and starts it when no worker needs the target any more, however they ended. Nothing has to be cleaned up, and
after a reboot vLLM is started as always.

Where vLLM was stopped on purpose before, the target is left out, since it would start vLLM as the run ends; the worker
itself conflicts with vLLM. Either way the two never run beside each other: who starts vLLM by hand stops the runs.
"""

from __future__ import annotations

from duotune.config.host import ServingConfig
from duotune.runs.directory import RunDirectory
from duotune.runs.lease import GpuLease
from duotune.runs.lock import owner_of
from duotune.runs.systemd import Manager, find_manager, forgive, is_active, is_wanted, serving_manager


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
    pause = pause_name(serving)
    # As a pause begins or ends, one of the two takes over from the other: whichever way, one of three looks sees it.
    return any(is_wanted(manager, unit) for unit in (pause, serving.unit, pause))


def serves(serving: ServingConfig) -> bool:
    """Whether systemd runs vLLM, or is about to."""
    manager, _ = serving_manager()
    return manager is not None and is_wanted(manager, serving.unit)


def wants_gpu(run: RunDirectory) -> bool:
    """Whether a worker is at the run and wants the GPU to itself; one that merges does while it proves there."""
    if owner_of(run.lock_file) is None:
        return False
    created = run.created()
    return created is None or created.kind != "merge" or GpuLease.held_by(run.id)


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


def make_room(serving: ServingConfig, manager: Manager) -> tuple[str, ...]:
    """What a worker's unit must say for vLLM to make room, or to stay away; empty when it may serve meanwhile.

    Starts after short runs must not use up vLLM's limit of starts, which is there for a vLLM that fails.
    """
    if serving.during_training != "stop":
        return ()
    if not makes_room(serving, manager):
        return (f"Conflicts={serving.unit}", f"After={serving.unit}")
    forgive(manager, serving.unit)
    return (f"Requires={pause_name(serving)}", f"After={pause_name(serving)}")
