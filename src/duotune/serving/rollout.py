"""Carries a generation out, and records it; or goes back to the last good one."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass

from duotune.catalog.deployments import Deployment
from duotune.errors import CheckFailed, DuotuneError, ExitCode, is_full, no_space, printable
from duotune.hardware.host import user_name
from duotune.serving.delivery import Delivery, Generation
from duotune.serving.deployment import ChangeKind
from duotune.serving.files import config_file
from duotune.serving.probe import Probe


@dataclass(frozen=True)
class Outcome:
    """A generation that serves.

    Attributes:
        number: Its number in the catalog.
        probes: How each served model answered, the base model first; of a hot change only those that came.
        seconds: From the first change to the last probe.
        probe_seconds: What of that the probes took.
        kept: Where copies are of what somebody had edited by hand, as a sentence; empty without any.
    """

    number: int
    probes: tuple[Probe, ...]
    seconds: float
    probe_seconds: float
    kept: str = ""


class NotDeployed(CheckFailed):
    """A generation that did not come to serve; the message says why, and what serves instead."""


class Interrupted(NotDeployed):
    """The same, since somebody interrupted it."""

    exit_code = ExitCode.INTERRUPTED


class Rollout(Delivery):
    """Brings a generation, records it in the catalog, and goes back when it does not come to serve."""

    def carry_out(self, wanted: Generation, kind: ChangeKind) -> Outcome:
        """Make a generation the one that serves; to be called by who holds the lock.

        Args:
            wanted: The generation.
            kind: How; see `Change`.

        Raises:
            NotDeployed: It did not come to serve.
        """
        last = self.catalog.deployments.newest("serving", "stopped")
        self._close_interrupted()
        row = self.catalog.deployments.add(
            wanted.base, wanted.yaml, wanted.unit, wanted.versions, state="applying", applied_by=printable(user_name())
        )
        begun = time.monotonic()
        try:
            probes = self.bring(wanted, kind)
            self.catalog.deployments.replace_serving(row.id)
        except KeyboardInterrupt:
            said = self._go_back(row, "It was interrupted.", last, kind)
            raise Interrupted(f"The apply was interrupted. {said}") from None
        except Exception as error:  # whatever it was: vLLM must not stay half-way
            known = _as_known(error)
            said = self._go_back(row, known.message, last, kind)
            raise NotDeployed(f"{known.message}\n{said}", known.hint) from error
        return Outcome(row.id, probes, time.monotonic() - begun, sum(probe.seconds for probe in probes))

    def _go_back(self, failed: Deployment, reason: str, last: Deployment | None, kind: ChangeKind) -> str:
        """Serve what served before, and record why, whatever of that fails; says what serves now."""

        def tell(phase: str, detail: str) -> None:  # not to be taken for the progress of what failed
            self.tell(f"going back: {phase}", detail)

        self._record(failed, reason)
        tell("to what served before", "")
        try:
            said = self._back_to(last, kind, Delivery(self.catalog, self.serving, self.service, tell))
        except Exception as error:
            said = f"What was served before does not come back either: {_as_known(error).message}"
        self._record(failed, reason)  # a full disk may have room again
        return said

    def _record(self, failed: Deployment, reason: str) -> None:
        with contextlib.suppress(Exception):
            self.catalog.deployments.set_state(failed.id, "failed", reason)

    def _back_to(self, last: Deployment | None, kind: ChangeKind, delivery: Delivery) -> str:
        if last is None:
            self.service.stop()
            config_file().unlink(missing_ok=True)  # or the next boot would start it
            return "Nothing was served before, so vLLM was stopped."
        if last.state == "stopped":
            self.service.stop()
            delivery.put_back(last)
            return "vLLM was stopped before, and is stopped again."
        if kind == "start" and not self.service.lasts:
            self.service.stop()
            delivery.put_back(last)
            return "vLLM is stopped."
        ways: tuple[ChangeKind, ...] = (kind, "restart")  # a vLLM that died of a hot change needs the restart
        for way in dict.fromkeys(ways):
            if self.service.paused():
                delivery.put_back(last)
                return "A run has begun to train, and has the GPU; what was served before starts again when it ends."
            try:
                delivery.bring(last, way)
            except Exception as error:
                reason = _as_known(error).message
            else:
                return "What was served before is served again."
        return f"What was served before does not come back either: {reason}"

    def _close_interrupted(self) -> None:
        for row in self.catalog.deployments.all():
            if row.state == "applying":
                self.catalog.deployments.set_state(row.id, "failed", "Whoever applied it was killed.")


def _as_known(error: Exception) -> DuotuneError:
    if isinstance(error, DuotuneError):
        return error
    if is_full(error):
        return no_space(config_file().parent)
    return CheckFailed(
        f"It ended with an error that duotune does not know: {type(error).__name__}: {printable(error)}.",
        "Please report it with this line.",
    )
