"""Brings a generation to vLLM: writes, starts it or loads adapters, waits, compares the model list, probes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from duotune.adapters.contract import read_contract
from duotune.catalog.catalog import Catalog
from duotune.config.host import ServingConfig, host_setting
from duotune.endpoint.address import parse_address
from duotune.endpoint.client import Endpoint, ServedModel
from duotune.errors import CheckFailed, printable
from duotune.serving.deployment import ChangeKind, Tell
from duotune.serving.files import make_place_of_adapters, write_config
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
class Delivery:
    """What bringing needs.

    Attributes:
        catalog: Which generation was proven to serve.
        serving: The host's settings.
        service: Who runs vLLM.
        tell: Told about progress.
    """

    catalog: Catalog
    serving: ServingConfig
    service: Service
    tell: Tell

    def bring(self, wanted: Generation, kind: ChangeKind) -> tuple[Probe, ...]:
        """Let vLLM serve a generation, and prove that it does.

        Args:
            wanted: The generation.
            kind: How; see `Change`.

        Returns:
            How each served model answered; of a hot change only those that came.

        Raises:
            CheckFailed: It does not come to serve, or not as it should.
            HostError: The machine refuses, or vLLM does not answer.
        """
        return self._load_into(wanted) if kind == "hot" else self._restart_into(wanted)

    def put_back(self, last: Generation) -> None:
        """Write a generation's files, and start nothing."""
        write_config(last.yaml)
        self.service.install(last.unit, render_pause(self.serving))

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
                f"Check that {host_setting('serving.base')} and the adapter belong together, and vLLM's version "
                "(`duotune serve plan`); or leave it out with `--only`.",
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
