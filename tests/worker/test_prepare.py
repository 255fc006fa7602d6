"""Preparation ends where training would find nothing."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from duotune.data.combine import Dataset, combine
from duotune.errors import UsageError
from duotune.runs.directory import RunDirectory, create_run
from duotune.runs.journal import Journal
from duotune.runs.reporter import JournalReporter
from duotune.worker import prepare
from duotune.worker.stages import RunInProgress
from support.projects import make_project, small_run


def test_only_work_of_an_earlier_run_is_said_to_be_used_again(tmp_path: Path, micro_model: Path) -> None:
    config = small_run(make_project(tmp_path / "code"), micro_model)

    def attempt(run: RunDirectory) -> tuple[bool, bool]:
        with Journal(run.journal_file) as journal:
            before = run.state()
            report = JournalReporter(journal, before.decisions, threading.Event())
            result = prepare.run(RunInProgress(run, journal, report, before), config)
        return result.projects[0].reused, result.reused

    first, second = create_run(config), create_run(config)
    assert attempt(first) == (False, False)
    assert attempt(first) == (False, False)
    assert attempt(second) == (True, True)


def test_a_train_split_without_rows_is_refused_before_training(
    tmp_path: Path, micro_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def without_rows(*arguments: Any) -> Dataset:
        return replace(combine(*arguments), train_rows=0)

    monkeypatch.setattr(prepare, "combine", without_rows)
    run = create_run(small_run(make_project(tmp_path / "code"), micro_model))
    with Journal(run.journal_file) as journal:
        report = JournalReporter(journal, {}, threading.Event())
        with pytest.raises(UsageError, match=r"the \d+ files of the train split gave no example") as error:
            prepare.run(RunInProgress(run, journal, report, run.state()), run.read_config())
    assert "data.recipes" in error.value.hint
