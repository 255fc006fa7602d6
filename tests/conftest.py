"""Fixtures that several test folders share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.models import build_micro_model

if TYPE_CHECKING:
    from support.s3 import S3Server
    from support.serving_home import ServingHome

# As the worker does: threads that spin while they wait make tests many times slower on a host that has other work.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test has a state directory and configurations of its own."""
    monkeypatch.setenv("DUOTUNE_HOME", str(tmp_path / "duotune-home"))
    monkeypatch.setenv("DUOTUNE_HOST_CONFIG", str(tmp_path / "duotune.toml"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


@pytest.fixture(scope="session")
def micro_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Directory of a random Qwen2 model of 2 layers with Qwen2.5-Coder's control tokens."""
    return build_micro_model(tmp_path_factory.mktemp("micro-model"))


@pytest.fixture(scope="module")
def running_server() -> Iterator[S3Server]:
    """An S3 server; `server` leads a test to it."""
    from support.s3 import S3Server

    server = S3Server()
    yield server
    server.stop()


@pytest.fixture
def server(running_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> S3Server:
    """An S3 server that holds one empty bucket, `models`, and that the environment leads to."""
    from support.s3 import lead_to

    lead_to(running_server, monkeypatch, "models")
    return running_server


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ServingHome]:
    """A home that serves over the stand-in for vLLM, and that this process uses too."""
    from support.serving_home import serve_over_stand_in

    with serve_over_stand_in(tmp_path, monkeypatch) as home:
        yield home


@pytest.fixture
def halted(home: ServingHome) -> Iterator[None]:
    """Lets go on in the end what a test has halted of a change of what is served."""
    from duotune.serving.request import under_way
    from support.changes import go_on

    yield
    if (request := under_way()) is not None:
        go_on(request)
