"""Where a result may appear: nothing that is there is lost, and what is refused is refused before the work."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from duotune import paths
from duotune.adapters.target import checked_target, clear_draft, drafting
from duotune.errors import StorageError, UsageError
from support.disks import small_disk_at


def draft_of(target: Path) -> Path:
    return target.with_name(f".{target.name}.duotune-draft")


def full(directory: Path) -> Path:
    directory.mkdir()
    (directory / "theirs").write_text("theirs")
    return directory


def test_a_link_in_the_drafts_place_is_not_followed(tmp_path: Path) -> None:
    victim = full(tmp_path / "victim")
    draft_of(tmp_path / "out").symlink_to(victim)
    with pytest.raises(UsageError, match="is in the way: it is not a directory of yours"), drafting(tmp_path / "out"):
        pass
    clear_draft(tmp_path / "out")
    assert (victim / "theirs").read_text() == "theirs"
    assert draft_of(tmp_path / "out").is_symlink()


def test_links_in_a_draft_are_deleted_and_what_they_lead_to_stays(tmp_path: Path) -> None:
    victim = full(tmp_path / "victim")
    left = full(draft_of(tmp_path / "out"))
    (left / "link").symlink_to(victim)
    sealed = full(left / "sealed")
    (sealed / "link").symlink_to(victim / "theirs")
    sealed.chmod(0o555)
    clear_draft(tmp_path / "out")
    assert not left.exists()
    assert (victim / "theirs").read_text() == "theirs"


def test_a_draft_that_became_a_link_meanwhile_loses_nothing_of_what_it_leads_to(tmp_path: Path) -> None:
    victim = full(tmp_path / "victim")
    with drafting(tmp_path / "out") as draft:
        draft.rename(tmp_path / "moved")
        draft.symlink_to(victim)
    assert (victim / "theirs").read_text() == "theirs"


def test_a_directory_of_somebody_else_is_neither_emptied_nor_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = full(draft_of(tmp_path / "out"))
    monkeypatch.setattr(os, "geteuid", lambda: left.stat().st_uid + 1)
    with pytest.raises(UsageError, match="is in the way"), drafting(tmp_path / "out"):
        pass
    clear_draft(tmp_path / "out")
    assert (left / "theirs").is_file()


def test_a_mount_point_is_refused_at_once_and_a_folder_inside_it_is_proposed(tmp_path: Path) -> None:
    with small_disk_at(tmp_path / "disk") as disk:
        with pytest.raises(UsageError, match="is where a disk is mounted") as refusal:
            checked_target(disk)
        assert f"{disk}/new" in refusal.value.hint
        assert checked_target(disk / "new") == disk / "new"


def test_a_mount_point_is_refused_for_people_who_may_not_mount(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "disk").mkdir()
    monkeypatch.setattr(os.path, "ismount", lambda path: Path(path) == tmp_path / "disk")
    with pytest.raises(UsageError, match="is where a disk is mounted"):
        checked_target(tmp_path / "disk")


def test_the_folder_that_the_shell_is_in_is_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    with pytest.raises(UsageError, match="is the folder you are in"):
        checked_target(".")
    (tmp_path / "here").rmdir()
    with pytest.raises(UsageError, match="the folder you are in is gone"):
        checked_target("out")


@pytest.mark.parametrize(
    ("named", "told"),
    [
        ("~no-such-user-here/x", "a user who is not known here"),
        ("/tmp/caf\udce9", "is not text in UTF-8"),
        ("/tmp/a\0b", "is not text in UTF-8"),
    ],
)
def test_a_name_that_cannot_be_used_is_told(named: str, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        checked_target(named)


@pytest.mark.parametrize("inside", ["serving", "leases/x", "catalog.sqlite-wal", "adapters/mine.v1", ""])
def test_nothing_in_duotunes_home_is_a_target_also_behind_a_link(tmp_path: Path, inside: str) -> None:
    paths.home().mkdir()
    (tmp_path / "link").symlink_to(paths.home())
    for root in (paths.home(), tmp_path / "link"):
        with pytest.raises(UsageError, match="is among duotune's own files"):
            checked_target(root / inside)


def test_links_in_a_circle_are_told(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    with pytest.raises((UsageError, StorageError)):
        checked_target(tmp_path / "a" / "out")


def test_what_may_not_be_looked_at_is_no_draft_to_clear(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(path: Path, **_: object) -> os.stat_result:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "stat", denied)
    monkeypatch.setattr(Path, "lstat", denied)
    clear_draft(tmp_path / "locked" / "out")
