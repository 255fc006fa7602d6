"""The system install: told before it is done, and only by root."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from duotune import paths
from duotune.config.host import ServingConfig
from duotune.errors import HostError, UsageError
from duotune.serving import install as installing
from duotune.serving.install import install


@pytest.fixture(autouse=True)
def _no_home_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DUOTUNE_HOME")
    monkeypatch.setattr(paths, "SYSTEM_HOME", tmp_path / "lib")
    monkeypatch.setattr(paths, "SYSTEM_HOST_CONFIG", tmp_path / "etc/duotune.toml")
    monkeypatch.setattr(installing, "POLKIT_RULE", tmp_path / "rules.d/60-duotune.rules")


def test_dry_run_names_every_step_and_does_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("duotune.serving.unit.GROUP", "no-such-group")
    monkeypatch.setattr(installing, "USER", "no-such-user")
    steps = list(install(ServingConfig(), dry_run=True))
    assert [step.change for step in steps[:4]] == ["would be made"] * 4
    assert "polkit is not installed" in steps[4].left_out
    assert list(tmp_path.iterdir()) == []


def test_rule_names_our_unit_and_group_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "rules.d").mkdir()
    (tmp_path / "etc").mkdir()
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    for name in ("_group_is_there", "_user_is_there", "_home_is_there"):
        monkeypatch.setattr(installing, name, lambda: True)
    serving = ServingConfig(unit="our-vllm.service")
    assert [step.change for step in install(serving)] == ["", "", "", "", "made", ""]
    rule = installing.POLKIT_RULE.read_text()
    assert 'action.lookup("unit") == "our-vllm.service"' in rule
    assert 'subject.isInGroup("duotune")' in rule
    assert [step.change for step in install(serving)][4] == ""


def test_it_needs_root_and_the_systems_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(HostError, match="needs root"):
        next(install(ServingConfig()))
    monkeypatch.setenv("DUOTUNE_HOME", "/elsewhere")
    with pytest.raises(UsageError, match="another home"):
        next(install(ServingConfig()))
