"""A change that is asked for: one is under way at a time, whoever begins it, and each keeps its own words."""

from __future__ import annotations

import os
import pwd
from typing import NoReturn

import pytest

from duotune.runs.lock import owner_of
from duotune.serving.files import lock_file, one_at_a_time
from duotune.serving.request import KEPT, begin, under_way
from support.changes import STOP, go_on, halt, wait


def test_one_change_is_under_way_at_a_time_and_each_keeps_its_own_words(halted: None) -> None:
    first = halt(begin(STOP))
    second = begin(["apply", "--yes", "--json"])
    assert (second.folder, second.is_own, second.begun.arguments) == (first.folder, False, STOP)
    assert under_way() == first
    assert first.ending() is None
    go_on(first)
    wait(first)
    third = begin(["rollback", "--yes", "--json"])
    wait(third)
    assert under_way() is None
    found = third.ending()
    assert found is not None
    assert found.code != 0
    assert third.folder != first.folder
    assert first.ending() == second.ending()
    assert first.ending() != found


@pytest.mark.parametrize("sudo", ["", "\udcff"], ids=["no name", "no text"])
def test_whoever_begins_it_the_change_is_noted_and_goes_on_alone(
    halted: None, monkeypatch: pytest.MonkeyPatch, sudo: str
) -> None:
    def unknown(number: int) -> NoReturn:
        raise KeyError(f"getpwuid(): uid not found: {number}")

    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SUDO_USER", sudo)
    monkeypatch.setattr(pwd, "getpwuid", unknown)
    request = halt(begin(STOP))
    assert request.begun.by == ("\\udcff" if sudo else str(os.geteuid()))
    assert under_way() == request
    assert begin(STOP).folder == request.folder
    with one_at_a_time():
        owner = owner_of(lock_file())
        assert owner is not None
        assert owner.note == request.begun.by
    go_on(request)
    wait(request)


def test_old_requests_are_cleared_away(halted: None) -> None:
    for _ in range(3):
        wait(begin(["stop"]))
    first = begin(["stop"])
    wait(first)
    place = first.folder.parent
    for number in range(KEPT):
        (place / f"2000{number}").mkdir()
        (place / f"2000{number}" / "begun.json").write_text(first.begun.model_dump_json())
    wait(begin(["stop"]))
    assert len(list(place.iterdir())) == KEPT
    assert first.folder.exists()
