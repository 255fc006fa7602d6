"""What front ends import: nothing heavy, checked in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {"torch", "transformers", "peft", "datasets", "pyarrow", "numpy", "accelerate", "sentence_transformers"}
ROOT = Path(__file__).parents[1] / "src"
FRONT_ENDS = sorted(f"duotune.cli.{file.stem}" for file in (ROOT / "duotune/cli").glob("[a-z]*.py"))
APP = sorted(
    ".".join(file.relative_to(ROOT).with_suffix("").parts)
    for room in ("screens", "widgets")
    for file in (ROOT / "duotune" / room).rglob("[a-z]*.py")
)


def loaded_after(code: str) -> set[str]:
    script = f"import sys, json\n{code}\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    modules: list[str] = json.loads(done.stdout.splitlines()[-1])
    return {module.partition(".")[0] for module in modules} | set(modules)


def test_help_imports_nothing_but_click_and_ourselves() -> None:
    modules = loaded_after("from duotune.cli.main import run\nrun(['--help'])")
    assert not modules & (HEAVY | {"pydantic", "rich", "textual", "boto3", "tokenizers", "sqlite3"})


@pytest.mark.parametrize("module", [*FRONT_ENDS, "duotune.plan.resolve", "duotune.serving.deployment"])
def test_front_ends_never_load_training_libraries(module: str) -> None:
    assert not loaded_after(f"import {module}") & (HEAVY | {"boto3"})


def test_no_module_of_the_app_loads_training_libraries() -> None:
    imports = "\n".join(f"import {module}" for module in ("duotune.app", *APP))
    assert len(APP) > 5
    assert not loaded_after(imports) & (HEAVY | {"boto3"})


def test_the_first_paint_waits_for_textual_and_ourselves_alone() -> None:
    modules = loaded_after("import duotune.app, duotune.screens.home.screen")
    assert not modules & (HEAVY | {"pydantic", "boto3", "tokenizers", "sqlite3", "yaml", "psutil", "httpx2", "pynvml"})
