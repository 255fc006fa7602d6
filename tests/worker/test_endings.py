"""How a worker ends: asked to stop, without its terminal, with a full disk, without its directory."""

from __future__ import annotations

import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from duotune.errors import ExitCode
from duotune.runs.directory import create_run
from duotune.runs.events import MetricsMeasured, StageStarted
from support.disks import small_disk_at
from support.projects import make_project, small_run
from support.workers import start_worker, wait_for_event


def test_sigterm_stops_at_a_step_with_a_checkpoint_and_sighup_does_nothing(tmp_path: Path, micro_model: Path) -> None:
    run = create_run(small_run(make_project(tmp_path / "code"), micro_model, max_steps=100_000, save_steps=50_000))
    worker = start_worker(run)
    wait_for_event(run, lambda event: isinstance(event, MetricsMeasured), worker)
    worker.send_signal(signal.SIGHUP)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(timeout=120) == ExitCode.OK
    state = run.state()
    assert state.state == "stopped"
    assert state.checkpoint is not None
    assert 0 < state.checkpoint.step < 100_000
    assert Path(state.checkpoint.path).is_dir()


def test_vanished_dataset_is_prepared_again_on_resume(tmp_path: Path, micro_model: Path) -> None:
    run = create_run(small_run(make_project(tmp_path / "code"), micro_model), until="prepare")
    assert start_worker(run).wait(timeout=120) == ExitCode.OK
    dataset = run.state().dataset
    assert dataset is not None
    shutil.rmtree(dataset)
    assert start_worker(run).wait(timeout=120) == ExitCode.OK
    assert Path(dataset, "manifest.json").is_file()


def test_vanished_run_directory_ends_the_worker(tmp_path: Path, micro_model: Path) -> None:
    run = create_run(small_run(make_project(tmp_path / "code"), micro_model, max_steps=100_000))
    worker = start_worker(run)
    wait_for_event(run, lambda event: isinstance(event, StageStarted), worker)
    shutil.rmtree(run.path)
    assert worker.wait(timeout=120) != ExitCode.OK


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own with 1 MB of space."""
    with small_disk_at(tmp_path / "disk") as disk:
        yield disk


def test_full_disk_is_told_in_a_sentence_and_resume_finishes_after_space_is_freed(
    tmp_path: Path, micro_model: Path, small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = small_run(make_project(tmp_path / "code"), micro_model)
    ballast = small_disk / "ballast"
    monkeypatch.setenv("DUOTUNE_HOME", str(small_disk / "home"))
    run = create_run(config, until="prepare")
    ballast.write_bytes(b"x" * 850_000)
    assert start_worker(run).wait(timeout=120) == ExitCode.ENVIRONMENT
    state = run.state()
    assert state.state == "failed"
    assert state.error is not None
    assert "No space is left" in state.error.message
    assert "resume" in state.error.hint
    ballast.unlink()
    subprocess.run(["mount", "-o", "remount,size=64m", str(small_disk)], check=True)
    assert start_worker(run).wait(timeout=120) == ExitCode.OK
    assert run.state().state == "finished"
