"""A training that was broken off goes on from its newest sound checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from duotune.runs.reporter import SilentReporter, Stopped
from duotune.training.checkpoints import newest
from support.packed import build_packed_dataset
from support.trainings import digest, run_training


def test_a_stop_leaves_a_checkpoint_and_the_resumed_run_ends_with_the_same_bytes(
    dataset: Path, micro_model: Path, tmp_path: Path
) -> None:
    undisturbed = run_training(dataset, micro_model, tmp_path / "a", training={"eval_steps": 4})

    class StopsAtFive(SilentReporter):
        def progress(self, phase: str, done: int, total: int, unit: str) -> None:
            self.stop_requested = done == 5

    report = StopsAtFive()
    with pytest.raises(Stopped):
        run_training(dataset, micro_model, tmp_path / "b", report, training={"eval_steps": 4})
    assert report.checkpoints[-1][0] == 5
    resumed = run_training(dataset, micro_model, tmp_path / "b", training={"eval_steps": 4})
    assert digest(resumed.adapter) == digest(undisturbed.adapter)
    assert resumed.train_loss == undisturbed.train_loss
    assert resumed.tokens == undisturbed.tokens


def test_dropout_too_is_the_same_after_a_resume(dataset: Path, micro_model: Path, tmp_path: Path) -> None:
    settings: dict[str, dict[str, Any]] = {"lora": {"lora_dropout": 0.3}, "training": {"eval_steps": 4}}
    undisturbed = run_training(dataset, micro_model, tmp_path / "a", **settings)
    with pytest.raises(Stopped):
        run_training(dataset, micro_model, tmp_path / "b", SilentReporter(stop_requested=True), **settings)
    torch.rand(17)
    assert digest(run_training(dataset, micro_model, tmp_path / "b", **settings).adapter) == digest(undisturbed.adapter)


@pytest.mark.parametrize("damaged", ["adapter_model.safetensors", "state.json", "digests.json"])
def test_a_damaged_checkpoint_is_passed_over_with_a_warning(
    dataset: Path, micro_model: Path, tmp_path: Path, damaged: str
) -> None:
    result = run_training(dataset, micro_model, tmp_path, training={"eval_steps": 4})
    before = digest(result.adapter)
    last = sorted((tmp_path / "checkpoints").glob("step-*"))[-1] / damaged
    last.write_bytes(last.read_bytes()[:-9] + b"x" * 8)
    report = SilentReporter()
    again = run_training(dataset, micro_model, tmp_path, report, training={"eval_steps": 4})
    assert "step-000012 is damaged" in report.warnings[0]
    assert report.progressed[0] == ("train", 8, 12, "steps")
    assert digest(again.adapter) == before


def test_only_the_newest_two_checkpoints_stay(dataset: Path, micro_model: Path, tmp_path: Path) -> None:
    run_training(dataset, micro_model, tmp_path, training={"eval_steps": 2})
    names = sorted(path.name for path in (tmp_path / "checkpoints").iterdir())
    assert names == ["step-000010", "step-000012"]


def test_a_finished_training_answers_again_without_training(dataset: Path, micro_model: Path, tmp_path: Path) -> None:
    first = run_training(dataset, micro_model, tmp_path)
    report = SilentReporter()
    assert run_training(tmp_path / "gone" / dataset.name, tmp_path / "no model", tmp_path, report) == first
    assert report.measured == []


@pytest.mark.parametrize("ended", [True, False])
def test_checkpoints_of_another_dataset_are_not_gone_on_from(
    dataset: Path, micro_model: Path, tmp_path: Path, ended: bool
) -> None:
    other = build_packed_dataset(tmp_path / "other", rows=30)
    settings = {"max_steps": 4, "save_steps": 1}
    if ended:
        run_training(other, micro_model, tmp_path / "run", training={**settings, "max_steps": 6})
    else:
        with pytest.raises(Stopped):
            run_training(other, micro_model, tmp_path / "run", SilentReporter(stop_requested=True), training=settings)
    report = SilentReporter()
    result = run_training(dataset, micro_model, tmp_path / "run", report, training=settings)
    assert "another dataset" in report.warnings[0]
    assert digest(result.adapter) == digest(
        run_training(dataset, micro_model, tmp_path / "b", training=settings).adapter
    )
    names = sorted(path.name for path in (tmp_path / "run" / "checkpoints").iterdir())
    assert names == ["step-000003", "step-000004"]


def test_a_half_written_checkpoint_is_never_seen_and_is_swept_away(
    dataset: Path, micro_model: Path, tmp_path: Path
) -> None:
    part = tmp_path / "checkpoints" / ".step-000004.part"
    part.mkdir(parents=True)
    (part / "adapter_model.safetensors").write_bytes(b"torn")
    assert newest(tmp_path / "checkpoints", pytest.fail) is None
    old = tmp_path / ".adapter.old"
    old.mkdir()
    report = SilentReporter(stop_requested=True)
    with pytest.raises(Stopped):
        run_training(dataset, micro_model, tmp_path, report, training={"eval_steps": 4})
    assert not part.exists()
    assert not old.exists()
    assert run_training(dataset, micro_model, tmp_path, training={"eval_steps": 4}).steps == 12
