"""The three requests that change what is served: apply a plan, roll back, stop; one at a time on a host."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from duotune.adapters.verify import Check
from duotune.catalog.catalog import Catalog
from duotune.catalog.deployments import Deployment
from duotune.config.host import HostConfig
from duotune.errors import CheckFailed, HostError, UsageError
from duotune.runs.wording import counted
from duotune.serving.change import change_to
from duotune.serving.checks import check_start
from duotune.serving.delivery import Generation
from duotune.serving.deployment import ChangeKind, ServingPlan, Tell, refusals
from duotune.serving.edits import keep_edited
from duotune.serving.files import one_at_a_time
from duotune.serving.planning import check_generation, plan_deployment
from duotune.serving.rollout import NotDeployed, Outcome, Rollout
from duotune.serving.service import Service


def apply(
    catalog: Catalog,
    host: HostConfig,
    service: Service,
    shown: ServingPlan,
    tell: Tell,
    only: Sequence[str] = (),
    overwrite: bool = False,
) -> Outcome | None:
    """Carry out the plan that a person has seen.

    Args:
        catalog: What is published, and where generations are recorded.
        host: The host's settings.
        service: Who runs vLLM.
        shown: The plan.
        tell: Told about progress.
        only: As the plan was made.
        overwrite: Replace files that were edited by hand.

    Returns:
        What serves now; None when it did already.

    Raises:
        CheckFailed: A check does not hold, or what was applied does not answer as it should.
        UsageError: The plan is no longer what would be served.
        HostError: Somebody else is at it, or the machine refuses.
    """
    with one_at_a_time():
        planned = plan_deployment(catalog, host, service, only, tell, shown)
        if (planned.yaml, planned.unit) != (shown.yaml, shown.unit):
            raise UsageError(
                "What would be served has changed since the plan was shown.", "Look at `duotune serve plan` again."
            )
        kept = _make_way(planned.checks, host, service, overwrite)
        if planned.change.kind == "none":
            return None
        return _carried_out(Rollout(catalog, host.serving, service, tell), planned, planned.change.kind, kept)


def _make_way(checks: Sequence[Check], host: HostConfig, service: Service, overwrite: bool) -> str:
    """Refuse what does not hold; keep copies of what was edited by hand and may be overwritten.

    Returns:
        Where the copies are, as a sentence; empty without any.

    Raises:
        CheckFailed: Naming each check that does not hold.
    """
    refused = refusals(checks, overwrite)
    if refused:
        listed = "".join(f"\n  {check.name}: {check.detail}" for check in refused)
        raise CheckFailed(f"Nothing was changed, since {counted(len(refused), 'check')} did not hold:{listed}", "")
    return keep_edited(host.serving, service) if refusals(checks) else ""


def _carried_out(rollout: Rollout, wanted: Generation, kind: ChangeKind, kept: str) -> Outcome:
    """Carry out, and say either way where copies are."""
    try:
        return replace(rollout.carry_out(wanted, kind), kept=kept)
    except NotDeployed as error:
        raise type(error)(f"{error.message}\n{kept}".rstrip(), error.hint) from error


def generation_before(catalog: Catalog, number: int | None = None) -> Deployment:
    """What a rollback would serve: a numbered deployment, else the one that was stopped or served before.

    Raises:
        UsageError: There is none, or it never served.
    """
    if number is None:
        found = catalog.deployments.newest("stopped") or catalog.deployments.newest("replaced")
        if found is None:
            raise UsageError("Nothing was served before.", "`duotune serve apply` serves what is published.")
        return found
    found = catalog.deployments.get(number)
    if not found.has_served:
        raise UsageError(
            f"Deployment {number} never served ({found.state}).", "`duotune serve status` lists the last ones."
        )
    return found


def roll_back(
    catalog: Catalog, host: HostConfig, service: Service, target: Deployment, tell: Tell, overwrite: bool = False
) -> Outcome:
    """Serve an earlier generation again, checked and proven as any other.

    Raises:
        CheckFailed: An adapter of it is damaged or gone, files were edited by hand, or it does not answer as it should
            any more; what served before the call does again.
        HostError: Somebody else is at it, or the machine refuses.
    """
    with one_at_a_time():
        proven = catalog.deployments.newest("serving")
        change = change_to(target.yaml, target.unit, host.serving, service, proven)
        if change.kind == "none":  # to ask for what serves already is to ask that it be started anew
            change = replace(change, kind="restart")
        checks = [*check_generation(catalog, host, service, target), *check_start(service, change)]
        kept = _make_way(checks, host, service, overwrite)
        return _carried_out(Rollout(catalog, host.serving, service, tell), target, change.kind, kept)


def serve_last_good(
    catalog: Catalog, host: HostConfig, service: Service, tell: Tell, agreed: Callable[[Deployment], None]
) -> Outcome | None:
    """Serve the newest generation that was good, after what was wanted did not come to serve.

    Args:
        catalog: Which generations there were.
        host: The host's settings.
        service: Who runs vLLM.
        tell: Told about progress.
        agreed: Asked before it is started.

    Returns:
        What serves now; None when there is none, or it is what has just failed.

    Raises:
        As `roll_back` does.
    """
    target, newest = catalog.deployments.newest("serving", "stopped"), catalog.deployments.newest()
    if target is None or (newest is not None and newest.state == "failed" and newest.yaml == target.yaml):
        return None
    agreed(target)
    return roll_back(catalog, host, service, target, tell)


def stop(catalog: Catalog, service: Service) -> Deployment | None:
    """Stop vLLM; what it served is remembered for the next apply or rollback.

    Returns:
        What it served; None when that was nothing.

    Raises:
        HostError: Somebody else is at it, or the machine refuses.
    """
    with one_at_a_time():
        if service.paused():
            raise HostError(
                "vLLM is stopped while a run trains, and starts again when it ends.",
                "Stop it after the run, or stop the run first.",
            )
        service.stop()
        serving = catalog.deployments.newest("serving")
        if serving is not None:
            catalog.deployments.set_state(serving.id, "stopped")
        return serving or catalog.deployments.newest("stopped")
