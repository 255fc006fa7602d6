"""Fixtures of the tests of adapters."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from duotune.catalog.catalog import Catalog, open_catalog
from duotune.models.shape import ModelShape, read_shape
from support.publishing import Publisher


@pytest.fixture(scope="module")
def shape(micro_model: Path) -> ModelShape:
    return read_shape(micro_model)


@pytest.fixture
def catalog() -> Iterator[Catalog]:
    with open_catalog() as catalog:
        yield catalog


@pytest.fixture
def publisher(shape: ModelShape, catalog: Catalog, tmp_path: Path) -> Publisher:
    return Publisher(shape, catalog, tmp_path)
