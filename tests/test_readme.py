"""The README's commands, run as they stand on a real project with the bundled model."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from duotune.config.host import HostConfig
from duotune.config.load import parse
from duotune.config.run import RunConfig
from support.projects import make_project

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


@pytest.mark.timeout(900)  # it trains, which takes minutes where other tests run beside it
def test_commands_of_the_readme_work_in_order(tmp_path: Path) -> None:
    project = make_project(tmp_path / "billing", "json")
    program = tmp_path / "bin" / "duotune"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m duotune "$@"\n')
    program.chmod(0o755)
    shutil.copy(shutil.which("true") or "/bin/true", program.with_name("vllm"))  # `serve plan` only looks for it
    script = "\n".join(blocks("sh")).replace("/srv/git/billing", str(project))
    assert script.count("duotune ") >= 8
    environment = os.environ | {"PATH": f"{program.parent}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "billing.v1" in done.stdout
    assert "answers to be reproduced" in done.stdout  # of the adapter that `serve plan` shows
    status = subprocess.run(
        [str(program), "status", "billing", "--json"], env=environment, capture_output=True, text=True, check=True
    )
    state = json.loads(status.stdout)
    assert state["state"] == "finished"
    assert state["evaluation"]["sets"]["fim"]["n"] > 0


def test_configurations_of_the_readme_are_valid() -> None:
    run, host = blocks("toml")
    assert parse(RunConfig, tomllib.loads(run), "README.md").adapter.name == "billing"
    assert parse(HostConfig, tomllib.loads(host), "README.md").serving.executable == "/opt/vllm/bin/vllm"


def test_every_command_that_the_readme_names_exists() -> None:
    from duotune.cli.main import COMMANDS

    named = set(re.findall(r"`duotune ([a-z]+)", README))
    assert named <= set(COMMANDS)
    assert {"run", "resume", "serve", "assign"} <= named
