"""Two terminals that change what is served: one change is under way at a time, and both see that one."""

from __future__ import annotations

import os
import pwd
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

import pytest

from duotune.catalog.catalog import open_catalog
from duotune.runs.lock import owner_of
from duotune.screens.serving import request as request_module
from duotune.screens.serving.reading import read_served
from duotune.screens.serving.request import KEPT, Request, begin, under_way
from duotune.screens.serving.screen import Serving
from duotune.serving.files import lock_file, one_at_a_time
from support.app import Session, drive
from support.serving import publish_adapter
from support.serving_home import ServingHome
from support.wizard import until

STOP = ("stop", "--yes", "--json")
OTHER_TERMINAL = """
import os, signal, sys
from duotune.screens.serving.request import begin
os.kill(begin(sys.argv[1:]).begun.child.pid, signal.SIGSTOP)
"""


@pytest.fixture
def halted(home: ServingHome) -> Iterator[None]:
    """Lets go on in the end what a test has halted."""
    yield
    if (request := under_way()) is not None:
        go_on(request)


def halt(request: Request) -> Request:
    """Have its process do nothing for now."""
    os.kill(request.begun.child.pid, signal.SIGSTOP)
    return request


def go_on(request: Request) -> None:
    with suppress(ProcessLookupError):
        os.kill(request.begun.child.pid, signal.SIGCONT)


def begin_elsewhere(*arguments: str) -> Request:
    """A change that another terminal has begun, halted; that terminal is gone."""
    subprocess.run([sys.executable, "-c", OTHER_TERMINAL, *arguments], check=True)
    found = under_way()
    assert found is not None
    return found


def ended(request: Request) -> bool:
    return request.ending() is not None


def test_one_change_is_under_way_at_a_time_and_each_keeps_its_own_words(halted: None) -> None:
    first = halt(begin(STOP))
    second = begin(["apply", "--yes", "--json"])
    assert (second.folder, second.is_own, second.begun.arguments) == (first.folder, False, STOP)
    assert under_way() == first
    assert not ended(first)
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


def wait(request: Request) -> None:
    """Wait for its process, which is a child of this one."""
    os.waitid(os.P_PID, request.begun.child.pid, os.WEXITED | os.WNOWAIT)


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


def test_a_change_of_another_terminal_is_followed_to_its_end(halted: None, size: tuple[int, int]) -> None:
    request = begin_elsewhere(*STOP)

    async def play(session: Session) -> None:
        await session.press("4")
        await until(session, "begun in another terminal by")
        assert "duotune serve stop" in session.text
        assert "under way for" in " ".join(session.text.split())
        go_on(request)
        await until(session, "ended after")
        assert ended(request)

    drive(play, size)


def test_who_comes_second_sees_the_change_that_is_under_way(halted: None, micro_model: Path, tmp_path: Path) -> None:
    with open_catalog() as catalog:
        publish_adapter(catalog, micro_model, tmp_path)

    async def play(session: Session) -> None:
        await session.press("4", "p", "a")
        request = begin_elsewhere(*STOP)
        await session.press("y")
        assert "was not begun: `duotune serve stop --yes --json` is under way" in session.notes
        assert "begun in another terminal" in session.text
        go_on(request)
        await until(session, "ended after")

    drive(play, (120, 40))
    with open_catalog() as catalog:
        assert catalog.deployments.all() == []


def test_a_look_that_finds_it_first_does_not_make_it_another_terminals(
    halted: None, micro_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_catalog() as catalog:
        publish_adapter(catalog, micro_model, tmp_path)
    begun: list[Request] = []

    async def play(session: Session) -> None:
        await session.press("4", "p", "a")
        screen = session.app.screen_stack[0]
        assert isinstance(screen, Serving)

        def looked_at_before_it_is_told(arguments: Sequence[str]) -> Request:
            begun.append(halt(begin(STOP)))
            session.app.call_from_thread(screen._show, read_served())
            return begun[0]

        monkeypatch.setattr(request_module, "begin", looked_at_before_it_is_told)
        await session.press("y")
        await until(session, "under way for")
        assert "begun in another terminal" not in session.text
        assert "in a shell: duotune serve stop --yes --json" in session.text
        go_on(begun[0])
        await until(session, "ended after")
        with pytest.raises(ChildProcessError):  # nothing of it is left to wait for
            os.waitpid(begun[0].begun.child.pid, os.WNOHANG)

    drive(play, (120, 40))
