"""A merge that is killed, stopped or out of room leaves nothing half-made, and goes on."""

from __future__ import annotations

from pathlib import Path

import pytest

from duotune.adapters.target import drafting
from duotune.cli.main import run as command
from duotune.errors import ExitCode, StorageError
from duotune.hardware.host import Host
from duotune.plan.merge import plan_merge, start_merge
from duotune.runs.lease import GpuLease, leased_device
from duotune.runs.wording import in_bytes
from duotune.worker import process, proving
from support.disks import small_disk_at
from support.merging import failure, is_whole, merge_run, publish_adapter, worked
from support.mortal import finish, kill_at
from support.workers import wait_until

pytestmark = pytest.mark.usefixtures("own_signals_and_umask")
MOMENTS = [
    "event.type == 'run_started'",
    "event.type == 'progress' and event.phase == 'check'",
    "event.type == 'progress' and event.phase == 'fold'",
    "event.type == 'progress' and event.phase == 'prove' and event.done > 0",
    "event.type == 'stage_finished'",
]


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
