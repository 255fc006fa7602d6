"""What serves now: the generation of the catalog, the service, and what vLLM itself says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from duotune.catalog.catalog import Catalog
from duotune.catalog.deployments import Deployment
from duotune.config.host import HostConfig
from duotune.endpoint.address import Address, parse_address
from duotune.endpoint.client import Endpoint, Refused, ServedModel, Unreachable
from duotune.errors import printable
from duotune.runs.lock import owner_of
from duotune.serving.change import LIST_SECONDS
from duotune.serving.files import lock_file
from duotune.serving.service import Service, ServiceState
from duotune.serving.vllm_config import address_of, parsed, served_adapters, served_name


@dataclass(frozen=True)
class Heard:
    """What was heard at the address.

    Attributes:
        healthy: Whether vLLM answers and says that its engine works.
        version: vLLM's; empty when it does not answer.
        models: What it lists.
        stranger: Who answers there instead, as a noun; empty when it is vLLM or nobody.
    """

    healthy: bool = False
    version: str = ""
    models: Sequence[ServedModel] = ()
    stranger: str = ""


@dataclass(frozen=True)
class ServingStatus:
    """What serves.

    Attributes:
        generation: The one that serves by the catalog, or was stopped; None when nothing was applied.
        service: What the service is doing.
        title: Who runs it; empty when nobody does.
        refusal: Why nothing here keeps vLLM running; empty when something does.
        address: Where vLLM should answer.
        answers: Whether the generation's vLLM does, and says that its engine works.
        version: vLLM's; empty when it does not answer.
        stranger: Who answers there instead; empty when it is vLLM or nobody.
        models: What is listed there, whoever does.
        absent: Adapters of the generation that vLLM does not list; empty when it does not answer.
        unexpected: Adapters that it lists, and the generation does not have.
        deleted: Adapters of the generation whose directory is gone: vLLM dies when it needs to read one again.
        applying: The one that is being applied now, and is not proven yet; then what is heard is compared with it.
        interrupted: The number of an apply that was killed; None without one.
        failed: The newest deployment, when it did not come to serve; None when it did.
        paused: A run trains and has the GPU.
        log: The end of vLLM's log where it does not answer.
    """

    generation: Deployment | None
    service: ServiceState
    title: str
    refusal: str
    address: str
    answers: bool
    version: str
    stranger: str
    models: Sequence[str]
    absent: Sequence[str]
    unexpected: Sequence[str]
    deleted: Sequence[str]
    applying: Deployment | None
    interrupted: int | None
    failed: Deployment | None
    paused: bool
    log: Sequence[str]

    @property
    def good(self) -> bool:
        """Whether the generation's vLLM answers with just its adapters, all on the disk, and nobody changes that."""
        return self.answers and not (self.applying or self.absent or self.unexpected or self.deleted)


def read_status(catalog: Catalog, host: HostConfig, service: Service) -> ServingStatus:
    """Look, and change nothing."""
    generation = catalog.deployments.newest("serving", "stopped")
    newest = catalog.deployments.newest()
    begun = newest if newest and newest.state == "applying" else None
    applying = begun if owner_of(lock_file()) else None
    told = applying or generation
    applied = parsed(told.yaml) if told else {}
    address = address_of(applied) or parse_address(host.serving.listen)
    wanted = served_adapters(applied)
    heard = hear(address, served_name(applied))
    answers = heard.healthy and not heard.stranger
    adapters = {model.name for model in heard.models if model.parent}
    return ServingStatus(
        generation=generation,
        service=service.state(),
        title=service.title,
        refusal=service.refusal,
        address=str(address),
        answers=answers,
        version=heard.version,
        stranger=heard.stranger,
        models=[model.name for model in heard.models],
        absent=sorted(wanted.keys() - adapters) if answers and not applying else [],
        unexpected=sorted(adapters - wanted.keys()) if answers and not applying else [],
        deleted=sorted(name for name, path in wanted.items() if not Path(path).is_dir()),
        applying=applying,
        interrupted=begun.id if begun and not applying else None,
        failed=newest if newest and newest.state == "failed" else None,
        paused=service.paused(),
        log=[] if answers or (generation and generation.state == "stopped") else service.log(10),
    )


def hear(address: Address, base_name: str) -> Heard:
    """Who answers at an address.

    Args:
        address: Where.
        base_name: The name under which our vLLM's base model answers; empty when nothing was applied.
    """
    with Endpoint(address, answer_seconds=LIST_SECONDS) as endpoint:
        try:
            healthy = endpoint.healthy()
            version = endpoint.version()
        except Refused as refusal:
            return Heard(stranger=f"a server that is not vLLM ({refusal.reason})")
        except Unreachable:
            return Heard()
        try:
            models = endpoint.models()
        except Refused as refusal:
            return Heard(stranger=f"a server that is not vLLM ({refusal.reason})")
        except Unreachable:
            return Heard(version=version)
    bases = [printable(model.name) for model in models if not model.parent]
    if base_name in bases:
        return Heard(healthy, version, models)
    why = f"which has no model {base_name}" if base_name else "of which duotune knows nothing"
    return Heard(healthy, version, models, f"another vLLM ({', '.join(bases) or 'without a model'}), {why}")
