"""`duotune adapters export` and `merge`: what goes to which stream, and the run that merging is."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from duotune import paths
from duotune.cli.main import run
from duotune.runs.directory import create_run, find_run
from duotune.runs.events import MergeOrder, RunFinished, RunStarted, StageFinished, StageStarted
from duotune.runs.results import Merged
from support.disks import small_disk_at
from support.merging import publish_adapter
from support.runs import run_config
from support.shelf import Shelf
from support.watched import write
from support.workers import wait_until


@pytest.fixture
def shelf(micro_model: Path, tmp_path: Path) -> Shelf:
    """Publishes adapters of the micro model."""
    return Shelf(micro_model, tmp_path / "shelf")


def test_export_tells_bytes_and_place_and_refuses_what_is_there(
    shelf: Shelf, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf.publish("shop", "billing")
    monkeypatch.chdir(tmp_path)
    assert run(["adapters", "export", "shop", "out", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["adapter"] == "shop.v1"
    assert document["directory"] == str(tmp_path / "out")
    assert document["files"] == {file.name: file.stat().st_size for file in (tmp_path / "out").iterdir()}
    assert document["bytes"] == sum(document["files"].values())
    assert run(["adapters", "export", "shop", "out"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "is there already, and is not empty" in said.err
    assert run(["adapters", "export", "shop.v1", "again"]) == 0
    said = capsys.readouterr()
    assert f"Exported shop.v1 to {tmp_path}/again: 3 files" in said.out
    assert "names the projects" in said.err


def test_what_is_withheld_is_neither_exported_nor_merged(
    shelf: Shelf, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shelf.publish("shop", "billing", verdict="harmful")
    for command in ("export", "merge"):
        assert run(["adapters", command, "shop", str(tmp_path / "out")]) == 2
        assert "shop.v1 is withheld" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    assert not paths.runs().exists()


def test_merge_is_a_run_that_is_watched_to_its_proof(
    micro_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    publish_adapter(micro_model, tmp_path)
    target = tmp_path / "merged"
    assert run(["adapters", "merge", "shop", str(target), "--json"]) == 0
    said = capsys.readouterr()
    state = json.loads(said.out.splitlines()[-1])
    assert (state["kind"], state["name"], state["state"]) == ("merge", "merge-shop.v1", "finished")
    assert state["order"] == {
        "adapter": "shop.v1",
        "manifest_sha256": state["order"]["manifest_sha256"],
        "directory": str(target),
    }
    proof = state["results"]["merge"]["proof"]
    assert proof["tokens"] == 72
    assert proof["distance"] < proof["tolerance"] == 0.1
    assert "Merging shop.v1 into a whole copy of micro" in said.err
    assert run(["status", "merge-shop.v1"]) == 0
    told = capsys.readouterr()
    assert f"Merged shop.v1 into its base model: {target}" in told.out
    assert "72 tokens of 6 recorded answers" in told.out
    assert f"vllm serve {target}" in told.err
    assert run(["runs"]) == 0
    assert "merge" in capsys.readouterr().out
    assert run(["adapters", "merge", "shop", str(target)]) == 2
    assert "is not empty" in capsys.readouterr().err
    assert run(["adapters", "merge", "shop", str(tmp_path / "second"), "--detach"]) == 0
    said = capsys.readouterr()
    assert "Merging shop.v1 into a whole copy of micro" in said.err
    assert ", and about" in said.err  # it was measured
    wait_until(lambda: find_run("merge-shop.v1").state().ended, "the detached merge ends")
    assert (tmp_path / "second" / "duotune.json").is_file()


def test_the_umask_of_the_shell_holds_for_what_is_exported(shelf: Shelf, tmp_path: Path) -> None:
    shelf.publish("shop", "billing")
    command = [sys.executable, "-m", "duotune", "adapters", "export", "shop", str(tmp_path / "out")]
    subprocess.run(command, umask=0o077, check=True)
    assert (tmp_path / "out").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "out" / "manifest.json").stat().st_mode & 0o777 == 0o600


def test_a_place_of_odd_characters_is_quoted_and_reaches_no_terminal_raw(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = "/srv/my models/\x1b]0;title\x07"
    order = MergeOrder(adapter="shop.v1", manifest_sha256="f", directory=where)
    merge = create_run(run_config("merge-shop"), kind="merge", order=order)
    result = Merged(version="shop.v1", directory=where, bytes=1, layers=1, left_out=[], proof=None)
    done = StageFinished(stage="merge", result=result.model_dump(mode="json"))
    write(merge, RunStarted(pid=1, process_start=1, attempt=1), StageStarted(stage="merge"), done, RunFinished())
    assert run(["status", merge.id]) == 0
    said = capsys.readouterr()
    assert "\x1b" not in said.out + said.err
    assert r"`vllm serve '/srv/my models/\x1b]0;title\x07'`" in said.err


@pytest.mark.parametrize("name", ["[/x]", "[bold]shop", "\x1b]0;title\x07"])
def test_a_name_that_looks_like_markup_is_told_on_a_terminal(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    assert run(["adapters", "merge", name, str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err
    assert "Traceback" not in said
    assert "]0;title\x07" not in said


def test_a_merge_that_cannot_fit_makes_no_run(
    micro_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    publish_adapter(micro_model, tmp_path)
    with small_disk_at(tmp_path / "disk") as disk:
        assert run(["adapters", "merge", "shop", str(disk / "merged")]) == 3
    assert "There is no room for" in capsys.readouterr().err
    assert not paths.runs().exists()


def test_an_adapter_whose_settings_nobody_knows_any_more_merges_all_the_same(micro_model: Path, tmp_path: Path) -> None:
    from duotune.plan.merge import plan_merge

    publish_adapter(micro_model, tmp_path, config={"lora": {"of": "another age"}})
    config = plan_merge("shop").config
    assert (config.name, config.model.path) == ("merge-shop.v1", str(micro_model))
