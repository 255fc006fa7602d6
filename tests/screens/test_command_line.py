"""The line with the command: whole where it fits, else without its middle; copied it is whole in any case."""

from __future__ import annotations

import shlex

import pytest
from rich.cells import cell_len

from duotune.widgets.bars import COMMAND_ROWS, CommandLine
from support.app import Session, drive


def rows_of(session: Session) -> list[str]:
    """The rows of the command line."""
    region = session.app.screen.query_one(CommandLine).region
    return session.text.splitlines()[region.y : region.bottom]


def show(session: Session, command: str) -> CommandLine:
    line = session.app.screen.query_one(CommandLine)
    line.command = command
    return line


def copied(session: Session) -> str | None:
    session.app.screen.query_one(CommandLine).text_select_all()
    return session.app.screen.get_selected_text()


@pytest.mark.parametrize(
    "folder",
    ["/srv/models/" + "deep/" * 200, "/srv/my models/" + "a word " * 150, "/srv/\x1b[31m模型/" * 80],
    ids=["no space to wrap at", "wrapped at spaces", "wide and not printable"],
)
def test_a_command_too_long_shows_that_it_is_cut_and_how_it_begins_and_ends(folder: str, size: tuple[int, int]) -> None:
    command = f"duotune adapters merge shop.v1 {shlex.quote(f'{folder}the-end-of-it')}"

    async def play(session: Session) -> None:
        show(session, command)
        await session.settle()
        rows = rows_of(session)
        shown = "".join(rows)
        assert len(rows) == COMMAND_ROWS
        assert rows[0].startswith(" in a shell: duotune adapters merge shop.v1")
        assert shown.count("…") == 1
        assert shown.rstrip().endswith(("the-end-of-it", "the-end-of-it'"))
        assert cell_len(shown) > 2 * size[0]
        assert copied(session) == command.replace("\x1b", "\\x1b")

    drive(play, size)


def test_a_command_that_fits_is_shown_whole_and_again_when_there_is_more_room() -> None:
    command = "less " + "/0123456789" * 30

    async def play(session: Session) -> None:
        show(session, command)
        await session.settle()
        assert "…" in "".join(rows_of(session))
        await session.pilot.resize_terminal(200, 50)
        await session.settle()
        assert "".join(rows_of(session)).replace(" ", "") == f"in a shell: {command}".replace(" ", "")
        assert copied(session) == f"in a shell: {command}"
        await session.pilot.resize_terminal(80, 24)
        await session.settle()
        assert "…" in "".join(rows_of(session))
        show(session, "duotune runs")
        await session.settle()
        assert [row.strip() for row in rows_of(session)] == ["in a shell: duotune runs"]

    drive(play, (80, 24))
