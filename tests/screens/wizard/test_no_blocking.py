"""The event loop never waits for a disk, a process, a socket or a database while one goes through the wizard."""

from __future__ import annotations

import builtins
import os
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from duotune.screens.wizard.keeping import draft_file
from support.app import Session, drive
from support.projects import make_project
from support.wizard import add_project, next_step, open_wizard, until, wizard

WATCHED: list[tuple[Any, str]] = [
    (builtins, "open"),
    (os, "open"),
    (os, "scandir"),
    (os, "listdir"),
    (os, "stat"),
    (os, "lstat"),
    (os, "mkdir"),
    (os, "rename"),
    (os, "fsync"),
    (subprocess, "Popen"),
    (socket.socket, "connect"),
    (sqlite3, "connect"),
]
# Textual reads its own style sheets, and Python looks for modules that are imported when they are first gone to.
ALLOWED = ("/textual/css/", "/textual/_path.py", "/textual/dom.py", "importlib")


def watch(monkeypatch: pytest.MonkeyPatch, found: list[str]) -> None:
    """Note every blocking call of this thread that comes from our code."""
    loop = threading.get_ident()

    def watched(owner: Any, name: str) -> Callable[..., Any]:
        real = getattr(owner, name)

        def call(*arguments: Any, **named: Any) -> Any:
            if threading.get_ident() == loop:
                stack = _stack()
                ours = next((index for index, place in enumerate(stack) if "/src/duotune/" in place), None)
                if ours is not None and not any(part in place for place in stack[:ours] for part in ALLOWED):
                    found.append(f"{name}{arguments[:1]} at {stack[ours]}")
            return real(*arguments, **named)

        return call

    for owner, name in WATCHED:
        monkeypatch.setattr(owner, name, watched(owner, name))


def _stack() -> list[str]:
    """Where the caller's caller was called from, the innermost first."""
    places = []
    frame = sys._getframe(2)
    while frame.f_back is not None:
        places.append(f"{frame.f_code.co_filename}:{frame.f_lineno}")
        frame = frame.f_back
    return places


def test_the_watch_sees_what_blocks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from duotune.screens.wizard.folders import folders_in

    found: list[str] = []
    watch(monkeypatch, found)
    folders_in(tmp_path)
    draft_file().exists()
    assert any("scandir" in call for call in found)


def test_nothing_blocks_the_event_loop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = make_project(tmp_path / "billing", "json", "logging")
    found: list[str] = []

    async def play(session: Session) -> None:
        watch(monkeypatch, found)
        await open_wizard(session)
        await add_project(session, source)
        await session.press("f4")
        await session.type("host:some/where")
        await session.press("escape", "f5", "escape")
        await next_step(session, "Files")
        await session.press("slash")
        await session.type("json")
        await session.press("enter")
        await session.press("f1", "escape")
        await next_step(session, "Data and storage")
        await session.type(str(tmp_path / "data"))
        await session.press("f5")
        await until(session, "can be written")
        await next_step(session, "Model")
        await session.press("f4")
        await until(session, "Qwen2ForCausalLM")
        await session.press("enter")
        await until(session, "train ")
        await next_step(session, "Review")
        await until(session, "Ready")
        await session.press("f5", "f6", "f2")
        await session.press("home", "ctrl+k")
        await session.type(str(tmp_path / "run.toml"))
        await session.press("enter")
        await until(session, lambda: (tmp_path / "run.toml").exists())
        await session.press("f7", "f7", "f7", "f7")
        assert wizard(session).draft.projects
        await session.press("f3")
        await session.type(str(tmp_path / "run.toml"))
        await session.press("enter")
        await until(session, "This begins with the file")
        await session.press("escape")
        await until(session, lambda: len(session.app.screen_stack) == 1)

    drive(play)
    assert found == []
