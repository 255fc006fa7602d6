"""Carries a generation out: write, start or load, wait, compare, probe, record; or back to the last good one."""

from __future__ import annotations

import getpass
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from duotune.adapters.contract import read_contract
from duotune.catalog.catalog import Catalog
from duotune.catalog.deployments import Deployment
from duotune.config.host import ServingConfig
from duotune.endpoint.address import parse_address
from duotune.endpoint.client import Endpoint, ServedModel
from duotune.errors import CheckFailed, DuotuneError, ExitCode, printable
from duotune.serving.deployment import ChangeKind, Tell
from duotune.serving.files import config_file, make_place_of_adapters, write_config
from duotune.serving.probe import Probe, Subject, probe_all
from duotune.serving.service import Service
from duotune.serving.unit import render_pause
from duotune.serving.vllm_config import address_of, in_bfloat16, parsed, served_adapters, served_name
from duotune.serving.waiting import wait_until_ready


class Generation(Protocol):
    """What vLLM is told: a plan, or a row of the catalog."""

    @property
    def yaml(self) -> str: ...
    @property
    def unit(self) -> str: ...
    @property
    def base(self) -> str: ...
    @property
    def versions(self) -> Sequence[tuple[str, int]]: ...


@dataclass(frozen=True)
class Outcome:
    """A generation that serves.

    Attributes:
        number: Its number in the catalog.
        probes: How each served model answered, the base model first; of a hot change only those that came.
        seconds: From the first change to the last probe.
        probe_seconds: What of that the probes took.
    """

    number: int
    probes: tuple[Probe, ...]
    seconds: float
    probe_seconds: float


class NotDeployed(CheckFailed):
    """A generation that did not come to serve; the message says why, and what serves instead."""


class Interrupted(NotDeployed):
    """The same, since somebody interrupted it."""

    exit_code = ExitCode.INTERRUPTED


@dataclass(frozen=True)
class Rollout:
    """What carrying out needs.

    Attributes:
        catalog: Where generations are recorded.
        serving: The host's settings.
        service: Who runs vLLM.
        tell: Told about progress.
    """

    catalog: Catalog
    serving: ServingConfig
    service: Service
    tell: Tell

    def carry_out(self, wanted: Generation, kind: ChangeKind) -> Outcome:
        """Make a generation the one that serves; to be called by who holds the lock.

        Args:
            wanted: The generation.
            kind: How; see `Change`.

        Raises:
            NotDeployed: It did not come to serve.
        """
        act = self._way(kind)
        last = self.catalog.deployments.newest("serving", "stopped")
        self._close_interrupted()
        row = self.catalog.deployments.add(
            wanted.base, wanted.yaml, wanted.unit, wanted.versions, state="applying", applied_by=getpass.getuser()
        )
        begun = time.monotonic()
        try:
            probes = act(wanted)
        except DuotuneError as error:
            self.catalog.deployments.set_state(row.id, "failed", error.message)
            raise NotDeployed(f"{error.message}\n{self._going_back()._back_to(last, kind)}", error.hint) from error
        except KeyboardInterrupt:
            self.catalog.deployments.set_state(row.id, "failed", "It was interrupted.")
            raise Interrupted(f"The apply was interrupted. {self._going_back()._back_to(last, kind)}") from None
        self.catalog.deployments.replace_serving(row.id)
        return Outcome(row.id, probes, time.monotonic() - begun, sum(probe.seconds for probe in probes))

    def _way(self, kind: ChangeKind) -> Callable[[Generation], tuple[Probe, ...]]:
        return self._load_into if kind == "hot" else self._restart_into

    def _going_back(self) -> Rollout:
        """The same, whose progress cannot be taken for that of what failed."""
        return replace(self, tell=lambda phase, detail: self.tell(f"going back: {phase}", detail))

    def _back_to(self, last: Deployment | None, kind: ChangeKind) -> str:
        """Serve what served before; one sentence that says what serves now."""
        self.tell("to what served before", "")
        if last is not None and last.state == "stopped":
            self.service.stop()
            write_config(last.yaml)
            self.service.install(last.unit, render_pause(self.serving))
            return "vLLM was stopped before, and is stopped again."
        if last is None:
            self.service.stop()
            config_file().unlink(missing_ok=True)  # or the next boot would start it
            return "Nothing was served before, so vLLM was stopped."
        ways = [self._way(kind), self._restart_into]  # a vLLM that died of a hot change needs the restart
        for way in dict.fromkeys(ways):
            if self.service.paused():
                write_config(last.yaml)
                self.service.install(last.unit, render_pause(self.serving))
                return "A run has begun to train, and has the GPU; what was served before starts again when it ends."
            try:
                way(last)
            except DuotuneError as error:
                reason = error.message
            else:
                return "What was served before is served again."
        return f"What was served before does not come back either: {reason}"

    def _close_interrupted(self) -> None:
        for row in self.catalog.deployments.all():
            if row.state == "applying":
                self.catalog.deployments.set_state(row.id, "failed", "Whoever applied it was killed.")

    def _restart_into(self, wanted: Generation) -> tuple[Probe, ...]:
        write_config(wanted.yaml)
        make_place_of_adapters()
        self.service.install(wanted.unit, render_pause(self.serving))
        before = self.service.state().start
        self.service.begin()
        config = parsed(wanted.yaml)
        adapters = served_adapters(config)
        with self._endpoint(config) as endpoint:
            wait_until_ready(self.service, endpoint, self.tell, before)
            models = endpoint.models()
            _same_list(endpoint.adapters(), adapters)
            return self._probed(endpoint, models, adapters, config, base=True)

    def _load_into(self, wanted: Generation) -> tuple[Probe, ...]:
        config = parsed(wanted.yaml)
        adapters = served_adapters(config)
        with self._endpoint(config) as endpoint:
            there = endpoint.adapters()
            coming = {name: path for name, path in adapters.items() if there.get(name) != path}
            for number, (name, path) in enumerate(coming.items(), start=1):
                self.tell("loading adapters", f"{number} of {len(coming)}")
                if name in there:
                    endpoint.unload_adapter(name)
                endpoint.load_adapter(name, str(path))
            unproven = {name: path for name, path in adapters.items() if name in coming or name not in self._proven()}
            probes = self._probed(endpoint, endpoint.models(), unproven, config, base=False)
            write_config(wanted.yaml)
            for name in there.keys() - adapters.keys():
                endpoint.unload_adapter(name)
            _same_list(endpoint.adapters(), adapters)
            return probes

    def _proven(self) -> Mapping[str, Path]:
        """The adapters of the generation that serves by the catalog."""
        serving = self.catalog.deployments.newest("serving")
        return served_adapters(parsed(serving.yaml)) if serving else {}

    def _probed(
        self,
        endpoint: Endpoint,
        models: Sequence[ServedModel],
        adapters: Mapping[str, Path],
        config: Mapping[str, object],
        base: bool,
    ) -> tuple[Probe, ...]:
        """Probe, and refuse what does not answer as it did when it was evaluated.

        Raises:
            CheckFailed: Naming each.
        """
        contracts = {name: read_contract(path) for name, path in adapters.items()}
        subjects = [Subject(name, contract) for name, contract in contracts.items()]
        if base:
            known = next((contract for contract in contracts.values() if contract and contract.cases), None)
            subjects.insert(0, Subject(served_name(config), known, is_base=True))
        probes = probe_all(
            endpoint,
            subjects,
            same_precision=in_bfloat16(config),
            max_model_len=max((model.max_model_len or 0 for model in models), default=0) or None,
            on_probe=lambda done, total: self.tell("probing", f"{done} of {total}"),
        )
        wrong = [probe for probe in probes if probe.problem]
        if wrong:
            listed = "".join(f"\n  {probe.name} {probe.problem}" for probe in wrong)
            raise CheckFailed(
                f"{len(wrong)} of {len(probes)} models do not answer as they should:{listed}",
                "Check that serving.base and the adapter belong together, and vLLM's version (`duotune serve plan`).",
            )
        return probes

    def _endpoint(self, config: Mapping[str, object]) -> Endpoint:
        """Where that generation answers, which today's settings need not name any more."""
        return Endpoint(address_of(config) or parse_address(self.serving.listen))


def _same_list(there: Mapping[str, Path], wanted: Mapping[str, Path]) -> None:
    """Whether the server's list is the plan's.

    Raises:
        CheckFailed: It is not.
    """
    absent = sorted(name for name, path in wanted.items() if there.get(name) != path)
    too_many = sorted(there.keys() - wanted.keys())
    if absent or too_many:
        said = [f"misses {', '.join(absent)}"] if absent else []
        said += [f"also has {', '.join(map(printable, too_many))}"] if too_many else []
        raise CheckFailed(f"vLLM's list of models is not the planned one: it {' and '.join(said)}.", "Apply again.")
