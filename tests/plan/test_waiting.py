"""A plan says that a run will wait for another, before it is started."""

from __future__ import annotations

from pathlib import Path

from duotune.config.run import ProjectConfig
from duotune.plan.resolve import plan
from duotune.runs.lease import GpuLease, leased_device
from support.projects import make_project
from support.runs import run_config


def test_a_run_that_has_the_device_is_named_while_it_has_it(tmp_path: Path) -> None:
    source = make_project(tmp_path / "shop", "json")
    config = run_config().model_copy(update={"projects": [ProjectConfig(name="shop", source=str(source))]})
    lease = GpuLease.try_acquire(leased_device(), "20260101-000000-other")
    assert lease is not None
    held = [check for check in plan(config).checks if check.name == "device"]
    lease.release()
    free = [check for check in plan(config).checks if check.name == "device"]
    assert [check.status for check in held] == ["warning", "warning"]
    assert "run 20260101-000000-other is at work on it; this one waits" in held[-1].detail
    assert held[:1] == free
