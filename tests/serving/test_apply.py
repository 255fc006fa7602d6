"""Applying: what is planned serves and is proven."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from duotune.adapters.verify import Check
from duotune.adapters.verify import verify as really_verify
from duotune.catalog.catalog import Catalog
from duotune.config.host import HostConfig
from duotune.errors import CheckFailed, DuotuneError, HostError, UsageError
from duotune.models.shape import ModelShape
from duotune.serving import adapter_checks
from duotune.serving.apply import apply, stop
from duotune.serving.files import config_file, one_at_a_time
from duotune.serving.foreground import Foreground
from duotune.serving.planning import plan_deployment
from support.serving import applied, foreground, publish_adapter, served, stand_in_host


def test_first_apply_starts_vllm_and_proves_every_adapter(
    catalog: Catalog, host: HostConfig, service: Foreground, micro_model: Path, tmp_path: Path
) -> None:
    publish_adapter(catalog, micro_model, tmp_path)
    outcome = applied(catalog, host, service)
    assert outcome is not None
    assert [(probe.name, probe.tokens, probe.distance, probe.problem) for probe in outcome.probes] == [
        ("base", 24, 0.0, ""),
        ("demo.v1", 24, 0.0, ""),
    ]
    assert served(host) == ["base", "demo.v1"]
    assert catalog.deployments.get(outcome.number).state == "serving"
    assert plan_deployment(catalog, host, service).change.kind == "none"
    assert applied(catalog, host, service) is None


def test_new_version_comes_in_while_vllm_runs(
    catalog: Catalog, host: HostConfig, service: Foreground, micro_model: Path, tmp_path: Path
) -> None:
    publish_adapter(catalog, micro_model, tmp_path)
    applied(catalog, host, service)
    pid = service.state().pid
    publish_adapter(catalog, micro_model, tmp_path, seed=2)
    planned = plan_deployment(catalog, host, service)
    assert (planned.change.kind, planned.change.added, planned.change.removed) == ("hot", ("demo.v2",), ("demo.v1",))
    outcome = applied(catalog, host, service)
    assert outcome is not None
    assert [probe.name for probe in outcome.probes] == ["demo.v2"]
    assert served(host) == ["base", "demo.v2"]
    assert service.state().pid == pid
    assert "demo.v2" in config_file().read_text()


def test_over_tcp_and_for_a_higher_rank_vllm_is_restarted(catalog: Catalog, micro_model: Path, tmp_path: Path) -> None:
    host = stand_in_host(tmp_path, over_socket=False)
    with foreground(host) as service:
        publish_adapter(catalog, micro_model, tmp_path)
        applied(catalog, host, service)
        pid = service.state().pid
        publish_adapter(catalog, micro_model, tmp_path, "other", seed=2)
        assert plan_deployment(catalog, host, service).change.kind == "restart"
        applied(catalog, host, service)
        assert service.state().pid != pid
        assert served(host) == ["base", "demo.v1", "other.v1"]
    host = stand_in_host(tmp_path)
    with foreground(host) as service:
        applied(catalog, host, service)
        publish_adapter(catalog, micro_model, tmp_path, "wide", seed=3, r=16)
        planned = plan_deployment(catalog, host, service)
        assert planned.change.kind == "restart"
        assert "max-lora-rank" in planned.change.why


def test_stop_is_remembered_and_apply_starts_again(
    catalog: Catalog, host: HostConfig, service: Foreground, micro_model: Path, tmp_path: Path
) -> None:
    publish_adapter(catalog, micro_model, tmp_path)
    applied(catalog, host, service)
    stop(catalog, service)
    assert catalog.deployments.all()[0].state == "stopped"
    assert plan_deployment(catalog, host, service).change.kind == "start"
    assert applied(catalog, host, service) is not None


def test_second_admin_is_told_who_is_at_it(
    catalog: Catalog, host: HostConfig, service: Foreground, micro_model: Path, tmp_path: Path
) -> None:
    publish_adapter(catalog, micro_model, tmp_path)
    with one_at_a_time(), pytest.raises(HostError, match=r"is being changed by .* \(process \d+\)"):
        applied(catalog, host, service)
    assert applied(catalog, host, service) is not None


def test_plan_that_was_overtaken_is_not_applied(
    catalog: Catalog, host: HostConfig, service: Foreground, micro_model: Path, tmp_path: Path
) -> None:
    publish_adapter(catalog, micro_model, tmp_path)
    shown = plan_deployment(catalog, host, service)
    publish_adapter(catalog, micro_model, tmp_path, seed=2)
    with pytest.raises(UsageError, match="has changed since"):
        apply(catalog, host, service, shown, lambda *_: None)


def test_adapters_are_read_whole_once_between_plan_and_apply(
    catalog: Catalog,
    host: HostConfig,
    service: Foreground,
    micro_model: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    done = publish_adapter(catalog, micro_model, tmp_path)
    read_whole = []

    def verify(adapter: Path, shape: ModelShape, base_fingerprint: str, thorough: bool) -> list[Check]:
        read_whole.append(thorough)
        return really_verify(adapter, shape, base_fingerprint=base_fingerprint, thorough=thorough)

    monkeypatch.setattr(adapter_checks, "verify", verify)
    shown = plan_deployment(catalog, host, service)
    weights = done.local_path / "adapter_model.safetensors"
    weights.chmod(0o644)
    content = weights.read_bytes()
    times = weights.stat()
    weights.write_bytes(content[:-1] + bytes([content[-1] ^ 0xFF]))
    os.utime(weights, ns=(times.st_atime_ns, times.st_mtime_ns))
    with pytest.raises(CheckFailed, match="not as they were published"):
        apply(catalog, host, service, shown, lambda *_: None)
    weights.write_bytes(content)
    shown = plan_deployment(catalog, host, service)
    assert apply(catalog, host, service, shown, lambda *_: None) is not None
    assert read_whole == [True, True, True, False]


def test_adapter_named_twice_is_served_once(
    catalog: Catalog, host: HostConfig, service: Foreground, micro_model: Path, tmp_path: Path
) -> None:
    publish_adapter(catalog, micro_model, tmp_path)
    planned = plan_deployment(catalog, host, service, ["demo", "demo.v1"])
    assert [adapter.model_name for adapter in planned.adapters] == ["demo.v1"]


def test_vllm_that_dies_is_started_again(
    catalog: Catalog, host: HostConfig, service: Foreground, micro_model: Path, tmp_path: Path
) -> None:
    publish_adapter(catalog, micro_model, tmp_path)
    applied(catalog, host, service)
    told: list[str] = []

    def tell(sentence: str) -> None:
        told.append(sentence)

    for _ in range(2):
        pid = service.state().pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        service.revive(tell)
        assert service.state().phase == "running"
    os.kill(service.state().pid or 0, signal.SIGKILL)
    with pytest.raises(DuotuneError, match="died 3 times"):
        service.revive(tell)
    assert len(told) == 2
