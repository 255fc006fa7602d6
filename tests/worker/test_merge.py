"""A run that merges ends with a whole model that answers as the adapter did, or with nothing."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from duotune.adapters.contract import Contract, ContractCase
from duotune.adapters.copies import local_copy
from duotune.adapters.manifest import describe_file, read_manifest
from duotune.adapters.merged import MERGED, read_merged
from duotune.adapters.target import drafting
from duotune.catalog.adapters import Version
from duotune.catalog.catalog import open_catalog
from duotune.cli.main import run as command
from duotune.errors import ExitCode, StorageError
from duotune.hardware.host import Host
from duotune.plan.merge import plan_merge, start_merge
from duotune.runs.directory import RunDirectory, create_run
from duotune.runs.events import MergeOrder
from duotune.runs.lease import GpuLease
from duotune.runs.outcomes import outcome
from duotune.runs.results import Merged
from duotune.runs.state import RunState
from duotune.runs.wording import in_bytes
from duotune.storage.local import delete_tree
from duotune.worker import process, proving
from duotune.worker.stages import leased_device
from support.disks import small_disk_at
from support.evaluated import write_random_adapter
from support.merging import SCALE, publish_adapter, recorded
from support.mortal import finish, kill_at
from support.s3 import S3Server
from support.workers import wait_until

MOMENTS = [
    "event.type == 'run_started'",
    "event.type == 'progress' and event.phase == 'check'",
    "event.type == 'progress' and event.phase == 'fold'",
    "event.type == 'progress' and event.phase == 'prove' and event.done > 0",
    "event.type == 'stage_finished'",
]


@pytest.fixture(autouse=True)
def _own_signals_and_umask() -> Iterator[None]:
    """What a worker sets for its process ends with the test."""
    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    before = {number: signal.getsignal(number) for number in numbers}
    umask = os.umask(0o022)
    yield
    os.umask(umask)
    for number, handler in before.items():
        signal.signal(number, handler)


def merge_run(version: Version, target: Path) -> RunDirectory:
    order = MergeOrder(adapter=version.name, manifest_sha256=version.manifest_sha256, directory=str(target))
    return create_run(plan_merge(version.name).config, kind="merge", order=order)


def worked(run: RunDirectory) -> RunState:
    process.work(run.path)
    return run.state()


def failure(run: RunDirectory) -> str:
    state = worked(run)
    assert state.state == "failed"
    assert state.error is not None
    return f"{state.error.message} {state.error.hint}"


def moved(case: ContractCase, by: float) -> ContractCase:
    """A case whose adapter answered otherwise, and whose base model is far away."""
    update = {"adapter": [one - by for one in case.adapter or ()], "base": [one - 9 for one in case.base]}
    return case.model_copy(update=update)


def is_whole(directory: Path) -> bool:
    made = read_merged(directory)
    assert made is not None
    assert set(made.files) == {file.name for file in directory.iterdir()} - {MERGED}
    return all(describe_file(directory / name) == file for name, file in made.files.items())


def test_the_merged_model_answers_as_the_adapter_did_and_says_what_it_was_made_of(
    micro_model: Path, tmp_path: Path
) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    version = publish_adapter(micro_model, tmp_path)
    target = tmp_path / "models" / "merged"
    state = worked(merge_run(version, target))
    assert state.state == "finished"
    assert [stage.name for stage in state.stages] == ["merge"]
    result = Merged.of(state.results, "merge")
    assert result is not None
    assert result.proof is not None
    assert (result.version, result.directory, result.layers) == ("shop.v1", str(target), 6)
    assert result.proof.tokens == 72
    assert result.proof.distance < 0.05 < result.proof.from_base
    made = read_merged(target)
    assert made is not None
    assert (made.adapter, made.manifest_sha256) == ("shop.v1", version.manifest_sha256)
    assert made.base.fingerprint == read_manifest(Path(version.local_path)).base.fingerprint
    assert str(tmp_path) not in (target / MERGED).read_text()
    assert is_whole(target)
    assert [path.name for path in target.parent.iterdir()] == ["merged"]
    assert (target / "model.safetensors").stat().st_mode & 0o777 == 0o640
    prompt = AutoTokenizer.from_pretrained(target)("def ", return_tensors="pt")
    said = AutoModelForCausalLM.from_pretrained(target, dtype="auto").generate(**prompt, max_new_tokens=4)
    assert said.shape[1] > prompt["input_ids"].shape[1]


def test_a_model_that_answers_like_the_base_or_otherwise_is_deleted(micro_model: Path, tmp_path: Path) -> None:
    adapter = write_random_adapter(micro_model, tmp_path / "other", scale=SCALE)
    true = recorded(micro_model, adapter)
    swapped = [case.model_copy(update={"base": case.adapter, "adapter": case.base}) for case in true.cases]
    shifted = [moved(case, 0.3) for case in true.cases]
    for number, (cases, told) in enumerate(((swapped, "more like the base model"), (shifted, "0.1 is allowed"))):
        contract = true.model_copy(update={"cases": cases})
        home = tmp_path / f"case-{number}"
        home.mkdir()
        version = publish_adapter(micro_model, home, contract, name=f"shop{number}")
        told_to_admin = failure(merge_run(version, home / "merged" / "model"))
        assert told in told_to_admin
        assert "so it was deleted" in told_to_admin
        assert not list((home / "merged").iterdir())


def test_without_recorded_answers_it_says_that_nothing_is_proven(micro_model: Path, tmp_path: Path) -> None:
    empty = Contract(model="m", tokenizer="t", family=None, precision="bfloat16", cases=[])
    state = worked(merge_run(publish_adapter(micro_model, tmp_path, empty), tmp_path / "merged"))
    assert state.state == "finished"
    assert "is not proven" in state.warnings[0]
    result = Merged.of(state.results, "merge")
    assert result is not None
    assert result.proof is None


def test_over_a_quantized_base_it_must_only_be_nearer_to_the_adapter(micro_model: Path, tmp_path: Path) -> None:
    adapter = write_random_adapter(micro_model, tmp_path / "other", scale=SCALE)
    true = recorded(micro_model, adapter, precision="bfloat16 over nf4 weights")
    cases = [moved(case, 0.3) for case in true.cases]
    version = publish_adapter(micro_model, tmp_path, true.model_copy(update={"cases": cases}))
    state = worked(merge_run(version, tmp_path / "merged"))
    assert state.state == "finished"
    assert "over nf4 weights" in state.warnings[0]


def test_over_a_quantized_base_an_adapter_almost_like_it_proves_nothing_and_says_so(
    micro_model: Path, tmp_path: Path
) -> None:
    adapter = write_random_adapter(micro_model, tmp_path / "other", scale=SCALE)
    true = recorded(micro_model, adapter, precision="bfloat16 over nf4 weights")
    cases = [case.model_copy(update={"base": [one - 0.001 for one in case.adapter or ()]}) for case in true.cases]
    version = publish_adapter(micro_model, tmp_path, true.model_copy(update={"cases": cases}))
    state = worked(merge_run(version, tmp_path / "merged"))
    result = Merged.of(state.results, "merge")
    assert result is not None
    assert result.proof is None
    assert "is not proven" in state.warnings[-1]
    assert "not proven" in outcome(state, "merge")


def test_another_base_model_at_its_place_is_refused_before_anything_is_written(
    micro_model: Path, tmp_path: Path
) -> None:
    base = shutil.copytree(micro_model, tmp_path / "base")
    run = merge_run(publish_adapter(base, tmp_path), tmp_path / "place" / "merged")
    config = base / "config.json"
    config.write_text(config.read_text() + "\n")
    assert "is not the base model that shop.v1 was trained over" in failure(run)
    assert not (tmp_path / "place").exists()


def test_what_is_there_is_not_overwritten(micro_model: Path, tmp_path: Path) -> None:
    run = merge_run(publish_adapter(micro_model, tmp_path), tmp_path / "merged")
    (tmp_path / "merged").mkdir()
    (tmp_path / "merged" / "mine").write_text("mine")
    assert "is not empty" in failure(run)
    assert [file.name for file in (tmp_path / "merged").iterdir()] == ["mine"]


def test_an_adapter_that_is_on_s3_alone_is_fetched(micro_model: Path, tmp_path: Path, server: S3Server) -> None:
    version = publish_adapter(micro_model, tmp_path, location="s3://models/a")
    run = merge_run(version, tmp_path / "merged")
    delete_tree(Path(version.local_path))
    assert worked(run).state == "finished"
    with open_catalog() as catalog:
        assert local_copy(catalog, catalog.adapters.get("shop")).is_dir()


def test_killed_at_any_moment_a_resume_ends_with_the_whole_model_and_no_draft(
    micro_model: Path, tmp_path: Path
) -> None:
    target = tmp_path / "place" / "merged"
    run = merge_run(publish_adapter(micro_model, tmp_path), target)
    for moment in MOMENTS:
        kill_at(run, moment)
        assert run.state().state == "lost"
        if target.parent.exists() and not target.exists():
            assert [path.name for path in target.parent.iterdir()] in ([".merged.duotune-draft"], [])
    whole = {file.name: file.read_bytes() for file in target.iterdir()}
    assert finish(run).attempts == len(MOMENTS) + 1
    assert {file.name: file.read_bytes() for file in target.iterdir()} == whole
    assert is_whole(target)
    assert [path.name for path in target.parent.iterdir()] == ["merged"]


def test_removing_a_killed_run_removes_what_it_had_written(
    micro_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "place" / "merged"
    run = merge_run(publish_adapter(micro_model, tmp_path), target)
    kill_at(run, MOMENTS[2])
    assert [path.name for path in target.parent.iterdir()] == [".merged.duotune-draft"]
    assert command(["remove", run.id]) == ExitCode.OK
    assert not list(target.parent.iterdir())
    assert "Note:" not in capsys.readouterr().err


def test_removing_a_run_says_what_it_cannot_remove(
    micro_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "merged"
    run = merge_run(publish_adapter(micro_model, tmp_path), target)
    with drafting(target) as draft:
        assert command(["remove", run.id]) == ExitCode.OK
        assert f"{draft} is left" in capsys.readouterr().err
        assert draft.is_dir()
    assert not run.path.exists()


def test_a_stop_leaves_nothing_and_resume_finishes(
    micro_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from duotune.runs.reporter import JournalReporter

    target = tmp_path / "place" / "merged"
    run = merge_run(publish_adapter(micro_model, tmp_path), target)
    asked = property(lambda self: (target.parent / ".merged.duotune-draft" / "merged").exists())
    with monkeypatch.context() as patched:
        patched.setattr(JournalReporter, "stop_requested", asked)
        assert worked(run).state == "stopped"
    assert not list(target.parent.iterdir())
    assert worked(run).state == "finished"
    assert is_whole(target)


def test_a_stop_is_heard_while_the_base_model_is_read(
    micro_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from duotune.runs.reporter import JournalReporter

    run = merge_run(publish_adapter(micro_model, tmp_path), tmp_path / "place" / "merged")
    asked = iter([False, True])
    with monkeypatch.context() as patched:
        patched.setattr(JournalReporter, "stop_requested", property(lambda self: next(asked, True)))
        assert worked(run).state == "stopped"
    assert not (tmp_path / "place").exists()


def test_without_memory_for_the_proof_it_fails_before_anything_is_written(
    micro_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = merge_run(publish_adapter(micro_model, tmp_path), tmp_path / "place" / "merged")
    with monkeypatch.context() as patched:
        patched.setattr(proving, "read_host", lambda: Host(1, 1 << 30, 1000))
        told = failure(run)
    assert "cannot be proven: all of it is loaded for that" in told
    assert "duotune resume" in told
    assert not (tmp_path / "place").exists()
    assert worked(run).state == "finished"


def test_it_does_not_wait_for_a_run_that_trains(micro_model: Path, tmp_path: Path) -> None:
    version = publish_adapter(micro_model, tmp_path)
    lease = GpuLease.try_acquire(leased_device(), "20260101-000000-other")
    assert lease is not None
    with lease:
        run = start_merge(plan_merge(version.name), tmp_path / "merged").run
        wait_until(lambda: run.state().ended, "the merge ends beside a training")
    assert is_whole(tmp_path / "merged")


def test_a_full_disk_is_told_before_and_in_the_middle_and_resume_finishes_when_there_is_room(
    micro_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from duotune.adapters import target as places

    version = publish_adapter(micro_model, tmp_path)
    with small_disk_at(tmp_path / "disk") as disk:
        run = merge_run(version, disk / "merged")
        assert "There is no room for" in failure(run)
        monkeypatch.setattr(places, "free_bytes", lambda directory: 10**12)  # as others fill it meanwhile
        ballast = disk / "ballast"
        ballast.write_bytes(b"x" * 1_000_000)
        told = failure(run)
        assert "No space is left for" in told
        assert "duotune resume" in told
        assert run.state().error is not None
        assert [path.name for path in disk.iterdir()] == ["ballast"]
        ballast.unlink()
        assert process.work(run.path) == ExitCode.OK
        assert is_whole(disk / "merged")


def test_what_a_killed_attempt_left_does_not_count_as_used_space(
    micro_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from duotune.adapters import target as places

    version = publish_adapter(micro_model, tmp_path)
    room = plan_merge(version.name).bytes + places.MOST_MARGIN_BYTES
    place = tmp_path / "place"

    def free(target: Path) -> int:
        """Of a disk that holds one merged model and no more."""
        return room - sum(file.stat().st_size for file in place.rglob("*") if file.is_file())

    monkeypatch.setattr(places, "free_bytes", free)
    run = merge_run(version, place / "merged")
    kill_at(run, MOMENTS[3])
    assert (place / ".merged.duotune-draft").is_dir()
    assert worked(run).state == "finished"
    assert is_whole(place / "merged")
    (place / "merged").rename(tmp_path / "elsewhere")
    left = place / ".merged.duotune-draft"
    left.mkdir()
    (left / "much").write_bytes(b"x" * (places.MOST_MARGIN_BYTES + 1))
    started = start_merge(plan_merge(version.name), place / "merged")
    wait_until(lambda: started.run.state().ended, "the second merge ends")
    assert started.run.state().state == "finished"


def test_a_merge_that_has_no_room_is_refused_whoever_asks_and_the_size_is_told(
    micro_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from duotune.adapters import target as places

    version = publish_adapter(micro_model, tmp_path)
    run = merge_run(version, tmp_path / "merged")
    size = plan_merge(version.name).bytes
    monkeypatch.setattr(places, "free_bytes", lambda directory: size)
    told = failure(run)
    assert f"it takes {in_bytes(size)} and a margin, and {in_bytes(size)} are free" in told
    assert "duotune resume" in told
    with pytest.raises(StorageError, match="There is no room for"):
        start_merge(plan_merge(version.name), tmp_path / "merged")
    assert not (tmp_path / "merged").exists()
