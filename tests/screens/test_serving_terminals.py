"""Two terminals that change what is served: both see the one change that is under way."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from duotune.catalog.catalog import open_catalog
from duotune.screens.serving.reading import read_served
from duotune.screens.serving.screen import Serving
from duotune.serving import request as request_module
from duotune.serving.request import Request, begin
from support.app import Session, drive
from support.changes import STOP, begin_elsewhere, go_on, halt
from support.serving import publish_adapter
from support.wizard import until


def test_a_change_of_another_terminal_is_followed_to_its_end(halted: None, size: tuple[int, int]) -> None:
    request = begin_elsewhere(*STOP)

    async def play(session: Session) -> None:
        await session.press("4")
        await until(session, "begun in another terminal by")
        assert "duotune serve stop" in session.text
        assert "under way for" in " ".join(session.text.split())
        go_on(request)
        await until(session, "ended after")
        assert request.ending() is not None

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
        await until(session, "duotune serve stop --yes --json: under way for")  # not `…, begun in another terminal`
        assert "in a shell: duotune serve stop --yes --json" in session.text
        go_on(begun[0])
        await until(session, "ended after")
        with pytest.raises(ChildProcessError):  # nothing of it is left to wait for
            os.waitpid(begun[0].begun.child.pid, os.WNOHANG)

    drive(play, (120, 40))
