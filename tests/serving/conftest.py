"""A host that serves over a socket: its catalog, its configuration, and the stand-in for vLLM as a child."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from duotune.catalog.catalog import Catalog, open_catalog
from duotune.config.host import HostConfig
from duotune.serving.foreground import Foreground
from support.serving import foreground, stand_in_host


@pytest.fixture
def catalog() -> Iterator[Catalog]:
    with open_catalog() as catalog:
        yield catalog


@pytest.fixture
def host(tmp_path: Path) -> HostConfig:
    return stand_in_host(tmp_path)


@pytest.fixture
def service(host: HostConfig) -> Iterator[Foreground]:
    with foreground(host) as service:
        yield service
