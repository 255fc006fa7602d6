"""Fixtures that several test folders share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from support.models import build_micro_model

# As the worker does: threads that spin while they wait make tests many times slower on a host that has other work.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test has a state directory and a host configuration of its own."""
    monkeypatch.setenv("DUOTUNE_HOME", str(tmp_path / "duotune-home"))
    monkeypatch.setenv("DUOTUNE_HOST_CONFIG", str(tmp_path / "duotune.toml"))


@pytest.fixture(scope="session")
def micro_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Directory of a random Qwen2 model of 2 layers with Qwen2.5-Coder's control tokens."""
    return build_micro_model(tmp_path_factory.mktemp("micro-model"))
