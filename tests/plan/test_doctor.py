"""What the doctor finds on a host, and what it advises."""

from __future__ import annotations

from pathlib import Path

import pytest

from duotune import paths
from duotune.adapters.verify import Check
from duotune.config.host import DefaultsConfig, HostConfig
from duotune.plan.doctor import look_around
from support.s3 import S3Server


def look(**defaults: str) -> dict[str, Check]:
    found = look_around(HostConfig(defaults=DefaultsConfig(**defaults)))
    assert len({check.name for check in found}) == len(found)
    return {check.name: check for check in found}


def test_this_host_is_told_with_what_to_do_where_something_is_missing() -> None:
    found = look()
    assert {"device", "torch", "git", "permissions", "disk", "vLLM", "service"} <= found.keys()
    assert found["torch"].detail.startswith("2.")
    assert found["git"].ok
    assert not found["vLLM"].ok
    line = '`executable = "/opt/vllm/bin/vllm"` below [serving]'
    assert f"{line} in {paths.host_config_file()}" in found["vLLM"].detail


def test_a_missing_git_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not look()["git"].ok
    assert "install it" in look()["git"].detail


def test_a_home_that_others_can_read_is_worth_a_warning(tmp_path: Path) -> None:
    home = paths.home()
    home.mkdir(mode=0o755)
    home.chmod(0o755)
    assert look()["permissions"].warning
    assert "chmod o=" in look()["permissions"].detail
    home.chmod(0o750)
    assert not look()["permissions"].warning


def test_default_locations_are_tried(server: S3Server, tmp_path: Path) -> None:
    good = look(adapter_location="s3://models/adapters", data_location=str(tmp_path))
    assert good["adapter location"].ok
    assert good["data location"].ok
    bad = look(adapter_location="s3://nowhere/adapters")["adapter location"]
    assert not bad.ok
    assert "nowhere" in bad.detail
    assert f"`adapter_location` below [defaults] in {paths.host_config_file()}" in bad.detail


def test_a_clock_that_nobody_keeps_right_is_worth_a_warning(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for answer, warned in (("no", True), ("yes", False)):
        program = tmp_path / "timedatectl"
        program.write_text(f"#!/bin/sh\necho {answer}\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
        assert look()["clock"].warning is warned
