"""What the serving screen shows: read in threads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from duotune.catalog.catalog import open_catalog
from duotune.catalog.deployments import Deployment
from duotune.config.host import ServingConfig
from duotune.config.load import load_host_config
from duotune.runs.lock import Owner, owner_of
from duotune.serving.deployment import ServingPlan
from duotune.serving.files import config_file, lock_file, written_config
from duotune.serving.memory import Held, held_by
from duotune.serving.planning import plan_deployment
from duotune.serving.request import Request, under_way
from duotune.serving.status import ServingStatus, read_status
from duotune.serving.systemd import find_service


@dataclass(frozen=True)
class Served:
    """Everything about what is served now.

    Attributes:
        status: What serves.
        held: What it holds; None when nothing runs.
        history: All deployments, the newest first.
        config_file: Where vLLM's YAML is.
        config: The YAML that is there; empty without one.
        unit_name: Name of the unit.
        unit: The unit that is installed; empty without one.
        refusal: Why nothing here can start vLLM; empty when something can.
        changer: Who changes what is served at this moment; None when nobody does.
        log: The last lines of vLLM's log.
        request: The change that is under way, in whichever terminal; None without one.
    """

    status: ServingStatus
    held: Held | None
    history: Sequence[Deployment]
    config_file: str
    config: str
    unit_name: str
    unit: str
    refusal: str
    changer: Owner | None
    log: Sequence[str]
    request: Request | None

    def generation(self, number: int) -> tuple[Deployment, Deployment | None]:
        """A deployment, and what served before it."""
        one = next(one for one in self.history if one.id == number)
        return one, next((other for other in self.history if other.id < number and other.has_served), None)


@dataclass(frozen=True)
class Planned:
    """A plan with what belongs to it.

    Attributes:
        plan: The plan.
        serving: The host's settings that it was made with.
        unit_file: Where its unit would be written; empty where there are no units.
    """

    plan: ServingPlan
    serving: ServingConfig
    unit_file: str = ""


LOG_LINES = 200


def read_served() -> Served:
    """Look, and change nothing."""
    host = load_host_config()
    service = find_service(host.serving)
    with open_catalog() as catalog:
        status = read_status(catalog, host, service)
        history = catalog.deployments.all()
    return Served(
        status=status,
        held=held_by(status.service.pid),
        history=history,
        config_file=str(config_file()),
        config=written_config() or "",
        unit_name=host.serving.unit,
        unit=service.unit_text() or "",
        refusal=service.refusal,
        changer=owner_of(lock_file()),
        log=service.log(LOG_LINES),
        request=under_way(),
    )


def make_plan(tell: Callable[[str, str], None]) -> Planned:
    """What would be served, with every check.

    Raises:
        UsageError: Nothing is published, or a project is assigned an adapter of another base model.
        ModelError: The base model is not there.
        CheckFailed: A published adapter is damaged.
        StorageError: An adapter cannot be fetched.
    """
    host = load_host_config()
    service = find_service(host.serving)
    with open_catalog() as catalog:
        plan = plan_deployment(catalog, host, service, (), tell)
    return Planned(plan, host.serving, str(service.unit_file or ""))
