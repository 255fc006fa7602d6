"""`plan(config)`: everything that a run needs, resolved and checked before it starts."""

from __future__ import annotations

from duotune import paths
from duotune.config.host import DefaultsConfig, ServingConfig
from duotune.config.load import load_host_config
from duotune.config.run import RunConfig
from duotune.hardware.estimate import training_memory
from duotune.hardware.gpu import Gpu, visible_gpus
from duotune.hardware.host import disk_free_bytes, read_host
from duotune.plan import checks as look
from duotune.plan import figures
from duotune.plan.material import check_material
from duotune.plan.records import Check, Plan
from duotune.runs.lease import GpuLease, leased_device
from duotune.runs.pause import freed_bytes


def plan(config: RunConfig) -> Plan:
    """Resolve and check everything that a run needs, and change nothing.

    Args:
        config: With absolute paths, as `load_run_config` gives it.
    """
    checks: list[Check] = []
    on_host = load_host_config()
    config = _with_host_defaults(config, on_host.defaults)
    gpu = next(iter(visible_gpus()), None)
    host = read_host()
    device = gpu.name if gpu else "cpu"
    checks.append(look.device_check(gpu, host.cores))
    if holder := GpuLease.holder(leased_device()):
        waits = f"run {holder} is at work on it; this one waits until it has ended, and then begins by itself"
        checks.append(Check(name="device", status="warning", detail=waits))
    projects = [found for project in config.projects if (found := look.look_at_project(project, config, checks))]
    if len(projects) == len(config.projects):
        check_material(projects, config.data, checks)
        look.check_recipes(config, projects, checks)
    shape, model = look.look_at_model(config, checks)
    look.check_precision(config, gpu, checks)
    if shape:
        look.check_target_modules(config, shape, checks)
    look.check_embedder(config, checks)
    look.check_vllm(config, on_host.serving, checks)
    look.check_locations(config, checks)
    if model:
        look.check_adapter_name(config, model.fingerprint, checks)
    tokens = sum(project.tokens for project in projects)
    source_bytes = sum(project.bytes for project in projects)
    memory = training_memory(shape, config, gpu is not None) if shape else None
    free = free_bytes(gpu, on_host.serving) if gpu else host.memory_available_bytes
    if memory:
        checks.append(look.memory_check(memory, free, device))
    disk, disk_free = figures.disk_bytes(source_bytes, tokens, memory), disk_free_bytes(paths.home())
    checks.append(look.disk_check(disk, disk_free))
    return Plan(
        config=config,
        device=device,
        projects=projects,
        model=model,
        tokens=tokens,
        steps=figures.optimizer_steps(tokens, config),
        durations=figures.durations(config, shape, model, device, host.cores, tokens, source_bytes),
        memory_bytes=memory.total_bytes if memory else 0,
        memory_free_bytes=free,
        disk_bytes=disk,
        disk_free_bytes=disk_free,
        checks=checks,
    )


def free_bytes(gpu: Gpu, serving: ServingConfig) -> int:
    """The GPU's memory that a run will find free, after vLLM has made room for it where it is to."""
    return min(gpu.memory_total_bytes, gpu.memory_free_bytes + freed_bytes(serving, gpu.memory_total_bytes))


def _with_host_defaults(config: RunConfig, defaults: DefaultsConfig) -> RunConfig:
    data = config.data.model_copy(update={"location": config.data.location or defaults.data_location})
    adapter = config.adapter.model_copy(update={"location": config.adapter.location or defaults.adapter_location})
    return config.model_copy(update={"data": data, "adapter": adapter})
