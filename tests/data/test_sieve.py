"""A sieve judges the same files by other rules as a fresh look would, and reads each file once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from duotune.config.run import DataConfig, ProjectConfig
from duotune.data.sieve import Sieve
from duotune.data.survey import survey
from duotune.sources.open import open_source
from duotune.sources.source import Source
from support.projects import standard_library
from support.repositories import make_repository

RULES: list[dict[str, list[str]]] = [
    {},
    {"languages": ["Python", "Markdown"]},
    {"languages": ["!Python"]},
    {"exclude": ["json/"]},
    {"include": ["*.md", "logging/"], "languages": ["Markdown", "Python"]},
    {},
]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    files = standard_library("json", "logging") | {
        "README.md": b"# Title\n" + b"Some words that explain it.\n" * 20,
        "again.py": standard_library("json")["json/decoder.py"],
        "tool": b"#!/usr/bin/env python3\nprint('a script without an extension, and long enough')\n",
        "keys.py": b'KEY = "ghp_' + b"aB3" * 12 + b'"\n' + b"value = 1\n" * 10,
        "page.h": b"class Page { public: int number() const; };\n" * 4,
        "data.bin": bytes(range(256)),
    }
    make_repository(tmp_path / "code", files)
    return tmp_path / "code"


@pytest.mark.parametrize("data", [DataConfig(), DataConfig(secrets="drop")], ids=["redact", "drop"])
def test_other_rules_give_what_a_fresh_look_gives(source: Path, data: DataConfig) -> None:
    with open_source(str(source)) as opened:
        sieve = Sieve(opened)
    for rules in RULES:
        project = ProjectConfig.model_validate({"source": str(source), **rules})
        sifted = list(sieve.sift(project, data, lambda: open_source(str(source))))
        with open_source(str(source)) as opened:
            fresh = survey(opened, project, data)
        assert sum(file.kept for file in sifted) == fresh.files
        assert sum(file.size for file in sifted if file.kept) == fresh.bytes
        assert len(sifted) == len(sieve.listing)


def test_each_file_is_read_once(source: Path) -> None:
    opened_again = []

    @contextmanager
    def counted() -> Iterator[Source]:
        opened_again.append(1)
        with open_source(str(source)) as opened:
            yield opened

    with open_source(str(source)) as opened:
        sieve = Sieve(opened)
    for rules in RULES:
        project = ProjectConfig.model_validate({"source": str(source), **rules})
        list(sieve.sift(project, DataConfig(), counted))
    assert len(opened_again) == 2  # once for code, once more for the documents that were chosen later


def test_a_look_that_is_not_wanted_any_more_ends_and_is_gone_on_with(source: Path) -> None:
    with open_source(str(source)) as opened:
        sieve = Sieve(opened)
    project = ProjectConfig(source=str(source))
    some = list(sieve.sift(project, DataConfig(), lambda: open_source(str(source)), lambda: False))
    assert not any(file.kept for file in some)
    every = list(sieve.sift(project, DataConfig(), lambda: open_source(str(source))))
    assert sum(file.kept for file in every) > 5
