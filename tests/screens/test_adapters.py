"""The adapter screens: what is shown of a version, and what can be done with it."""

from __future__ import annotations

from pathlib import Path
from threading import Event

import pytest

from duotune.adapters.verify import Check
from duotune.catalog.catalog import open_catalog
from duotune.errors import ModelError
from duotune.screens import ways
from duotune.screens.adapters import reading
from support.app import Session, drive
from support.shelf import Shelf

PATIENCE_SECONDS = 30


def states() -> dict[str, str]:
    with open_catalog() as catalog:
        return {version.name: version.state for version in catalog.adapters.versions()}


def test_the_list_tells_state_base_projects_and_who_gets_them(size: tuple[int, int], shelf: Shelf) -> None:
    shelf.publish("shop", "billing")
    shelf.publish("wrong", "billing", verdict="harmful", fill=2)
    with open_catalog() as catalog:
        catalog.assignments.set("billing", ["shop"])

    async def play(session: Session) -> None:
        await session.press("2")
        assert "shop.v1" in session.text
        assert "✓ current" in session.text
        assert "! withheld" in session.text
        assert "✗ harmful" in session.text
        await session.press("slash")
        await session.type("shop")
        assert "wrong.v1" not in session.text
        await session.press("escape")
        assert "wrong.v1" in session.text

    drive(play, size)


def test_a_version_is_shown_whole_and_verified_tensor_by_tensor(size: tuple[int, int], shelf: Shelf) -> None:
    shelf.publish("shop", "billing")

    async def play(session: Session) -> None:
        await session.press("2", "enter")
        assert "duotune adapters show shop.v1" in session.text
        assert "billing, commit abc" in " ".join(session.text.split())
        await session.press("end", "v")
        assert "Every check holds." in session.text.splitlines()[1], "in sight, wherever one had scrolled to"

    drive(play, size)


def test_verify_says_at_once_that_it_verifies(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf.publish("shop", "billing")
    shown = Event()

    def waits(name: str) -> list[Check]:
        assert shown.wait(PATIENCE_SECONDS)
        raise ModelError("Its base model is gone.", "Bring it back.")

    monkeypatch.setattr(reading, "check", waits)

    async def play(session: Session) -> None:
        await session.press("2", "enter")
        await session.pilot.press("v")
        await session.pilot.pause()
        assert "verifying every file" in session.text
        shown.set()
        await session.settle()
        assert "verifying" not in session.text
        assert "Its base model is gone." in session.notes

    drive(play)


def test_a_damaged_version_is_told_apart(shelf: Shelf) -> None:
    weights = Path(shelf.publish("shop", "billing").local_path) / "adapter_model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 0xFF
    weights.chmod(0o600)
    weights.write_bytes(content)

    async def play(session: Session) -> None:
        await session.press("2", "enter", "v")
        assert "did not hold" in session.text

    drive(play, (200, 50))


def test_a_harmful_version_is_published_with_a_reason_alone(shelf: Shelf) -> None:
    shelf.publish("shop", "billing", verdict="harmful")

    async def play(session: Session) -> None:
        await session.press("2", "enter", "p", "enter")
        assert "without a reason" in session.notes
        await session.type("the customer asked")
        await session.press("enter")

    drive(play)
    assert states() == {"shop.v1": "published"}
    with open_catalog() as catalog:
        assert catalog.adapters.get("shop.v1").force_reason == "the customer asked"


def test_removing_names_the_consequences_and_the_safe_answer_has_the_focus(shelf: Shelf) -> None:
    shelf.publish("shop", "billing")
    shelf.publish("shop", "billing", fill=2)

    async def play(session: Session) -> None:
        await session.press("2", "enter", "d")
        assert "shop.v1 takes its place" in " ".join(session.text.split())
        await session.press("enter")  # the focus is on no
        assert states() == {"shop.v1": "published", "shop.v2": "published"}
        await session.press("d", "y")

    drive(play)
    assert states() == {"shop.v1": "published"}


def test_what_a_deployment_names_is_not_removed_and_that_is_said_at_once(shelf: Shelf) -> None:
    version = shelf.publish("shop", "billing")
    with open_catalog() as catalog:
        catalog.deployments.add("base", "yaml", "unit", [(version.adapter, version.version)])

    async def play(session: Session) -> None:
        await session.press("2", "enter", "end")
        assert "shop.v1 cannot be removed: deployment 1 names it" in " ".join(session.text.split())
        await session.press("d")
        assert "Remove shop.v1?" not in session.text
        assert "deployment 1 names it" in session.notes

    drive(play)
    assert states() == {"shop.v1": "published"}


def test_what_a_project_gets_is_not_removed_until_it_gets_something_else(size: tuple[int, int], shelf: Shelf) -> None:
    shelf.publish("shop", "billing")
    with open_catalog() as catalog:
        catalog.assignments.set("billing", ["shop"])

    async def play(session: Session) -> None:
        await session.press("2", "enter", "d")
        assert "Remove shop.v1?" not in session.text
        assert "billing would be left with an adapter" in session.notes
        await session.press("3", "a", "b", "enter", "2", "enter", "d")
        assert "Remove shop.v1?" in session.text

    drive(play, size)


def test_a_refused_remove_names_all_projects_that_hold_the_adapter(shelf: Shelf) -> None:
    shelf.publish("shop", "billing")
    shelf.publish("common", "web", fill=2)
    with open_catalog() as catalog:
        for project in ("billing", "web"):
            catalog.assignments.set(project, ["shop"])
        refusal = catalog.adapters.why_kept(catalog.adapters.get("shop.v1"))
    assert refusal is not None
    assert "`duotune assign billing --base && duotune assign web --base`" in refusal.hint


def test_assign_proposes_the_adapter_for_the_projects_that_are_chosen_next(size: tuple[int, int], shelf: Shelf) -> None:
    shelf.publish("common", "billing")
    shelf.publish("shop", "web", fill=2)
    with open_catalog() as catalog:
        catalog.assignments.set("billing", ["common"])

    async def play(session: Session) -> None:
        ways.open_adapter(session.app, "shop.v1")
        await session.settle()
        await session.press("a")
        assert "Who gets shop?" in session.text
        await session.press("a")
        assert "billing gets shop, then common" in session.text
        await session.press("enter")
        assert "Who gets shop?" not in session.text
        await session.press("down", "a")
        assert "gets the base model" in session.text

    drive(play, size)
    with open_catalog() as catalog:
        assert catalog.assignments.all() == {"billing": ("shop", "common"), "web": ()}


def test_a_page_that_is_done_while_one_has_gone_on_closes_itself_and_nothing_else(shelf: Shelf) -> None:
    shelf.publish("shop", "billing")
    shelf.publish("shop", "billing", fill=2)

    async def play(session: Session) -> None:
        await session.press("2", "enter", "d")
        await session.pilot.press("y", "3")  # before the thread that removes has ended
        await session.settle()
        assert session.app.current_mode == "projects"
        await session.press("2")
        assert "shop.v1" in session.text
        assert "duotune adapters list" in session.text

    drive(play)
    assert states() == {"shop.v1": "published"}
