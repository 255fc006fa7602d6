"""Serving from the app: plan, apply, a change while it runs, history and roll-back, over the stand-in for vLLM."""

from __future__ import annotations

import time
from pathlib import Path

from duotune.catalog.catalog import open_catalog
from duotune.screens.serving.screen import Serving
from support.app import Session, drive
from support.serving import misbehave, publish_adapter
from support.serving_home import ServingHome

PATIENCE_SECONDS = 120


def publish(model: Path, folder: Path, seed: int) -> None:
    with open_catalog() as catalog:
        publish_adapter(catalog, model, folder, seed=seed)


async def until_done(session: Session, number: int) -> None:
    """Wait until the change that makes a deployment has ended, and the screen shows so."""
    screen = session.app.screen
    assert isinstance(screen, Serving)

    def over() -> bool:
        history = screen._served.history if screen._served is not None else ()
        begun = [one for one in history if one.id >= number]
        return screen._request is None and bool(begun) and begun[0].state != "applying"

    deadline = time.monotonic() + PATIENCE_SECONDS
    while not over():
        assert time.monotonic() < deadline, session.text
        await session.pilot.pause(0.2)
    await session.settle()


async def apply(session: Session, number: int) -> None:
    """Plan, and carry the plan out as that deployment."""
    await session.press("p", "a", "y")
    await until_done(session, number)


def states() -> list[str]:
    with open_catalog() as catalog:
        return [one.state for one in catalog.deployments.all()]


def test_a_plan_is_shown_applied_changed_while_it_runs_and_taken_back(
    home: ServingHome, micro_model: Path, tmp_path: Path
) -> None:
    publish(micro_model, tmp_path, 1)

    async def play(session: Session) -> None:
        await session.press("4")
        assert "none yet" in session.text
        await session.press("p")
        assert "demo.v1" in session.text
        assert "in a shell: duotune serve plan" in session.text
        await session.press("a")
        assert "in the background until you stop it" in " ".join(session.text.split())
        await session.press("y")
        await until_done(session, 1)
        assert "demo.v1" in session.text
        publish(micro_model, tmp_path, 2)
        await session.press("p")
        assert "loaded while vLLM runs" in session.text
        await session.press("a", "y")
        await until_done(session, 2)
        await session.press("right_square_bracket", "right_square_bracket", "right_square_bracket")
        assert "demo.v2" in session.text
        await session.press("down", "enter")
        assert "Nothing had served before it" in session.text
        await session.press("b", "y")
        await until_done(session, 3)

    drive(play, (120, 40))
    assert states() == ["serving", "replaced", "replaced"]
    assert home.document("serve", "status")["models"] == ["base", "demo.v1"]


def test_an_adapter_that_answers_wrongly_is_named_and_what_served_before_serves_again(
    home: ServingHome, micro_model: Path, tmp_path: Path
) -> None:
    publish(micro_model, tmp_path, 1)

    async def play(session: Session) -> None:
        await session.press("4")
        await apply(session, 1)
        publish(micro_model, tmp_path, 2)
        misbehave(wrong=["demo.v2"])
        await apply(session, 2)
        assert "demo.v2 answers" in session.notes
        session.app.clear_notifications()  # they would stand over what is opened
        await session.press("left", "left")
        row = next(line for line in session.text.splitlines() if "✗ failed" in line)
        assert row.endswith("…")
        assert "\\n" not in row
        await session.press("up", "enter")
        assert "demo.v2 answers" in session.text
        assert "never served, so it cannot be served again" in " ".join(session.text.split())
        assert "serves it again" not in session.text
        session.app.clear_notifications()
        await session.settle()
        seen = session.text
        await session.press("end")
        seen += session.text
        assert "What it would have changed, compared with deployment 1" in seen
        assert any("│ +" in line and "demo.v2" in line for line in seen.splitlines())
        await session.press("b")
        assert "Serve deployment" not in session.text
        await session.press("escape", "down", "enter")
        assert "serves it again" not in session.text  # it does already, and nothing else has

    drive(play)
    assert states() == ["failed", "serving"]


def test_the_files_of_a_plan_are_shown_before_anything_is_written(
    home: ServingHome, micro_model: Path, tmp_path: Path
) -> None:
    publish(micro_model, tmp_path, 1)

    async def play(session: Session) -> None:
        await session.press("4", "right", "right")
        await session.press("left", "p", "right")
        assert "[Files]" in session.text
        assert "This is what the plan would write" in session.text
        assert "vllm.yaml" in session.text
        assert "lora-modules" in session.text

    drive(play, (120, 60))
    assert states() == []


def test_a_plan_that_is_refused_is_not_applied_and_says_why(
    home: ServingHome, micro_model: Path, tmp_path: Path
) -> None:
    publish(micro_model, tmp_path, 1)
    with (tmp_path / "host.toml").open("a") as file:
        file.write('during_training = "stop"\n')

    async def play(session: Session) -> None:
        await session.press("4", "p")
        assert "This would be refused" in session.text
        assert "Apply" not in session.text.splitlines()[-1]
        await session.press("a")
        assert "Apply this plan?" not in session.text

    drive(play)
    assert states() == []
