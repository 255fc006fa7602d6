"""`duotune run` as a user meets it: a whole run, its results on disk, and what outlives the terminal."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from duotune.config.write import dump_toml
from duotune.errors import ExitCode
from duotune.runs.directory import RunDirectory, find_run
from duotune.runs.events import MetricsMeasured
from support.projects import make_project, small_run
from support.repositories import make_repository
from support.workers import wait_for_event, wait_until

REQUIRED = {
    "run", "name", "kind", "state", "directory", "stage", "progress", "eta_seconds", "metrics", "dataset", "adapter",
    "evaluation", "error",
}  # fmt: skip


def duotune(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "duotune", *arguments], capture_output=True, text=True, timeout=280)


def config_file(folder: Path, source: Path, model: Path, name: str = "small", **training: object) -> Path:
    file = folder / f"{name}.toml"
    file.write_text(dump_toml(small_run(source, model, name, **training)))
    return file


def numpy_c_sources() -> dict[str, bytes]:
    import numpy

    root = Path(numpy.__file__).parent
    files = sorted([*root.rglob("*.h"), *root.rglob("*.c")])
    return {file.relative_to(root).as_posix(): file.read_bytes() for file in files}


def last_line(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert done.stdout, done.stderr
    document: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return document


def test_a_run_on_c_leaves_what_it_promises_and_a_second_one_uses_it_again(tmp_path: Path, micro_model: Path) -> None:
    make_repository(tmp_path / "numpy-c", numpy_c_sources())
    file = config_file(tmp_path, tmp_path / "numpy-c", micro_model)
    done = duotune("run", str(file), "--json")
    assert done.returncode == ExitCode.OK, done.stderr
    state = last_line(done)
    assert set(state) >= REQUIRED
    assert state["state"] == "finished"
    check_dataset(Path(state["dataset"]))
    check_adapter(Path(state["adapter"]), micro_model)
    check_items(Path(state["directory"]) / "evaluation", state["evaluation"])
    assert (Path(state["directory"]) / "evaluation" / "contract.json").is_file()

    again = duotune("run", str(file), "--json")
    assert again.returncode == ExitCode.OK, again.stderr
    assert "used again" in again.stderr
    assert last_line(again)["dataset"] == state["dataset"]
    assert "identical" in again.stderr
    listed = json.loads(duotune("adapters", "list", "--json").stdout)
    assert [version["name"] for version in listed] == ["small.v1"]
    assert duotune("adapters", "verify", "small").returncode == ExitCode.OK

    assert duotune("assign", "code", "small").returncode == ExitCode.OK
    planned = json.loads(duotune("serve", "plan", "--json").stdout)
    assert [adapter["name"] for adapter in planned["adapters"]] == ["small.v1"]
    assert "max-lora-rank: 8" in planned["config"]


def check_dataset(dataset: Path) -> None:
    from datasets import load_from_disk

    loaded = load_from_disk(str(dataset))
    row = loaded["train"][0]
    assert len(row["input_ids"]) == len(row["labels"]) == sum(row["document_lengths"]) == 128
    manifest = json.loads((dataset / "manifest.json").read_text())
    kept = [file for file in manifest["files"] if file["path"].endswith(".h")]
    assert {file["split"] for file in manifest["files"]} == {"train", "validation", "test"}
    assert all(file["project"] == "code" and file["blob_id"] and file["language"].startswith("C") for file in kept)
    assert all(rejected["reason"] for rejected in manifest["rejected"])
    assert manifest["leakage"]["left"] == 0


def check_adapter(adapter: Path, model: Path) -> None:
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    base = AutoModelForCausalLM.from_pretrained(model)
    loaded = PeftModel.from_pretrained(base, adapter)
    assert any("lora_B" in name and bool(weights.any()) for name, weights in loaded.named_parameters())


def check_items(directory: Path, evaluation: dict[str, Any]) -> None:
    """The printed means are those of the lines, recomputed here."""
    items = [json.loads(line) for line in (directory / "items.jsonl").read_text().splitlines()]
    for name, result in evaluation["sets"].items():
        of_set = [item for item in items if item["set"] == name]
        assert len(of_set) == result["n"] > 0
        for metric in ("exact_match", "edit_similarity", "bad_responses"):
            mean = sum(item["metrics"][metric]["adapter"] for item in of_set) / len(of_set)
            assert mean == pytest.approx(result["metrics"][metric]["adapter"])


@pytest.fixture
def long_run(tmp_path: Path, micro_model: Path) -> Path:
    """The configuration of a run that takes longer than any test."""
    source = make_project(tmp_path / "code")
    return config_file(tmp_path, source, micro_model, max_steps=1_000_000, save_steps=500_000, eval_steps=500_000)


def wait_until_it_trains(run: RunDirectory) -> None:
    wait_for_event(run, lambda event: isinstance(event, MetricsMeasured))


def wait_until_it_ends(run: RunDirectory) -> str:
    wait_until(lambda: run.state().ended, "the end of the run")
    return run.state().state


def test_worker_outlives_a_killed_front_end_and_stops_when_asked(long_run: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "duotune", "run", str(long_run)],
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as front_end:
        assert front_end.stderr is not None
        started = next(line for line in front_end.stderr if line.startswith("Run "))
        run = find_run(started.split()[1])
        wait_until_it_trains(run)
        os.killpg(front_end.pid, signal.SIGHUP)
        front_end.kill()
    assert run.state().state == "running"
    assert duotune("remove", run.id).returncode == ExitCode.USAGE
    assert duotune("stop", run.id).returncode == ExitCode.OK
    assert wait_until_it_ends(run) == "stopped"
    assert duotune("remove", run.id).returncode == ExitCode.OK
    assert not run.path.exists()


def test_ctrl_c_stops_with_a_checkpoint_and_leaves_with_130(long_run: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "duotune", "run", str(long_run), "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as front_end:
        assert front_end.stderr is not None
        started = next(line for line in front_end.stderr if line.startswith("Run "))
        run = find_run(started.split()[1])
        wait_until_it_trains(run)
        front_end.send_signal(signal.SIGINT)
        out, error = front_end.communicate(timeout=120)
    assert front_end.returncode == ExitCode.INTERRUPTED
    assert json.loads(out)["state"] == "stopped"
    assert "duotune resume" in error


def test_second_run_on_the_same_device_is_queued_and_starts_by_itself(
    tmp_path: Path, long_run: Path, micro_model: Path
) -> None:
    assert duotune("run", str(long_run), "--detach").returncode == ExitCode.OK
    first = find_run("small")
    wait_until_it_trains(first)
    second_file = config_file(tmp_path, tmp_path / "code", micro_model, name="second")
    second_state = last_line(duotune("run", str(second_file), "--detach", "--json"))
    second = find_run(second_state["run"])
    wait_until(lambda: second.state().waiting_for is not None, "the second run waits")
    state = second.state()
    assert state.state == "queued"
    assert state.waiting_for is not None
    assert state.waiting_for.holder == first.id
    assert duotune("stop", first.id).returncode == ExitCode.OK
    assert wait_until_it_ends(second) == "finished"
