"""Export and merge in the app: consequences, progress, what came of it, and the shell's equivalent."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import pytest

from duotune.adapters.export import export
from duotune.app import farewell
from duotune.catalog.catalog import open_catalog
from duotune.errors import UsageError
from duotune.runs.directory import create_run, list_runs
from duotune.runs.events import MergeOrder, ProgressMade, RunStarted, RunStopped, StageStarted
from duotune.screens.monitor.screen import Monitor
from duotune.screens.wizard.keeping import open_start
from duotune.storage.local import copy_directory
from support.app import Session, drive
from support.merging import publish_adapter
from support.monitor import footer, until, watch
from support.runs import run_config
from support.shelf import Shelf
from support.watched import worked_on, write


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the dialogs propose to put things."""
    (tmp_path / "me").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "me"))


def flat(session: Session) -> str:
    """The text of the dialog, or of the screen where there is none, however its lines are broken."""
    lines = session.text.splitlines()
    inside = [line.partition("│")[2].rpartition("│")[0] for line in lines if line.count("│") > 1]
    return " ".join(" ".join(inside or lines).split())


def test_export_proposes_a_place_copies_there_and_says_so(
    size: tuple[int, int], shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf.publish("shop", "billing")
    target = tmp_path / "me" / "shop.v1"

    async def play(session: Session) -> None:
        await session.press("2", "enter")
        assert "x exports its files" in session.text
        await session.press("x")
        assert "3 files" in session.text
        assert "Its base model is not among them." in flat(session)
        assert "in a shell: duotune adapters export shop.v1" in session.text
        await session.press("enter")
        assert "Exported shop.v1: 3 files" in flat(session)
        assert "Export (enter)" not in session.text
        await session.press("enter")
        assert "in a shell: duotune adapters show shop.v1" in session.text

    drive(play, size)
    assert (target / "adapter_model.safetensors").is_file()


def test_a_place_that_is_taken_is_told_in_the_dialog_and_can_be_corrected(shelf: Shelf, tmp_path: Path) -> None:
    shelf.publish("shop", "billing")
    taken = tmp_path / "me" / "shop.v1"
    taken.mkdir()
    (taken / "mine").write_text("mine")

    async def play(session: Session) -> None:
        await session.press("2", "enter", "x", "enter")
        assert "is not empty" in flat(session)
        await session.press("end", "2", "enter")
        assert "Exported shop.v1" in flat(session)

    drive(play, (200, 50))
    assert [file.name for file in taken.iterdir()] == ["mine"]
    assert (tmp_path / "me" / "shop.v12").is_dir()


def test_merge_names_what_it_takes_and_opens_the_run_that_does_it(
    size: tuple[int, int], micro_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_adapter(micro_model, tmp_path)
    monkeypatch.chdir(tmp_path)

    async def play(session: Session) -> None:
        await session.press("2", "enter", "m")
        assert "A whole copy of micro with the adapter folded in" in flat(session)
        assert "or it is deleted" in flat(session)
        await session.press("ctrl+u")
        await session.type("whole")
        assert "in a shell: duotune adapters merge shop.v1 whole" in session.text
        await session.press("enter")
        assert isinstance(session.app.screen, Monitor)
        await until(session, "✓ finished")
        assert "It made a whole model of shop.v1" in flat(session)
        assert "72 tokens of 6 recorded answers" in flat(session)
        assert "Loss" not in session.text
        assert "publish" not in session.text
        await session.press("escape")
        assert "in a shell: duotune adapters show shop.v1" in session.text

    drive(play, size)
    assert (tmp_path / "whole" / "duotune.json").is_file()


def test_without_recorded_answers_the_dialog_says_that_nothing_will_be_proven(shelf: Shelf) -> None:
    shelf.publish("shop", "billing")

    async def play(session: Session) -> None:
        await session.press("2", "enter", "m")
        assert "nothing will prove that it gives them" in flat(session)
        await session.press("escape")
        assert "in a shell: duotune adapters show shop.v1" in session.text

    drive(play)
    assert not list_runs()


def test_leaving_the_app_during_an_export_says_what_is_left(
    shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf.publish("shop", "billing")
    told: list[str] = []

    def left_meanwhile(*arguments: Any) -> None:
        told.extend(farewell())
        copy_directory(*arguments)

    monkeypatch.setattr("duotune.adapters.export.copy_directory", left_meanwhile)
    with open_catalog() as catalog:
        export(catalog.adapters.get("shop"), tmp_path / "out")
    assert told == [
        f"{tmp_path}/out was not finished. What was copied is in {tmp_path}/.out.duotune-draft; the next export to the "
        "same place deletes it."
    ]
    assert not list(farewell())


def test_the_disk_of_the_base_model_is_not_asked_on_the_event_loop(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf.publish("shop", "billing")
    asked: list[bool] = []
    access = os.access

    def looked(path: str | Path, mode: int) -> bool:
        if Path(path) == shelf.model.parent:
            asked.append(threading.current_thread() is threading.main_thread())
        return access(path, mode)

    monkeypatch.setattr(os, "access", looked)

    async def play(session: Session) -> None:
        await session.press("2", "enter", "m")
        assert f"{shelf.model.name}-shop.v1" in "".join(session.text.split())

    drive(play, (200, 50))
    assert asked == [False]


def test_what_is_withheld_has_neither_and_the_palette_has_both(shelf: Shelf) -> None:
    shelf.publish("shop", "billing")
    shelf.publish("wrong", "billing", verdict="harmful", fill=2)

    async def play(session: Session) -> None:
        await session.press("2", "enter")
        assert "wrong.v1" in session.text
        await session.press("x", "m")
        assert "To this directory" not in session.text
        await session.press("escape", "down", "enter", "ctrl+p")
        await session.type("merge")
        assert "Fold it into a copy of its base model" in session.text
        assert len(session.app.screen_stack[-2].query("FooterKey")) <= 7

    drive(play)


def test_the_monitor_of_a_merge_has_one_stage_its_aim_and_no_checkpoint(size: tuple[int, int]) -> None:
    order = MergeOrder(adapter="shop.v1", manifest_sha256="f", directory="/srv/models/whole")
    run = create_run(run_config("merge-shop"), kind="merge", order=order)
    run.log_file.write_text("stage merge begins\n")
    events = (
        RunStarted(pid=1, process_start=1, attempt=1),
        StageStarted(stage="merge"),
        ProgressMade(phase="fold", done=5 * 10**9, total=15 * 10**9, unit="bytes"),
    )
    write(run, *events)

    async def play(session: Session) -> None:
        with worked_on(run):
            await watch(session, run)
            assert "33 % of phase fold • time left unknown • 5 GB of 15 GB" in session.text
            assert "in /srv/models/whole." in flat(session)
            assert "[Overview] Log" in flat(session)
            assert "s Stop" in footer(session)
            await session.press("s")
            assert "What was written is deleted" in flat(session)
            await session.press("n")
        write(run, RunStopped())
        await session.settle()
        await until(session, "begins it anew")

    drive(play, size)
    with pytest.raises(UsageError, match="trained nothing"):
        open_start(run.id)
