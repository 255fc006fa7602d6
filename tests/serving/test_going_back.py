"""What does not serve rightly never stays: it is refused before, or taken back."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from duotune.catalog.catalog import Catalog
from duotune.config.host import HostConfig
from duotune.endpoint.address import parse_address
from duotune.endpoint.client import Endpoint
from duotune.errors import CheckFailed, StorageError, UsageError
from duotune.serving.apply import generation_before, roll_back, stop
from duotune.serving.files import config_file
from duotune.serving.foreground import Foreground
from duotune.serving.planning import plan_deployment
from duotune.serving.rollout import NotDeployed
from duotune.serving.status import read_status
from support.serving import applied, foreground, free_port, misbehave, publish_adapter, served, stand_in_host


@pytest.mark.parametrize(
    ("switch", "said"),
    [
        ({"wrong": ["demo.v2"]}, r"demo\.v2 answers .* nats per token away"),
        ({"refuses": ["demo.v2"]}, "No adapter found"),
        ({"hides": ["demo.v2"]}, r"misses demo\.v2"),
    ],
)
def test_adapter_that_is_not_served_rightly_is_taken_back_while_vllm_runs(
    catalog: Catalog,
    host: HostConfig,
    service: Foreground,
    micro_model: Path,
    tmp_path: Path,
    switch: dict[str, list[str]],
    said: str,
) -> None:
    publish_adapter(catalog, micro_model, tmp_path)
    applied(catalog, host, service)
    before, pid = config_file().read_text(), service.state().pid
    publish_adapter(catalog, micro_model, tmp_path, seed=2)
    misbehave(**switch)
    with pytest.raises(NotDeployed, match=said) as refused:
        applied(catalog, host, service)
    assert "What was served before is served again" in refused.value.message
    assert config_file().read_text() == before
    assert served(host) == ["base", "demo.v1"]
    assert service.state().pid == pid
    assert [row.state for row in catalog.deployments.all()] == ["failed", "serving"]
    misbehave()
    assert applied(catalog, host, service) is not None


def test_failed_restart_goes_back_to_what_served(catalog: Catalog, micro_model: Path, tmp_path: Path) -> None:
    host = stand_in_host(tmp_path, over_socket=False)
    publish_adapter(catalog, micro_model, tmp_path)
    with foreground(host) as service:
        applied(catalog, host, service)
        publish_adapter(catalog, micro_model, tmp_path, seed=2)
        misbehave(wrong=["demo.v2"])
        with pytest.raises(NotDeployed, match="What was served before is served again"):
            applied(catalog, host, service)
        assert served(host) == ["base", "demo.v1"]


def test_a_generation_serves_at_its_own_address_under_its_own_name(
    catalog: Catalog, host: HostConfig, service: Foreground, micro_model: Path, tmp_path: Path
) -> None:
    publish_adapter(catalog, micro_model, tmp_path)
    applied(catalog, host, service)
    elsewhere = host.serving.model_copy(
        update={"listen": f"127.0.0.1:{free_port()}", "served_name": "other", "dtype": "float16"}
    )
    moved = host.model_copy(update={"serving": elsewhere})
    publish_adapter(catalog, micro_model, tmp_path, seed=2)
    misbehave(dies=True)
    with pytest.raises(NotDeployed, match="told to die"):  # and the old one cannot come back either
        applied(catalog, moved, service)
    misbehave(dies_with=["demo.v2"])
    service.begin()
    with pytest.raises(NotDeployed, match="What was served before is served again"):
        applied(catalog, moved, service)
    assert served(host) == ["base", "demo.v1"]
    assert read_status(catalog, moved, service).good  # which asks the one that serves

    misbehave()
    applied(catalog, moved, service)
    assert served(moved) == ["other", "demo.v2"]
    outcome = roll_back(catalog, moved, service, generation_before(catalog), lambda *_: None)
    assert [probe.name for probe in outcome.probes] == ["base", "demo.v1"]
    assert served(host) == ["base", "demo.v1"]
    roll_back(catalog, host, service, generation_before(catalog), lambda *_: None)
    assert served(moved) == ["other", "demo.v2"]


def test_first_start_that_fails_leaves_nothing_behind(
    catalog: Catalog, host: HostConfig, service: Foreground, micro_model: Path, tmp_path: Path
) -> None:
    publish_adapter(catalog, micro_model, tmp_path)
    misbehave(dies=True)
    with pytest.raises(NotDeployed, match=r"told to die\n.*vLLM was stopped"):
        applied(catalog, host, service)
    assert not config_file().exists()
    assert service.state().phase == "stopped"


def test_rollback_serves_the_generation_before(
    catalog: Catalog, host: HostConfig, service: Foreground, micro_model: Path, tmp_path: Path
) -> None:
    publish_adapter(catalog, micro_model, tmp_path)
    applied(catalog, host, service)
    with pytest.raises(UsageError, match="Nothing was served before"):
        generation_before(catalog)
    publish_adapter(catalog, micro_model, tmp_path, seed=2)
    applied(catalog, host, service)
    roll_back(catalog, host, service, generation_before(catalog), lambda *_: None)
    assert served(host) == ["base", "demo.v1"]
    states = [(row.id, row.state) for row in catalog.deployments.all()]
    assert states == [(3, "serving"), (2, "replaced"), (1, "replaced")]


def test_killed_apply_is_made_good_by_the_next(
    catalog: Catalog, host: HostConfig, service: Foreground, micro_model: Path, tmp_path: Path
) -> None:
    publish_adapter(catalog, micro_model, tmp_path)
    applied(catalog, host, service)
    publish_adapter(catalog, micro_model, tmp_path, seed=2)
    killed = plan_deployment(catalog, host, service)
    catalog.deployments.add(killed.base, killed.yaml, killed.unit, killed.versions, state="applying")
    config_file().write_text(killed.yaml)  # and then it was killed: vLLM still serves the old one
    assert plan_deployment(catalog, host, service).change.kind == "restart"
    outcome = applied(catalog, host, service)
    assert outcome is not None
    assert [probe.name for probe in outcome.probes] == ["base", "demo.v2"]
    assert served(host) == ["base", "demo.v2"]
    assert [row.state for row in catalog.deployments.all()] == ["serving", "failed", "replaced"]


def test_adapter_that_a_killed_apply_left_loaded_is_probed(
    catalog: Catalog, host: HostConfig, service: Foreground, micro_model: Path, tmp_path: Path
) -> None:
    publish_adapter(catalog, micro_model, tmp_path)
    applied(catalog, host, service)
    left = publish_adapter(catalog, micro_model, tmp_path, seed=2)
    with Endpoint(parse_address(host.serving.listen)) as endpoint:
        endpoint.load_adapter("demo.v2", str(left.local_path))
    misbehave(wrong=["demo.v2"])
    with pytest.raises(NotDeployed, match=r"demo\.v2 answers"):
        applied(catalog, host, service)


def test_apply_that_fails_after_a_stop_leaves_it_stopped_for_the_next_boot(
    catalog: Catalog, host: HostConfig, service: Foreground, micro_model: Path, tmp_path: Path
) -> None:
    publish_adapter(catalog, micro_model, tmp_path)
    applied(catalog, host, service)
    stop(catalog, service)
    before = config_file().read_text()
    publish_adapter(catalog, micro_model, tmp_path, seed=2)
    misbehave(dies=True)
    with pytest.raises(NotDeployed, match="stopped before, and is stopped again"):
        applied(catalog, host, service)
    assert config_file().read_text() == before
    misbehave()
    assert generation_before(catalog).id == 1
    roll_back(catalog, host, service, generation_before(catalog), lambda *_: None)
    assert served(host) == ["base", "demo.v1"]


def test_rollback_looks_before_it_acts(
    catalog: Catalog, host: HostConfig, service: Foreground, micro_model: Path, tmp_path: Path
) -> None:
    first = publish_adapter(catalog, micro_model, tmp_path)
    applied(catalog, host, service)
    publish_adapter(catalog, micro_model, tmp_path, seed=2)
    applied(catalog, host, service)
    config_file().write_text(config_file().read_text() + "max-num-seqs: 4\n")
    with pytest.raises(CheckFailed, match="edited by hand"):
        roll_back(catalog, host, service, generation_before(catalog), lambda *_: None)
    first.local_path.chmod(0o755)
    shutil.rmtree(first.local_path)
    with pytest.raises(CheckFailed, match=r"demo\.v1 in .* cannot be served"):
        roll_back(catalog, host, service, generation_before(catalog), lambda *_: None, overwrite=True)
    assert served(host) == ["base", "demo.v2"]


def test_damage_of_a_served_adapter_is_seen_before_a_restart(
    catalog: Catalog, host: HostConfig, service: Foreground, micro_model: Path, tmp_path: Path
) -> None:
    served_one = publish_adapter(catalog, micro_model, tmp_path)
    applied(catalog, host, service)
    weights = served_one.local_path / "adapter_model.safetensors"
    weights.chmod(0o644)
    content = bytearray(weights.read_bytes())
    content[-1] ^= 0xFF
    weights.write_bytes(content)
    slots = host.model_copy(update={"serving": host.serving.model_copy(update={"max_loras": 7})})
    planned = plan_deployment(catalog, slots, service)
    assert planned.change.kind == "restart"
    assert [check.name for check in planned.checks if not check.ok] == ["demo.v1"]


def test_edited_yaml_is_never_overwritten_without_a_word(
    catalog: Catalog, host: HostConfig, service: Foreground, micro_model: Path, tmp_path: Path
) -> None:
    publish_adapter(catalog, micro_model, tmp_path)
    applied(catalog, host, service)
    config_file().write_text(config_file().read_text() + "max-num-seqs: 4\n")
    with pytest.raises(CheckFailed, match="edited by hand"):
        applied(catalog, host, service)
    applied(catalog, host, service, overwrite=True)
    (kept,) = config_file().parent.glob("vllm.yaml.edited-*")
    assert "max-num-seqs" in kept.read_text()
    assert "max-num-seqs" not in config_file().read_text()


def test_deleted_adapter_is_refused_before_vllm_hears_of_it(
    catalog: Catalog, host: HostConfig, service: Foreground, micro_model: Path, tmp_path: Path
) -> None:
    done = publish_adapter(catalog, micro_model, tmp_path)
    done.local_path.chmod(0o755)
    shutil.rmtree(done.local_path)
    with pytest.raises(StorageError, match=r"demo\.v1 is published, but its directory .* is gone") as gone:
        applied(catalog, host, service)
    assert "--only" in gone.value.hint
    assert catalog.deployments.all() == []
