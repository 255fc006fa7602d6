"""An ordinary user without the system install: units of their own systemd, which lasts beyond their login."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from duotune.config.write import dump_toml
from support.projects import make_project, small_run
from support.served_machine import UNIT, ServedMachine

pytestmark = pytest.mark.integration


def as_carl(served: ServedMachine, environment: Mapping[str, str], *arguments: str) -> str:
    return served.machine.check(*arguments, user="carl", environment=environment)


def _seen_by_vllm(served: ServedMachine, login: Mapping[str, str]) -> set[str]:
    """Names in duotune's home, as the process that serves sees it."""
    asked = as_carl(served, login, "systemctl", "--user", "show", "--property=MainPID", "--value", UNIT).strip()
    home = f"{login['HOME']}/.local/state/duotune"
    inside = served.machine.check("nsenter", f"--target={asked}", "--mount", "ls", home)
    return set(inside.split())


def test_users_own_vllm_makes_room_and_comes_back_and_boots(served: ServedMachine) -> None:
    login = served.lingering("carl")
    served.configure(listen=f"unix:{login['XDG_RUNTIME_DIR']}/duotune-vllm/vllm.sock", during_training="stop")
    served.publish(user="carl", environment=login)
    duotune = (sys.executable, "-m", "duotune")

    def status() -> dict[str, object]:
        asked = served.machine.run(*duotune, "serve", "status", "--json", user="carl", environment=login)
        found: dict[str, object] = json.loads(asked.stdout)
        return found

    as_carl(served, login, *duotune, "serve", "apply", "--yes")
    assert status()["good"]
    judged = as_carl(served, login, "systemd-analyze", "--user", "security", "--no-pager", UNIT)
    assert float(judged.rpartition("exposure level for vllm-duo.service: ")[2].split()[0]) <= 2.0
    seen = _seen_by_vllm(served, login)
    assert {"adapters", "serving"} <= seen
    assert not {"catalog.sqlite", "runs", "parts"} & seen
    assert served.machine.property(UNIT, "ActiveState") == "active"  # the system's is another one

    # Without the place where systemd builds a service's view, a user's one can hide nothing.
    served.machine.check("rmdir", "/run/systemd/unit-root")
    assert "hides no files from vLLM" in as_carl(served, login, *duotune, "serve", "plan")
    as_carl(served, login, *duotune, "serve", "apply", "--yes")
    assert {"catalog.sqlite", "adapters"} <= _seen_by_vllm(served, login)
    served.machine.check("systemd-run", "--wait", "--property=PrivateTmp=yes", "true")  # makes that place
    assert "hides no files" not in as_carl(served, login, *duotune, "serve", "plan")
    as_carl(served, login, *duotune, "serve", "apply", "--yes")
    assert "catalog.sqlite" not in _seen_by_vllm(served, login)

    make_project(served.machine.shared / "code", "json")
    served.machine.check("chown", "--recursive", "carl", "/srv/code")
    config = small_run(Path("/srv/code"), Path("/srv/model"), max_steps=1000)
    (served.machine.shared / "run.toml").write_text(dump_toml(config))
    said = json.loads(as_carl(served, login, *duotune, "run", "/srv/run.toml", "--detach", "--json"))
    found = status()
    assert (found["paused"], found["answers"]) == (True, False)
    as_carl(served, login, "systemctl", "--user", "kill", "--signal=KILL", f"duotune-run-{said['run']}.service")
    served.machine.wait_for(lambda: status()["good"] is True)

    served.machine.reboot()
    served.machine.wait_for(lambda: status()["good"] is True)
