"""SIGKILL at any moment, in any stage, then resume: the adapter is byte-equal to that of an undisturbed run."""

from __future__ import annotations

from pathlib import Path

import pytest

from duotune import paths
from duotune.catalog.catalog import open_catalog
from duotune.runs.directory import create_run
from support.mortal import finish, kill_at
from support.projects import make_project, small_run

MOMENTS = [
    "event.type == 'run_started'",
    "event.type == 'stage_started' and event.stage == 'prepare'",
    "event.type == 'progress' and event.phase.startswith('read')",
    "event.type == 'progress' and event.phase.startswith('tokenize')",
    "event.type == 'progress' and event.phase == 'combine'",
    "event.type == 'stage_finished' and event.stage == 'prepare'",
    "event.type == 'stage_started' and event.stage == 'train'",
    "event.type == 'metrics' and 'validation_loss' in event.values",
    "event.type == 'checkpoint_saved' and event.step == 2",
    "event.type == 'metrics' and event.step == 4",
    "event.type == 'checkpoint_saved' and event.step == 6",
    "event.type == 'stage_finished' and event.stage == 'train'",
    "event.type == 'progress' and event.phase == 'base' and event.done > 0",
    "event.type == 'progress' and event.phase == 'adapter' and event.done > 0",
    "event.type == 'stage_finished' and event.stage == 'evaluate'",
    "event.type == 'stage_started' and event.stage == 'publish'",
    "event.type == 'stage_finished' and event.stage == 'publish'",
]
SOME = [MOMENTS[number] for number in (2, 8, 9, 13, 14, 15)]


def files_of(directory: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted(directory.iterdir())}


@pytest.mark.parametrize("moments", [SOME, pytest.param(MOMENTS, marks=pytest.mark.slow)], ids=["some", "all"])
def test_killed_at_many_events_the_adapter_is_byte_equal(
    tmp_path: Path, micro_model: Path, monkeypatch: pytest.MonkeyPatch, moments: list[str]
) -> None:
    config = small_run(make_project(tmp_path / "code"), micro_model)
    undisturbed = finish(create_run(config))
    assert undisturbed.adapter is not None
    monkeypatch.setenv("DUOTUNE_HOME", str(tmp_path / "another-home"))
    run = create_run(config)
    for moment in moments:
        kill_at(run, moment)
        assert run.state().state == "lost"
    resumed = finish(run)
    assert resumed.attempts == len(moments) + 1
    assert resumed.adapter is not None
    assert files_of(Path(resumed.adapter)) == files_of(Path(undisturbed.adapter))
    assert resumed.evaluation == undisturbed.evaluation
    (published,) = (entry for entry in paths.adapters().iterdir() if not entry.name.startswith("."))
    assert published.name == "small.v1"
    weights = "adapter_model.safetensors"
    assert (published / weights).read_bytes() == (Path(undisturbed.adapter) / weights).read_bytes()
    with open_catalog() as catalog:
        assert [version.name for version in catalog.adapters.versions()] == ["small.v1"]
