"""The quick start as `make demo` runs it: real projects, the bundled model, minutes."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

from duotune.config.load import load_run_config
from duotune.config.write import dump_toml

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_quick_start_lowers_the_loss_on_held_out_middles_and_breaks_nothing(tmp_path: Path) -> None:
    config = load_run_config(ROOT / "examples" / "quickstart.toml")
    found = importlib.util.find_spec("textual")
    assert found is not None
    assert found.submodule_search_locations is not None
    checkout, textual = config.projects
    textual = textual.model_copy(update={"source": found.submodule_search_locations[0]})
    file = tmp_path / "quickstart.toml"
    file.write_text(dump_toml(config.model_copy(update={"projects": [checkout, textual]})))
    command = [sys.executable, "-m", "duotune", "run", str(file), "--json"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    state = json.loads(done.stdout.splitlines()[-1])
    metrics = state["evaluation"]["sets"]["fim"]["metrics"]
    assert metrics["gold_loss"]["interval"][1] < 0
    for kept in ("exact_match", "stopped_by_itself"):
        assert metrics[kept]["interval"][1] >= 0, f"{kept} is shown to fall"
    assert state["published"]["state"] == "published"
    assert state["results"]["prepare"]["leaked"] == 0
