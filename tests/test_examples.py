"""Every configuration that ships is valid."""

from __future__ import annotations

from pathlib import Path

import pytest

from duotune.config.load import load_run_config

EXAMPLES = sorted((Path(__file__).parents[1] / "examples").glob("*.toml"))


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.name)
def test_example_loads(file: Path) -> None:
    config = load_run_config(file)
    assert all(Path(project.source).is_absolute() for project in config.projects)


def test_there_are_examples() -> None:
    assert "quickstart.toml" in {file.name for file in EXAMPLES}
