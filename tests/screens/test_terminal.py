"""The app on a real terminal: how it is left, and what happens when the connection drops."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pytest

from duotune.runs.directory import create_run
from duotune.runs.lock import try_lock
from support.runs import run_config
from support.terminal import Terminal, duotune_on_a_terminal


@contextmanager
def app(**options: object) -> Iterator[Terminal]:
    terminal = duotune_on_a_terminal(**options)
    try:
        terminal.wait_for("Train your first adapter")
        yield terminal
    finally:
        terminal.close()


def test_a_lost_connection_ends_the_app() -> None:
    with app() as terminal:
        terminal.drop()
        assert terminal.ended() == 129


def test_a_terminal_that_goes_without_a_signal_ends_the_app_and_it_does_not_spin() -> None:
    with app(ignore_hangup=True) as terminal:
        before = psutil.Process(terminal.process.pid).cpu_times()
        terminal.drop()
        last = [before]

        def look() -> None:
            try:
                last[0] = psutil.Process(terminal.process.pid).cpu_times()
            except psutil.Error:
                return

        assert terminal.ended(meanwhile=look) == 129
        assert last[0].user - before.user < 5


def test_ctrl_q_leaves_the_terminal_as_it_was_and_says_which_runs_go_on() -> None:
    run = create_run(run_config("shop"))
    lock = try_lock(run.lock_file)  # as its worker holds it
    assert lock is not None
    with lock:
        terminal = duotune_on_a_terminal()
        try:
            terminal.wait_for(run.id)
            terminal.write("\x11")
            assert terminal.ended() == 0
        finally:
            terminal.close()
    said = terminal.output.decode(errors="replace")
    assert f"Run {run.id} goes on. `duotune` comes back to it" in said
    assert "\x1b[?1049l" in said  # back from the alternate screen


@pytest.mark.parametrize("name", ["dumb", ""])
def test_a_terminal_that_cannot_be_painted_on_is_told_what_to_use(name: str) -> None:
    terminal = duotune_on_a_terminal(environment={"TERM": name})
    try:
        assert terminal.ended() == 2
        terminal.read(0.5)
        assert b"needs a terminal" in terminal.output
        assert b"\x1b[?1049h" not in terminal.output
    finally:
        terminal.close()


def test_no_color_sends_no_colours_at_all() -> None:
    with app(environment={"NO_COLOR": "1", "COLORTERM": "truecolor"}) as terminal:
        terminal.write("2")
        terminal.wait_for("no adapter yet")
        styles = re.findall(rb"\x1b\[([0-9;]*)m", terminal.output)
        assert styles
        numbers = {int(number) for style in styles for number in style.split(b";") if number}
        assert not numbers & {*range(30, 39), *range(40, 49), *range(90, 98), *range(100, 108)}
