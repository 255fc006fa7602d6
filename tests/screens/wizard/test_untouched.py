"""A draft that is but looked at stays as it is, to the last digit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from duotune.screens.wizard.draft import Draft
from duotune.screens.wizard.keeping import keep, read_kept
from duotune.screens.wizard.pane import FormPane
from support.app import Session, drive
from support.projects import make_project, small_run
from support.wizard import next_step, until, wizard

BRIEF = {"model": {"path": "tiny"}, "name": "shop", "adapter": {"name": "shop"}}
ODD: dict[str, Any] = {
    "lora": {"r": 8, "lora_dropout": 0, "target_modules": ["q_proj"]},
    "training": {"learning_rate": 0.000123456789012, "num_train_epochs": 1, "max_minutes": 0},
}


def written(draft: Draft) -> str:
    """As it is kept: 0 and 0.0 are equal, and yet two texts."""
    return json.dumps(draft.data, sort_keys=True)


@pytest.mark.parametrize("settings", [BRIEF, BRIEF | ODD, None], ids=["brief", "odd numbers", "all"])
def test_walking_through_all_steps_changes_nothing(tmp_path: Path, settings: dict[str, Any] | None) -> None:
    source = make_project(tmp_path / "shop", "json", "logging")
    project = {"name": "shop", "source": str(source)}
    whole = small_run(source, Path("tiny"), "shop").model_dump(mode="json")
    before = Draft(whole if settings is None else settings | {"projects": [project]})
    keep(before, "projects")

    async def play(session: Session) -> None:
        await session.press("n")
        await until(session, "goes on with your draft")
        for title in ("Files", "Data and storage", "Model"):
            await next_step(session, title)
            pane = wizard(session)._pane
            if isinstance(pane, FormPane):
                pane._unfold()
                await session.settle()
        await until(session, "Memory")
        await next_step(session, "Review")
        await until(session, "Ready")
        for _ in range(4):
            await session.press("f7")
        assert written(wizard(session).draft) == written(before)
        await session.press("escape")
        await until(session, lambda: len(session.app.screen_stack) == 1)

    drive(play)
    assert written(read_kept().draft) == written(before)
