"""A directory is complete or absent."""

from __future__ import annotations

import platform
from pathlib import Path

import pytest

from duotune.data.building import building


def fail_inside(target: Path) -> None:
    with building(target) as directory:
        (directory / "file").write_text("half")
        1 / 0  # noqa: B018


def test_a_failed_build_leaves_nothing_and_a_killed_one_is_cleared(tmp_path: Path) -> None:
    target = tmp_path / "store" / ("a" * 64)
    with pytest.raises(ZeroDivisionError):
        fail_inside(target)
    assert list((tmp_path / "store").iterdir()) == []
    for left in (f".{'b' * 16}-{platform.node()}-999999999", f".{'b' * 16}-another-host-999999999"):
        (tmp_path / "store" / left).mkdir()
    with building(target) as directory:
        (directory / "file").write_text("whole")
    assert {entry.name for entry in (tmp_path / "store").iterdir()} == {target.name, left}
    assert (target / "file").read_text() == "whole"


def test_the_first_of_two_builders_wins(tmp_path: Path) -> None:
    target = tmp_path / "target"
    with building(target) as directory:
        (directory / "file").write_text("second")
        target.mkdir()
        (target / "file").write_text("first")
    assert (target / "file").read_text() == "first"
