"""What the plan finds out about a project before anything starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from duotune.plan.checks import look_at_project
from duotune.plan.records import Check
from support.projects import small_run, standard_library
from support.repositories import make_repository


@pytest.mark.parametrize("history", [True, False])
def test_a_split_by_time_needs_a_history(tmp_path: Path, history: bool) -> None:
    folder = tmp_path / "code"
    files = {**standard_library("json"), "notes.md": b"Notes about it.\n" * 10, ".gitattributes": b"*.c binary\n" * 9}
    make_repository(folder, files)
    if not history:
        (folder / ".git").rename(tmp_path / "away")
    config = small_run(folder, tmp_path)
    config = config.model_copy(update={"data": config.data.model_copy(update={"held_out_after": "2024-01-31"})})
    checks: list[Check] = []
    found = look_at_project(config.projects[0], config, checks)
    assert (found is not None) is history
    if found:
        assert found.found["Markdown"] == (1, 160)
        assert "Markdown" not in found.languages
    else:
        assert checks[0].status == "refused"
        assert "plain folder without Git history" in checks[0].detail
