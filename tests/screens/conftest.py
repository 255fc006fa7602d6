"""Fixtures of the tests of the app."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.app import SIZES
from support.shelf import Shelf


@pytest.fixture
def shelf(micro_model: Path, tmp_path: Path) -> Shelf:
    """Publishes adapters of the micro model."""
    return Shelf(micro_model, tmp_path / "shelf")


@pytest.fixture(params=SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def size(request: pytest.FixtureRequest) -> tuple[int, int]:
    """Columns and rows of the terminal."""
    found: tuple[int, int] = request.param
    return found
