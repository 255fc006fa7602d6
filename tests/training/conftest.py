"""Fixtures of the tests of training."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.packed import build_packed_dataset


@pytest.fixture(scope="session")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small dataset that an adapter learns quickly; nothing writes into it."""
    return build_packed_dataset(tmp_path_factory.mktemp("packed") / "dataset")
