"""Projects and assignments: marking, assigning in order, adding, removing, explaining a file."""

from __future__ import annotations

import shlex

from duotune.catalog.catalog import open_catalog
from duotune.catalog.projects import Project
from duotune.widgets.bars import CommandLine
from support.app import Session, drive
from support.shelf import Shelf


def assigned() -> dict[str, tuple[str, ...]]:
    with open_catalog() as catalog:
        return catalog.assignments.all()


def test_adapters_are_assigned_in_the_order_of_choice_to_all_marked_projects(
    size: tuple[int, int], shelf: Shelf
) -> None:
    shelf.publish("common", "billing")
    shelf.publish("shop", "web", fill=2)
    shelf.publish("third", "zoo", fill=3)

    async def play(session: Session) -> None:
        await session.press("3", "space", "down", "space")
        assert "2 marked" in session.text
        await session.press("a", "down", "space", "up", "space")
        assert "billing, web get shop, then common" in session.text
        await session.press("enter")
        assert "billing, web get shop, then common" in session.notes

    drive(play, size)
    assert assigned() == {"billing": ("shop", "common"), "web": ("shop", "common"), "zoo": ()}


def test_projects_that_differ_keep_what_they_have_and_are_told_apart(size: tuple[int, int], shelf: Shelf) -> None:
    shelf.publish("common", "web")
    shelf.publish("shop", "zoo", fill=2)
    shelf.publish("third", "web", fill=3)
    with open_catalog() as catalog:
        catalog.assignments.set("web", ["common", "shop"])
        catalog.assignments.set("zoo", ["shop"])

    async def play(session: Session) -> None:
        await session.press("3", "space", "down", "space", "a")
        assert "web gets common, then shop" in session.text
        assert "zoo gets shop" in session.text
        assert "in 1 of 2" in session.text
        assert "What only some of them have stays with them" in " ".join(session.text.split())
        await session.press("enter")
        assert assigned() == {"web": ("common", "shop"), "zoo": ("shop",)}
        await session.press("space", "up", "space", "a", "end", "space", "enter")
        assert "web gets common, then shop, then third; zoo gets shop, then third" in session.notes

    drive(play, size)
    assert assigned() == {"web": ("common", "shop", "third"), "zoo": ("shop", "third")}


def test_without_a_project_no_key_is_offered_that_does_nothing() -> None:
    async def play(session: Session) -> None:
        await session.press("3")
        line = session.text.splitlines()[-1]
        assert "Add" in line
        assert not [word for word in ("Open", "Mark", "Assign") if word in line]
        await session.press("2")
        assert "Open" not in session.text.splitlines()[-1]

    drive(play)


def test_the_command_that_explains_a_file_can_be_pasted(shelf: Shelf) -> None:
    shelf.publish("shop", "web")

    async def play(session: Session) -> None:
        await session.press("3", "enter", "slash")
        await session.type("json/it's (1).py")
        await session.press("enter")
        shown = session.app.screen.query_one(CommandLine).command
        assert shlex.split(shown) == ["duotune", "projects", "show", "web", "--explain", "json/it's (1).py"]

    drive(play)


def test_an_assignment_can_be_taken_back_to_the_base_model_or_left_as_it_was(shelf: Shelf) -> None:
    shelf.publish("shop", "web")
    with open_catalog() as catalog:
        catalog.assignments.set("web", ["shop"])

    async def leave(session: Session) -> None:
        await session.press("3", "a", "b", "escape")

    async def take_back(session: Session) -> None:
        await session.press("3", "a", "b", "enter")
        assert "in a shell: duotune assign web --base" in session.text

    drive(leave)
    assert assigned() == {"web": ("shop",)}
    drive(take_back)
    assert assigned() == {"web": ()}


def test_the_dialog_says_what_does_the_same_as_enter_and_nothing_behind_it_says_else(
    size: tuple[int, int], shelf: Shelf
) -> None:
    shelf.publish("shop", "web", "zoo")
    with open_catalog() as catalog:
        catalog.assignments.set("zoo", ["shop"])

    def shells(session: Session) -> list[str]:
        return [line for line in session.text.splitlines() if "in a shell" in line]

    async def play(session: Session) -> None:
        await session.press("3", "space", "down", "space", "a", "space")
        shown = session.app.screen.query_one(CommandLine).command
        assert shown == "duotune assign web shop && duotune assign zoo shop"
        assert len(shells(session)) == 1
        await session.press("b")
        shown = session.app.screen.query_one(CommandLine).command
        assert shown == "duotune assign web --base && duotune assign zoo --base"
        await session.press("escape")
        assert len(shells(session)) == 1
        assert "duotune assign zoo shop" in shells(session)[0]

    drive(play, size)


def test_what_somebody_else_assigned_meanwhile_is_not_overwritten(shelf: Shelf) -> None:
    shelf.publish("shop", "web")
    shelf.publish("zoo", "web")

    async def play(session: Session) -> None:
        await session.press("3", "a", "space")
        with open_catalog() as catalog:
            catalog.assignments.set("web", ["zoo"])
        await session.press("enter")
        assert "Meanwhile somebody has assigned zoo to web." in session.notes

    drive(play)
    assert assigned() == {"web": ("zoo",)}


def test_a_project_is_added_with_the_name_that_its_source_suggests(shelf: Shelf) -> None:
    source = shelf.project("billing")

    async def play(session: Session) -> None:
        await session.press("3", "plus")
        await session.type(f"{source}/")
        await session.press("f8")
        assert "billing" in session.text

    drive(play)
    assert assigned() == {"billing": ()}


def focused(session: Session) -> str | None:
    return session.app.focused.id if session.app.focused else None


def test_a_source_that_cannot_be_read_is_not_entered_and_says_why(size: tuple[int, int]) -> None:
    async def play(session: Session) -> None:
        await session.press("3", "plus")
        await session.type("/no/such/place")
        await session.press("f8")
        assert "There is no /no/such/place." in session.text
        assert "a folder, a Git repository or a Git URL" in session.text
        assert focused(session) == "source"

    drive(play, size)
    assert assigned() == {}


def test_the_field_that_is_wrong_has_the_focus(shelf: Shelf) -> None:
    source = shelf.project("billing")
    with open_catalog() as catalog:
        catalog.projects.add(Project("taken", "/srv/taken"))

    async def play(session: Session) -> None:
        await session.press("3", "plus")
        await session.type(str(source))
        await session.press("tab")
        await session.type("no-such-branch")
        await session.press("f8")
        assert "no-such-branch" in session.text
        assert focused(session) == "ref"
        await session.press("home", "ctrl+k", "tab")
        await session.type("a/b")
        await session.press("f8")
        assert "name may hold letters" in session.text
        assert focused(session) == "name"
        await session.press("shift+tab", "tab", "home", "ctrl+k")
        await session.type("taken")
        await session.press("shift+tab", "f8")
        assert "There is another project taken." in session.text
        assert focused(session) == "name"

    drive(play)
    assert set(assigned()) == {"taken"}


def test_a_project_shows_its_file_types_and_explains_a_file(size: tuple[int, int], shelf: Shelf) -> None:
    shelf.publish("shop", "web")

    async def play(session: Session) -> None:
        await session.press("3", "enter")
        assert "Python" in session.text
        await session.press("slash")
        await session.type("json/decoder.py")
        await session.press("enter")
        assert "json/decoder.py: passes the filters" in session.text
        assert "--explain json/decoder.py" in session.text

    drive(play, size)


def test_a_project_that_an_adapter_was_trained_on_stays(shelf: Shelf) -> None:
    shelf.publish("shop", "web")

    async def play(session: Session) -> None:
        await session.press("3", "d", "y")
        assert "shop.v1 was trained on it" in session.notes

    drive(play)
    assert assigned() == {"web": ()}


def test_a_filter_that_nothing_passes_says_so_and_leaves_the_columns_as_they_were(
    size: tuple[int, int], shelf: Shelf
) -> None:
    shelf.publish("shop", "billing")

    async def play(session: Session) -> None:
        await session.press("3")
        before = next(line for line in session.text.splitlines() if "billing" in line)
        await session.press("slash", "d", "x")
        assert "nothing here has these words" in session.text
        assert "no project yet" not in session.text
        await session.press("escape")
        assert next(line for line in session.text.splitlines() if "billing" in line) == before

    drive(play, size)
