"""A newcomer's whole way in a real terminal, with keys alone: from the first start to the serving plan."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from duotune.catalog.catalog import open_catalog
from duotune.runs.directory import list_runs
from support.projects import make_project
from support.tmux import ABSENT, Tmux

DUOTUNE = [sys.executable, "-m", "duotune"]


@pytest.mark.slow
@pytest.mark.timeout(1500)
@pytest.mark.skipif(bool(ABSENT), reason=ABSENT)
def test_from_the_first_start_to_the_serving_plan_with_keys_alone(tmp_path: Path) -> None:
    project = make_project(tmp_path / "billing", "json", "logging", "importlib", "concurrent/futures", "email")
    with Tmux(DUOTUNE) as terminal:
        terminal.wait_for("Welcome to duotune", "Nothing", "Train your first adapter")
        terminal.press("n")
        terminal.wait_for("none yet", "F4 adds")
        terminal.press("F4")
        terminal.wait_for("Add a project")
        terminal.type(str(project))
        terminal.press("Enter")
        terminal.wait_for("[x]  billing", "41 files")
        terminal.press("F8")
        terminal.wait_for("▶ Files", "to train on; about")
        terminal.press("F8")
        terminal.wait_for("▶ Data and storage", "Recipes")
        terminal.press("F8")
        terminal.wait_for("▶ Model", "F4 lists models")
        terminal.press("F4")
        terminal.wait_for("Base models of this host", "Qwen2")
        terminal.press("Enter")
        terminal.wait_for("completes in the middle", "Memory", "Time")
        terminal.press("F8")
        terminal.wait_for("▶ Review", "Ready", "41 files kept")
        terminal.press("F8")
        terminal.wait_for("duotune status", "prepare")
        terminal.press("C-q")
        terminal.wait_for("goes on. `duotune` comes back to it", "ended with 0")
    (run,) = list_runs()

    with Tmux(DUOTUNE) as terminal:
        terminal.wait_for(run.id, "prepare", "train")  # it lands on the run
        terminal.wait_for("✓ finished", seconds=900)
        terminal.press("e")
        terminal.wait_for("fim:", "95 % interval", "billing.v1")
        terminal.press("Escape", "Escape", "3")
        terminal.wait_for("trained on it", "billing")
        terminal.press("a")
        terminal.wait_for("Adapters for billing", "billing.v1")
        terminal.press("Space", "Enter")
        terminal.wait_for("duotune assign billing billing")
        terminal.press("4", "p")
        terminal.wait_for("billing.v1", "slots", "duotune serve plan")
        terminal.press("C-q")
        terminal.wait_for("ended with 0")
    with open_catalog() as catalog:
        assert catalog.assignments.all() == {"billing": ("billing",)}
        assert catalog.adapters.get("billing.v1").run == run.id
