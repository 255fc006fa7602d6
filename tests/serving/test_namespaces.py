"""Whether systemd may make user namespaces: the kernel's limit for the system's, a try for a user's."""

from __future__ import annotations

from pathlib import Path

import pytest

from duotune.runs.systemd import Manager
from duotune.serving import namespaces
from duotune.serving.namespaces import may_make_user_namespaces


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


@pytest.mark.parametrize("status", [0, 1])
def test_users_one_is_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    asked = tmp_path / "asked"
    command = tmp_path / "systemd-run"
    command.write_text(f'#!/bin/sh\necho "$@" > {asked}\nexit {status}\n')
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert may_make_user_namespaces(Manager(user=True)) is (status == 0)
    assert "--user" in asked.read_text()
    assert "PrivateUsers=yes" in asked.read_text()
