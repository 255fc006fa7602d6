"""Where a result may appear: nothing that is there is lost, and what is refused is refused before the work."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from duotune.adapters.target import clear_draft, drafting
from duotune.errors import UsageError


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
