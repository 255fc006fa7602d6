"""What serves now: the generation of the catalog, the service, and what vLLM itself says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from duotune.catalog.catalog import Catalog
from duotune.catalog.deployments import Deployment
from duotune.config.host import HostConfig
from duotune.endpoint.address import parse_address
from duotune.endpoint.client import Endpoint, Refused, Unreachable
from duotune.runs.lock import owner_of
from duotune.serving.change import LIST_SECONDS, parsed
from duotune.serving.files import lock_file, written_config
from duotune.serving.service import Service, ServiceState
from duotune.serving.vllm_config import served_adapters


@dataclass(frozen=True)
class ServingStatus:
    """What serves.

    Attributes:
        generation: The one that serves by the catalog, or was stopped; None when nothing was applied.
        service: What the service is doing.
        title: Who runs it.
        address: Where vLLM answers.
        answers: Whether it does, and says that its engine works.
        version: vLLM's; empty when it does not answer.
        models: What it lists.
        absent: Adapters of the generation that it does not list.
        unexpected: Adapters that it lists, and the generation does not have.
        deleted: Adapters whose directory is gone: vLLM dies when it needs to read one again.
        interrupted: The number of an apply that was killed; None without one.
        paused: A run trains and has the GPU.
        log: The end of vLLM's log where it does not answer.
    """

    generation: Deployment | None
    service: ServiceState
    title: str
    address: str
    answers: bool
    version: str
    models: Sequence[str]
    absent: Sequence[str]
    unexpected: Sequence[str]
    deleted: Sequence[str]
    interrupted: int | None
    paused: bool
    log: Sequence[str]

    @property
    def good(self) -> bool:
        """Whether vLLM answers with just what was applied."""
        return self.answers and not (self.absent or self.unexpected or self.deleted)


def read_status(catalog: Catalog, host: HostConfig, service: Service) -> ServingStatus:
    """Look, and change nothing."""
    address = parse_address(host.serving.listen)
    wanted = served_adapters(parsed(written_config() or ""))
    answers, version, listed, adapters = False, "", [], set()
    with Endpoint(address, answer_seconds=LIST_SECONDS) as endpoint:
        try:
            answers = endpoint.healthy()
            version = endpoint.version()
            models = endpoint.models()
            listed, adapters = [model.name for model in models], {model.name for model in models if model.parent}
        except (Refused, Unreachable):
            answers = False
    newest = next(iter(catalog.deployments.all()), None)
    return ServingStatus(
        generation=catalog.deployments.newest("serving", "stopped"),
        service=service.state(),
        title=service.title,
        address=str(address),
        answers=answers,
        version=version,
        models=listed,
        absent=sorted(wanted.keys() - adapters) if answers else [],
        unexpected=sorted(adapters - wanted.keys()),
        deleted=sorted(name for name, path in wanted.items() if not Path(path).is_dir()),
        interrupted=newest.id if newest and newest.state == "applying" and not owner_of(lock_file()) else None,
        paused=service.paused(),
        log=[] if answers else service.log(10),
    )
