"""The whole unit once with real vLLM on the CPU: confined, as a user of systemd's own, with a trained adapter."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from duotune.config.write import dump_toml
from support.little_machine import LittleMachine
from support.projects import make_project, small_run
from support.served_machine import UNIT, ServedMachine
from support.serving_home import ABSENT, SETTINGS, VLLM

pytestmark = [pytest.mark.integration, pytest.mark.timeout(1800), pytest.mark.skipif(bool(ABSENT), reason=ABSENT)]
DROP_IN = f"/etc/systemd/system/{UNIT}.d/cpu.conf"


@pytest.fixture
def served(machines: Path) -> Iterator[ServedMachine]:
    """A machine with a trained adapter, on which nothing was served yet."""
    command = VLLM.absolute() / "bin/vllm"
    with LittleMachine(machines / "vllm", needed=[command, command.with_name("python")]) as machine:
        served = ServedMachine(machine, str(command))
        served.configure(max_model_len=512)
        served.check("doctor", "--install")
        make_project(machine.shared / "code", "json")
        run = small_run(Path("/srv/code"), Path("tiny"), max_steps=4)
        evaluation = run.evaluation.model_copy(update={"fim_items": 16, "signature_items": 0})
        (machine.shared / "run.toml").write_text(dump_toml(run.model_copy(update={"evaluation": evaluation})))
        trained = json.loads(served.check("run", "/srv/run.toml", "--json").splitlines()[-1])
        if trained["published"]["state"] != "published":  # a few steps may do harm
            served.check("adapters", "publish", "small", "--force", "only its answers matter here")
        yield served


def test_confined_vllm_proves_the_adapter_and_comes_back_when_its_engine_dies(served: ServedMachine) -> None:
    settings = [f"Environment={name}={value}" for name, value in SETTINGS.items()]
    served.machine.write(DROP_IN, "\n".join(["[Service]", *settings, ""]))
    done = json.loads(served.check("serve", "apply", "--yes", "--json"))
    assert [probe["name"] for probe in done["probes"]] == ["base", "small.v1"]
    assert all(probe["distance"] < 0.1 for probe in done["probes"])
    pid = served.pid()
    served.machine.check("pkill", "-KILL", "-P", str(pid))  # its engine: vLLM then leaves with status 0
    served.machine.wait_for(lambda: served.pid() not in (0, pid), seconds=120)
    served.machine.wait_for(lambda: served.machine.property(UNIT, "ActiveState") == "active", seconds=600)
    assert served.serves()
