"""A tokenizer with control tokens, and folders of real source to prepare."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from duotune.models.tokenizer import CodeTokenizer, load_tokenizer
from support.models import build_tokenizer
from support.preparing import MODULES, STANDARD_LIBRARY


@pytest.fixture(scope="session")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> CodeTokenizer:
    """A small byte-level tokenizer with Qwen2.5-Coder's control tokens."""
    directory = tmp_path_factory.mktemp("tokenizer")
    build_tokenizer(directory)
    return load_tokenizer(directory)


@pytest.fixture
def modules(tmp_path: Path) -> Callable[[str, Iterable[str]], Path]:
    """Makes a folder of that name with copies of standard library modules."""

    def make(name: str, names: Iterable[str] = MODULES) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        for module in names:
            shutil.copy(STANDARD_LIBRARY / f"{module}.py", folder)
        return folder

    return make
