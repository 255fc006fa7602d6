"""The app as a whole: places, help, palette, the theme, and what is remembered."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from platformdirs import user_config_path
from textual.content import Content
from textual.widgets import Static

from duotune.screens.dialogs import Help
from duotune.widgets.bars import PLACES
from support.app import Session, drive
from support.projects import make_project
from support.shelf import Shelf
from support.watched import example, finished_run
from support.wizard import add_project, open_wizard, until, wizard


def test_number_keys_go_to_each_place_and_mark_it(size: tuple[int, int]) -> None:
    async def play(session: Session) -> None:
        for name, place in PLACES.items():
            await session.press(place.key)
            assert session.app.current_mode == name
            bar = session.app.screen.query_one(".places", Static).visual
            assert isinstance(bar, Content)
            (marked,) = [span for span in bar.spans if "on $primary" in str(span.style)]
            assert bar.plain[marked.start : marked.end].strip() == f"{place.key} {place.title}"

    drive(play, size)


@pytest.mark.parametrize("away", ["", "2"], ids=["from there", "from elsewhere"])
def test_the_number_of_a_place_shows_the_place_whatever_was_opened_over_it(away: str, shelf: Shelf) -> None:
    finished_run("shop", items=[example(1, 0.4, 0.5)])
    shelf.publish("shop", "billing")

    async def play(session: Session) -> None:
        def opened() -> list[str]:
            return [type(screen).__name__ for screen in session.app.screen_stack]

        await session.press("enter", "e")
        assert opened() == ["Home", "Monitor", "EvaluationPage"]
        await session.press(*away, "1")
        assert opened() == ["Home"]
        assert "in a shell: duotune runs" in session.text
        for key, first, over in (("2", "Adapters", "AdapterPage"), ("3", "Projects", "ProjectPage")):
            await session.press(key, "enter")
            assert opened() == [first, over]
            await session.press("5", key)
            assert opened() == [first]

    drive(play)


def test_the_draft_of_a_wizard_that_home_takes_the_place_of_is_kept(tmp_path: Path) -> None:
    source = make_project(tmp_path / "code")

    async def play(session: Session) -> None:
        await open_wizard(session)
        await add_project(session, source)
        await session.press("2", "1")
        await until(session, lambda: len(session.app.screen_stack) == 1)
        assert "Your draft is kept" in session.notes
        await session.press("n")
        await until(session, lambda: [project["name"] for project in wizard(session).draft.projects] == ["code"])

    drive(play)


@pytest.mark.parametrize("place", PLACES)
def test_help_says_what_each_place_is_for_and_every_key(place: str) -> None:
    async def play(session: Session) -> None:
        await session.press(PLACES[place].key, "f1")
        assert isinstance(session.app.screen, Help)
        assert "This screen" in session.text
        told = [line.strip().split("  ") for line in session.app.screen._keys()]
        keys = [key for keys, _ in told for key in keys.split(", ")]
        assert len(set(keys)) == len(keys)
        assert len({words for _, words in told}) == len(told)
        await session.press("end")
        assert "Every action by name" in session.text
        await session.press("escape")
        assert not isinstance(session.app.screen, Help)

    drive(play)


@pytest.mark.parametrize("place", PLACES)
def test_the_footer_holds_six_entries_at_most_and_fits(place: str) -> None:
    async def play(session: Session) -> None:
        await session.press(PLACES[place].key)
        footer = session.text.splitlines()[-1]
        assert "^q Quit" in footer
        assert "^p palette" in footer
        assert len(session.app.screen.query("FooterKey")) <= 7  # the palette is the seventh, at its own end

    drive(play)


def test_every_binding_of_ours_has_an_id() -> None:
    async def play(session: Session) -> None:
        for place in PLACES.values():
            await session.press(place.key)
            for node in (session.app.screen, session.app):
                for bindings in type(node).BINDINGS:
                    assert getattr(bindings, "id", None), bindings

    drive(play)


def test_the_palette_finds_every_action_of_a_screen() -> None:
    async def play(session: Session) -> None:
        await session.press("5", "ctrl+p")
        await session.type("look again")
        assert "Look again" in session.text

    drive(play)


def test_the_theme_is_remembered_for_this_user() -> None:
    file = user_config_path("duotune") / "app.json"

    async def choose(session: Session) -> None:
        session.app.theme = "textual-light"
        await session.settle()

    async def come_back(session: Session) -> None:
        assert session.app.theme == "textual-light"

    drive(choose)
    assert json.loads(file.read_text()) == {"theme": "textual-light"}
    drive(come_back)
    file.write_text("[broken")
    drive(_has_the_usual_theme)


async def _has_the_usual_theme(session: Session) -> None:
    assert session.app.theme == "textual-dark"


def test_no_color_paints_without_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")

    async def play(session: Session) -> None:
        assert session.app.theme == "ansi-dark"

    drive(play)
    assert not (user_config_path("duotune") / "app.json").exists()


def test_resizing_to_almost_nothing_and_back_breaks_nothing(shelf: Shelf, tmp_path: Path) -> None:
    shelf.publish("shop", "billing")

    async def play(session: Session) -> None:
        for place in PLACES.values():
            await session.press(place.key)
            for columns, rows in ((1, 1), (30, 8), (300, 80), (80, 24)):
                await session.pilot.resize_terminal(columns, rows)
                await session.settle()
            assert place.title in session.text

    drive(play)


def test_there_is_one_wizard_and_its_place_leads_out_of_it() -> None:
    async def play(session: Session) -> None:
        await session.press("n", "2", "n")
        wizards = [type(screen).__name__ for screen in session.app.screen_stack].count("Wizard")
        assert (session.app.current_mode, wizards) == ("home", 1)
        await session.press("1")
        assert type(session.app.screen).__name__ == "Home"

    drive(play)


def test_what_goes_on_being_wrong_is_said_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no directory")
    monkeypatch.setenv("DUOTUNE_HOME", str(tmp_path / "file"))

    async def play(session: Session) -> None:
        before = session.notes.count("\n")
        await session.pilot.pause(2.5)
        await session.settle()
        assert session.notes
        assert session.notes.count("\n") <= before + 2

    drive(play)


def test_f1_helps_in_dialogs_too_and_closes_again(shelf: Shelf) -> None:
    shelf.publish("shop", "web")

    async def play(session: Session) -> None:
        await session.press("3", "plus", "f1")
        assert "Help" in session.text
        assert "f8  Add" in session.text
        await session.press("f1")
        assert "f8  Add" not in session.text
        assert "Take it (F8)" in session.text

    drive(play)


def test_n_begins_a_run_at_every_place(size: tuple[int, int]) -> None:
    async def play(session: Session) -> None:
        for place in ("3", "4", "5"):
            await session.press(place, "n")
            assert type(session.app.screen).__name__ == "Wizard"
            await session.press("escape")

    drive(play, size)


def test_the_palette_has_help_and_the_way_back(shelf: Shelf) -> None:
    shelf.publish("shop", "web")

    async def play(session: Session) -> None:
        await session.press("2", "enter", "ctrl+p")
        await session.type("Back")
        await session.press("enter")
        assert type(session.app.screen).__name__ == "Adapters"

    drive(play)
