"""An apply that is interrupted, or that fails at a point that nobody foresaw, goes back to what served."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from duotune.catalog.catalog import Catalog
from duotune.catalog.deployments import State
from duotune.config.host import HostConfig
from duotune.errors import ExitCode
from duotune.serving.apply import apply, serve_last_good
from duotune.serving.files import config_file
from duotune.serving.foreground import Foreground
from duotune.serving.planning import plan_deployment
from duotune.serving.rollout import NotDeployed
from duotune.serving.status import read_status
from support.serving import applied, foreground, misbehave, publish_adapter, served


def test_interrupted_apply_goes_back(
    catalog: Catalog, host: HostConfig, service: Foreground, micro_model: Path, tmp_path: Path
) -> None:
    publish_adapter(catalog, micro_model, tmp_path)
    applied(catalog, host, service)
    publish_adapter(catalog, micro_model, tmp_path, seed=2)
    phases = []

    def interrupt(phase: str, detail: str) -> None:
        phases.append(phase)
        if phase == "probing":
            raise KeyboardInterrupt

    planned = plan_deployment(catalog, host, service)
    with pytest.raises(NotDeployed, match=r"interrupted.* served again") as interrupted:
        apply(catalog, host, service, planned, interrupt)
    assert interrupted.value.exit_code == ExitCode.INTERRUPTED
    assert phases[phases.index("probing") + 1] == "going back: to what served before"
    assert all(phase.startswith("going back: ") for phase in phases[phases.index("probing") + 1 :])
    assert served(host) == ["base", "demo.v1"]


@pytest.mark.parametrize("interrupts", [True, False])
def test_failed_start_of_a_foreground_loads_no_old_generation(
    catalog: Catalog, host: HostConfig, micro_model: Path, tmp_path: Path, interrupts: bool
) -> None:
    publish_adapter(catalog, micro_model, tmp_path)
    with foreground(host) as service:
        applied(catalog, host, service)
        before = config_file().read_text()
    publish_adapter(catalog, micro_model, tmp_path, seed=2)
    phases = []

    def tell(phase: str, detail: str) -> None:
        phases.append(phase)
        if phase == "probing" and interrupts:
            raise KeyboardInterrupt

    misbehave(wrong=["demo.v2"])
    with foreground(host) as service:
        with pytest.raises(NotDeployed, match="vLLM is stopped") as failed:
            apply(catalog, host, service, plan_deployment(catalog, host, service), tell)
        assert "served again" not in failed.value.message
        assert "going back: starting vLLM" not in phases
        assert service.state().phase == "stopped"
        assert config_file().read_text() == before
        outcome = serve_last_good(catalog, host, service, lambda *_: None, lambda _: None)
        assert outcome is not None
        assert served(host) == ["base", "demo.v1"]


def test_what_has_just_failed_is_not_tried_again_as_the_last_good_one(
    catalog: Catalog, host: HostConfig, micro_model: Path, tmp_path: Path
) -> None:
    publish_adapter(catalog, micro_model, tmp_path)
    for dies in (False, True):
        misbehave(dies=dies)
        with foreground(host) as service:
            if dies:
                with pytest.raises(NotDeployed):
                    applied(catalog, host, service)
                assert serve_last_good(catalog, host, service, lambda *_: None, lambda _: None) is None
            else:
                applied(catalog, host, service)


@pytest.mark.parametrize("error", [RuntimeError("a bug"), OSError(errno.ENOSPC, "No space left on device")])
def test_whatever_fails_is_gone_back_from(
    catalog: Catalog,
    host: HostConfig,
    service: Foreground,
    micro_model: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
) -> None:
    publish_adapter(catalog, micro_model, tmp_path)
    applied(catalog, host, service)
    publish_adapter(catalog, micro_model, tmp_path, seed=2)
    raised: list[str] = []

    def refuse(number: int, state: State, reason: str = "") -> None:
        raised.append("")
        if len(raised) == 1:
            raise error
        really_set(number, state, reason)

    really_set = catalog.deployments.set_state
    monkeypatch.setattr(catalog.deployments, "set_state", refuse)  # a full disk may have room again later
    monkeypatch.setattr(catalog.deployments, "replace_serving", lambda _: (_ for _ in ()).throw(error))
    said = "a bug" if isinstance(error, RuntimeError) else "No space is left"
    with pytest.raises(NotDeployed, match=f"(?s){said}.*What was served before is served again"):
        applied(catalog, host, service)
    assert served(host) == ["base", "demo.v1"]
    assert [row.state for row in catalog.deployments.all()] == ["failed", "serving"]
    assert read_status(catalog, host, service).interrupted is None
