"""`--foreground`: this process keeps vLLM running, and serves the last good deployment where nothing else serves."""

from __future__ import annotations

import signal
import sys

from duotune.catalog.catalog import Catalog
from duotune.catalog.deployments import Deployment
from duotune.cli.output import ask, print_error, say
from duotune.cli.serving import interruptible, progress, report
from duotune.config.host import HostConfig
from duotune.errors import DuotuneError, HostError, UsageError
from duotune.serving import apply as serving
from duotune.serving.foreground import Foreground
from duotune.serving.rollout import Interrupted
from duotune.serving.service import Service


def warn_beside(service: Service) -> None:
    """A foreground on a host with systemd: never beside its vLLM, and not without a word.

    Raises:
        HostError: systemd runs vLLM.
    """
    if service.unit_file is None:
        return
    if service.unit_text() is not None and service.state().up:
        raise HostError(
            f"{service.unit_file.name} runs vLLM already, under {service.title}.",
            "Leave --foreground out, or stop that one first with `duotune serve stop`.",
        )
    say(
        f"Warning: {service.title} could keep vLLM running here; one in the foreground ends with this process, and "
        "does not come back after a boot. `duotune serve apply` without --foreground does."
    )


def serve_last_good(
    catalog: Catalog,
    host: HostConfig,
    service: Service,
    failure: DuotuneError,
    only: tuple[str, ...],
    yes: bool,
    as_json: bool,
) -> None:
    """In a container one bad adapter shall not mean no serving at all.

    Raises:
        DuotuneError: That failure, where nothing can be served instead, or the request itself was wrong.
    """
    if isinstance(failure, UsageError) and (only or not yes):
        raise failure

    def agreed(last: Deployment) -> None:
        print_error(failure.message, failure.hint)
        ask(f"Serve deployment {last.id}, the last good one, instead?", yes)

    try:
        with progress() as tell, interruptible():
            outcome = serving.serve_last_good(catalog, host, service, tell, agreed)
    except Interrupted:
        raise
    except DuotuneError as error:
        say(f"The last good deployment cannot be served instead: {error.message}")
        raise failure from None
    if outcome is None:
        raise failure
    report(outcome, as_json, failure)
    say("NOT what is published: the last good deployment is served instead, since what you see above failed.")


def stay(child: Foreground) -> None:
    """Keep vLLM running until Ctrl-C or SIGTERM."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background ignores it
    say("vLLM runs as a child of this process. Ctrl-C ends both.")
    child.supervise(say)
