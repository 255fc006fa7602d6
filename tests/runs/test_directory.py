"""Run directories appear whole, are found by what people type, and stay while they are worked on."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from duotune import paths
from duotune.errors import HostError, UsageError
from duotune.runs.directory import RunDirectory, create_run, find_run, list_runs, remove_run
from duotune.runs.liveness import StateReader
from duotune.runs.lock import try_lock
from support.runs import run_config

NOON = 1_767_268_800.0  # 2026-01-01 12:00:00 UTC


def make(name: str = "shop", at: float = NOON) -> RunDirectory:
    return create_run(run_config(name), clock=lambda: at)


def test_id_is_time_and_name_with_a_number_on_collision() -> None:
    assert [make().id for _ in range(3)] == [
        "20260101-120000-shop",
        "20260101-120000-shop-2",
        "20260101-120000-shop-3",
    ]


def test_frozen_configuration_is_read_back_equal() -> None:
    assert make().read_config() == run_config()


def test_run_knows_its_id_name_and_kind() -> None:
    state = StateReader(make().path, clock=lambda: NOON + 1).read()
    assert (state.run, state.name, state.kind, state.state) == ("20260101-120000-shop", "shop", "train", "queued")


def test_nothing_but_whole_runs_is_left_in_the_folder() -> None:
    make(), make()
    assert sorted(path.name for path in paths.runs().iterdir()) == ["20260101-120000-shop", "20260101-120000-shop-2"]


def test_runs_are_listed_newest_first() -> None:
    ids = [make(at=NOON).id, make("web", NOON + 60).id, make(at=NOON + 120).id]
    assert [run.id for run in list_runs()] == ids[::-1]


def test_run_is_found_by_id_unique_beginning_and_name() -> None:
    first, web, last = make(at=NOON), make("web", NOON + 60), make(at=NOON + 120)
    assert find_run(first.id) == first
    assert find_run("20260101-1201") == web
    assert find_run("shop") == last


def test_ambiguous_beginning_lists_the_runs() -> None:
    make(at=NOON), make("web", NOON)
    with pytest.raises(UsageError, match=r"2 runs begin with '20260101': .*web.*shop|.*shop.*web"):
        find_run("20260101")


def test_unknown_run_names_the_nearest() -> None:
    make("payments")
    with pytest.raises(UsageError, match="no run 'paymets'") as unknown:
        find_run("paymets")
    assert "payments" in unknown.value.hint


def test_unknown_stage_is_refused() -> None:
    with pytest.raises(UsageError, match="no stage 'deploy'"):
        create_run(run_config(), until="deploy")


def test_run_that_is_worked_on_is_not_removed() -> None:
    run = make()
    lock = try_lock(run.lock_file)
    assert lock is not None
    with lock, pytest.raises(UsageError, match=f"being worked on by process {os.getpid()}"):
        remove_run(run)
    assert run.path.exists()
    remove_run(run)
    assert not run.path.exists()
    assert list_runs() == []


@pytest.mark.parametrize("home", ["file", "file/below"])
def test_home_that_is_no_directory_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: str) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("DUOTUNE_HOME", str(tmp_path / home))
    with pytest.raises(HostError, match="No run can be created"):
        make()
