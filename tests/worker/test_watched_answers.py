"""Answers during a training: they are journaled for the curves, and change nothing of the adapter."""

from __future__ import annotations

import hashlib
from pathlib import Path

from duotune.config.run import RunConfig
from duotune.runs.directory import RunDirectory, create_run
from duotune.runs.events import MetricsMeasured
from duotune.runs.journal import read_events
from support.projects import make_project, small_run
from support.workers import start_worker


def trained(config: RunConfig, watched: int) -> RunDirectory:
    evaluation = config.evaluation.model_copy(update={"watched_items": watched})
    run = create_run(config.model_copy(update={"evaluation": evaluation}), until="train")
    worker = start_worker(run)
    assert worker.wait() == 0, run.log_file.read_text()[-3000:]
    return run


def curve(run: RunDirectory, metric: str) -> list[tuple[int, float]]:
    events = read_events(run.journal_file).events
    return [(e.step, e.values[metric]) for e in events if isinstance(e, MetricsMeasured) and metric in e.values]


def weights(run: RunDirectory) -> str:
    (file,) = (run.path / "training" / "adapter").glob("*.safetensors")
    return hashlib.sha256(file.read_bytes()).hexdigest()


def test_answers_are_journaled_at_each_validation_and_the_adapter_is_the_same_without(
    tmp_path: Path, micro_model: Path
) -> None:
    config = small_run(make_project(tmp_path / "code", "json", "logging"), micro_model)
    config = config.model_copy(update={"lora": config.lora.model_copy(update={"lora_dropout": 0.2})})
    watching, alone = trained(config, 4), trained(config, 0)
    similar, bad = curve(watching, "edit_similarity"), curve(watching, "bad_responses")
    assert [step for step, _ in similar] == [step for step, _ in bad] == [0, 2, 4, 6, 8]
    assert all(0 <= share <= 1 and share * 4 == int(share * 4) for _, share in bad)
    assert all(0 <= value <= 1 for _, value in similar)
    assert curve(alone, "edit_similarity") == []
    assert curve(watching, "validation_loss") == curve(alone, "validation_loss")
    assert weights(watching) == weights(alone)
