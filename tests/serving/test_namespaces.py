"""Whether systemd may make user namespaces: the kernel's limit for the system's, a try for a user's."""

from __future__ import annotations

from pathlib import Path

import pytest

from duotune.config.host import ServingConfig
from duotune.runs.systemd import Manager
from duotune.serving import namespaces
from duotune.serving.namespaces import may_make_user_namespaces
from duotune.serving.systemd import SystemdService
from duotune.serving.unit import render


@pytest.mark.parametrize(("limit", "may"), [("0\n", False), ("96343\n", True), (None, True)])
def test_systems_one_may_unless_the_kernel_allows_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str | None, may: bool
) -> None:
    file = tmp_path / "max_user_namespaces"
    if limit is not None:
        file.write_text(limit)
    monkeypatch.setattr(namespaces, "LIMIT", file)
    monkeypatch.setattr(namespaces, "OWN_NAMESPACE", tmp_path)
    assert may_make_user_namespaces(Manager(user=False)) is may


def test_systems_one_may_not_where_the_kernel_has_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(namespaces, "OWN_NAMESPACE", tmp_path / "none")
    assert not may_make_user_namespaces(Manager(user=False))


@pytest.mark.parametrize(("status", "may"), [(0, True), (226, False), (217, False), (1, None)])
def test_users_one_is_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: int, may: bool | None) -> None:
    asked = tmp_path / "asked"
    command = tmp_path / "systemd-run"
    command.write_text(f'#!/bin/sh\necho "$@" > {asked}\nexit {status}\n')
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert may_make_user_namespaces(Manager(user=True)) is may
    assert "--user" in asked.read_text()
    assert "PrivateUsers=yes" in asked.read_text()


def test_busy_moment_does_not_cost_vllm_its_confinement(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setattr("duotune.serving.systemd.may_make_user_namespaces", lambda _: None)
    units = tmp_path / "systemd" / "user"
    units.mkdir(parents=True)

    def service() -> SystemdService:
        return SystemdService(Manager(user=True), "vllm.service", "pause.target")

    assert not service().confines
    (units / "vllm.service").write_text(render(tmp_path / "vllm.yaml", ServingConfig(), user_manager=True))
    assert service().confines
