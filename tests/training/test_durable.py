"""Directories on disk are whole, or not there."""

from pathlib import Path

import pytest

from duotune.training.durable import appearing_whole


def fill(target: Path, text: str) -> None:
    with appearing_whole(target) as partial:
        (partial / "file").write_text(text)


def test_a_new_directory_takes_the_place_of_an_old_one_and_nothing_else_stays(tmp_path: Path) -> None:
    fill(tmp_path / "it", "old")
    fill(tmp_path / "it", "new")
    assert (tmp_path / "it" / "file").read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["it"]


def test_an_error_while_writing_leaves_the_old_one(tmp_path: Path) -> None:
    fill(tmp_path / "it", "old")

    def break_off() -> None:
        with appearing_whole(tmp_path / "it") as partial:
            (partial / "file").write_text("half")
            raise OSError("broken")

    with pytest.raises(OSError, match="broken"):
        break_off()
    assert (tmp_path / "it" / "file").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["it"]


def test_a_death_between_the_renames_leaves_both_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path / "it", "old")
    rename = Path.rename

    def dying(self: Path, target: Path) -> Path:
        if self.name.endswith(".part"):
            raise KeyboardInterrupt
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", dying)
    with pytest.raises(KeyboardInterrupt):
        fill(tmp_path / "it", "new")
    monkeypatch.undo()
    assert not (tmp_path / "it").exists()
    assert (tmp_path / ".it.old" / "file").read_text() == "old"
    assert (tmp_path / ".it.part" / "file").read_text() == "new"
    fill(tmp_path / "it", "newer")
    assert [path.name for path in tmp_path.iterdir()] == ["it"]
