"""What would be served: one base model with the current version of each of its adapters."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from duotune import paths
from duotune.adapters.copies import local_copy
from duotune.adapters.manifest import read_manifest
from duotune.adapters.peft_config import largest_rank, read_config
from duotune.catalog.adapters import Version
from duotune.catalog.catalog import Catalog
from duotune.config.host import HostConfig, ServingConfig
from duotune.errors import CheckFailed, ModelError, UsageError, printable
from duotune.models.locate import fingerprint, locate
from duotune.serving import unit, vllm_config
from duotune.serving.vllm_config import ServedAdapter

CONFIG_FILE_NAME = "vllm.yaml"


@dataclass(frozen=True)
class Deployment:
    """A generation before it is carried out.

    Attributes:
        base: Directory of the base model.
        adapters: What vLLM will offer besides it.
        left_out: Published versions of other base models, with the reason.
        config_file: Where the YAML would be written.
        config_text: vLLM's configuration.
        unit_name: Name of the systemd unit.
        unit_text: Its text.
        notes: What keeps the unit from working on this host as it is now.
    """

    base: Path
    adapters: tuple[ServedAdapter, ...]
    left_out: tuple[str, ...]
    config_file: Path
    config_text: str
    unit_name: str
    unit_text: str
    notes: tuple[str, ...]


def plan_deployment(catalog: Catalog, host: HostConfig) -> Deployment:
    """Work out the configuration and the unit that would serve the catalog's adapters, and change nothing.

    Only what this host has lost of its copies of published adapters is fetched again.

    Raises:
        UsageError: Nothing is published and no base model is configured, or an assigned adapter has another base.
        ModelError: The base model is not there.
        CheckFailed: A published adapter is damaged.
        StorageError: An adapter has no copy on this host and cannot be fetched.
    """
    current = [version for adapter in catalog.adapters.all() if (version := catalog.adapters.current(adapter.name))]
    base = _base(catalog, current, host)
    base_fingerprint = fingerprint(base)
    fitting = [version for version in current if _base_of(catalog, version) == base_fingerprint]
    others = [version for version in current if version not in fitting]
    _refuse_assigned(catalog, others, base)
    adapters = tuple(_served(catalog, version) for version in fitting)
    config_file = paths.home() / "serving" / CONFIG_FILE_NAME
    return Deployment(
        base=base,
        adapters=adapters,
        left_out=tuple(f"{version.name} was trained for another base model" for version in others),
        config_file=config_file,
        config_text=vllm_config.render(base, adapters, host.serving),
        unit_name=host.serving.unit,
        unit_text=unit.render(config_file, host.serving),
        notes=tuple(_notes(host.serving)),
    )


def _notes(serving: ServingConfig) -> Iterator[str]:
    if shutil.which(serving.executable) is None:
        yield (
            f"vLLM's command {printable(serving.executable)} is not on this host; install vLLM into an environment of "
            "its own and set serving.executable to its full path"
        )
    if Path("/tmp") in paths.home().parents:
        yield f"the unit has a /tmp of its own and would not see {paths.home()}; set DUOTUNE_HOME to another place"


def _base(catalog: Catalog, current: Sequence[Version], host: HostConfig) -> Path:
    if host.serving.base:
        return locate(host.serving.base)
    if not current:
        raise UsageError(
            "No adapter is published, and the host's configuration names no base model to serve.",
            "Publish one with `duotune run`, or set serving.base (`duotune config new --host` shows the keys).",
        )
    newest = max(current, key=lambda version: version.published_at or 0.0)
    path = read_manifest(local_copy(catalog, newest)).base.path
    try:
        return locate(path)
    except ModelError as error:
        raise ModelError(
            f"The base model of {newest.name} is no longer at {path}.", "Set serving.base to where it is now."
        ) from error


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


def _served(catalog: Catalog, version: Version) -> ServedAdapter:
    directory = local_copy(catalog, version)
    try:
        return ServedAdapter(version.name, directory, largest_rank(read_config(directory)))
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise CheckFailed(
            f"{version.name} in {printable(directory)} cannot be served: {printable(reason)}.",
            f"See `duotune adapters verify {version.name}`; publish the adapter again.",
        ) from error
