"""What would be served: one base model with the current version of each of its adapters, or with chosen ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from duotune.adapters.copies import local_copy
from duotune.adapters.manifest import read_manifest
from duotune.adapters.peft_config import largest_rank, read_config
from duotune.adapters.verify import Check
from duotune.catalog.adapters import Version
from duotune.catalog.catalog import Catalog
from duotune.catalog.deployments import Deployment
from duotune.config.host import HostConfig, host_setting
from duotune.errors import CheckFailed, ModelError, StorageError, UsageError, printable
from duotune.hardware.gpu import visible_gpus
from duotune.models.locate import fingerprint, locate
from duotune.models.shape import read_shape
from duotune.runs.wording import counted, in_bytes
from duotune.serving import unit, vllm_config
from duotune.serving.adapter_checks import check_adapters, stamp
from duotune.serving.change import change_to, roomy
from duotune.serving.checks import check_gpu, check_host, check_memory, check_start
from duotune.serving.deployment import ServingPlan, Tell
from duotune.serving.edits import check_edits
from duotune.serving.files import check_nobody_else, config_file
from duotune.serving.service import Service
from duotune.serving.vllm_config import ServedAdapter, parsed, served_adapters, served_name


def plan_deployment(
    catalog: Catalog,
    host: HostConfig,
    service: Service,
    only: Sequence[str] = (),
    tell: Tell = lambda phase, detail: None,
    shown: ServingPlan | None = None,
) -> ServingPlan:
    """Work out what would be served, compare it with what runs, and change nothing.

    Only what this host has lost of its copies of published adapters is fetched again.

    Args:
        catalog: What is published.
        host: The host's settings.
        service: Who runs vLLM here.
        only: Adapters to serve, as `name` or `name.v2`; empty serves every one that fits the base model.
        tell: Told about what is fetched and checked.
        shown: An earlier plan: adapters that passed then, and whose files are as they were, are not read whole again.

    Raises:
        UsageError: Nothing is published and no base model is configured, or a chosen or assigned adapter has another
            base.
        ModelError: The base model is not there.
        CheckFailed: A published adapter is damaged.
        StorageError: An adapter has no copy on this host and cannot be fetched.
    """
    current = [version for adapter in catalog.adapters.all() if (version := catalog.adapters.current(adapter.name))]
    chosen = list({(found := _chosen(catalog, name)).name: found for name in only}.values()) or current
    base = _base(catalog, chosen, host)
    base_fingerprint = fingerprint(base)
    fitting = [version for version in chosen if _base_of(catalog, version) == base_fingerprint]
    others = [version for version in chosen if version not in fitting]
    if only and others:
        raise UsageError(
            f"{others[0].name} was trained for another base model than {base}, which is the one that is served.",
            f"Leave it out, or set the base model that it belongs to, {host_setting('serving.base')}.",
        )
    _refuse_assigned(catalog, others, base)
    adapters = tuple(_served(catalog, version, tell) for version in fitting)
    tell("checking", counted(len(adapters), "adapter"))
    shape = read_shape(base)
    proven = catalog.deployments.newest("serving")
    room = roomy(vllm_config.room_for(adapters, host.serving), host.serving, service, proven)
    slot_bytes = room.gpu_bytes(shape) if room else 0
    unit_text = unit.render(config_file(), host.serving, service.user_manager, service.private_users, base)
    yaml = vllm_config.render(base, adapters, host.serving, room)
    change = change_to(yaml, unit_text, host.serving, service, proven)
    stays = proven is not None and change.kind in ("none", "hot")
    known = frozenset(served_adapters(parsed(proven.yaml))) if stays and proven else frozenset()
    stamps = {adapter.model_name: stamp(adapter.path) for adapter in adapters}
    read = {name for name, one in stamps.items() if shown and shown.passed.get(name) == one}
    others_turn = tuple(check_nobody_else())
    checks = (
        *others_turn,
        *check_host(catalog, host.serving, service, base, adapters, unit_text),
        *(() if others_turn else check_start(service, change)),
        check_memory(host.serving, shape, slot_bytes, visible_gpus(), service.state().up),
        *check_adapters(
            adapters, shape, base_fingerprint, host.serving.served_name, known | read, host.serving.max_model_len
        ),
    )
    return ServingPlan(
        base_path=base,
        base=base_fingerprint,
        versions=tuple((version.adapter, version.version) for version in fitting),
        adapters=adapters,
        left_out=tuple(f"{version.name} was trained for another base model" for version in others),
        room=room,
        slot_bytes=slot_bytes,
        cache_bytes=room.host_bytes(shape) if room else 0,
        yaml=yaml,
        unit=unit_text,
        change=change,
        checks=checks,
        passed={one.name: stamps[one.name] for one in checks if one.ok and one.name in stamps.keys() - known},
    )


def check_generation(catalog: Catalog, host: HostConfig, service: Service, generation: Deployment) -> list[Check]:
    """Look at a generation that served before: its files as any other's, and whether somebody edited what is there."""
    config = parsed(generation.yaml)
    shape = read_shape(locate(str(config.get("model"))))
    longest = config.get("max-model-len")
    longest = longest if isinstance(longest, int) else None
    adapters = [_adapter(name, directory) for name, directory in served_adapters(config).items()]
    return [
        *check_edits(catalog, service, generation.unit),
        *check_gpu(host.serving, service),
        *check_adapters(adapters, shape, generation.base, served_name(config), frozenset(), longest),
    ]


def _chosen(catalog: Catalog, name: str) -> Version:
    """The version that a name means: itself, or the current one of an adapter.

    Raises:
        UsageError: There is none that is published.
    """
    found = catalog.adapters.get(name)
    published = found if found.name == name else catalog.adapters.current(name)
    if published is None or published.state != "published":
        raise UsageError(f"{printable(name)} is not published.", "`duotune adapters publish` lets it be served.")
    return published


def _base(catalog: Catalog, current: Sequence[Version], host: HostConfig) -> Path:
    if host.serving.base:
        return locate(host.serving.base)
    if (served := _served_base(catalog)) is not None:
        return served
    if not current:
        raise UsageError(
            "No adapter is published, and the host's configuration names no base model to serve.",
            f"Publish one with `duotune run`, or set {host_setting('serving.base')}.",
        )
    newest = max(current, key=lambda version: version.published_at or 0.0)
    path = read_manifest(_directory(catalog, newest)).base.path
    try:
        return locate(path)
    except ModelError as error:
        raise ModelError(
            f"The base model of {newest.name} is no longer at {path}.",
            f"Set where it is now, {host_setting('serving.base')}.",
        ) from error


def _served_base(catalog: Catalog) -> Path | None:
    """The base model that is served; None where none is: an adapter of another one must not replace it unsaid.

    Raises:
        ModelError: It is not where it was, or another one is there.
    """
    proven = catalog.deployments.newest("serving")
    if proven is None:
        return None
    place = str(parsed(proven.yaml).get("model", ""))
    hint = f"Set where it is now, or the base model to serve in its place, {host_setting('serving.base')}."
    try:
        path = locate(place)
    except ModelError as error:
        raise ModelError(f"The base model that is served is no longer at {printable(place)}.", hint) from error
    if fingerprint(path) != proven.base:
        raise ModelError(f"The base model at {printable(place)} is not the one that is served: its files differ.", hint)
    return path


def _base_of(catalog: Catalog, version: Version) -> str:
    adapter = catalog.adapters.find(version.adapter)
    return adapter.base if adapter else ""


def _refuse_assigned(catalog: Catalog, others: Sequence[Version], base: Path) -> None:
    names = {version.adapter for version in others}
    for project, assigned in catalog.assignments.all().items():
        for adapter in assigned:
            if adapter in names:
                raise UsageError(
                    f"Project {project} is assigned {adapter}, which was not trained for the served base {base}.",
                    f"Run `duotune assign {project} --base`, or serve the base model that {adapter} belongs to.",
                )


def _served(catalog: Catalog, version: Version, tell: Tell) -> ServedAdapter:
    def on_bytes(done: int, total: int) -> None:
        tell(f"fetching {version.name}", f"{in_bytes(done)} of {in_bytes(total)}")

    return _adapter(version.name, _directory(catalog, version, on_bytes))


def _directory(
    catalog: Catalog, version: Version, on_bytes: Callable[[int, int], None] = lambda done, total: None
) -> Path:
    try:
        return local_copy(catalog, version, on_bytes)
    except StorageError as error:
        place = printable(version.local_path or version.location)
        raise StorageError(
            f"{version.name} is published, but its directory {place} is gone, and cannot be fetched: {error.message}",
            "Publish it again, or serve without it: `duotune serve apply --only NAME …`.",
        ) from error


def _adapter(name: str, directory: Path) -> ServedAdapter:
    try:
        return ServedAdapter(name, directory, largest_rank(read_config(directory)))
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise CheckFailed(
            f"{name} in {printable(directory)} cannot be served: {printable(reason)}.",
            f"See `duotune adapters verify {name}`; publish the adapter again.",
        ) from error
