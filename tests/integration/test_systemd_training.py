"""One GPU for both: vLLM stops while runs train, and serves again however they end."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from duotune.config.host import ServingConfig
from duotune.config.write import dump_toml
from duotune.errors import ExitCode
from duotune.runs.pause import pause_name
from support.projects import make_project, small_run
from support.served_machine import UNIT, ServedMachine

pytestmark = pytest.mark.integration
PAUSE = pause_name(ServingConfig())


def prepare(served: ServedMachine) -> None:
    """A host that stops vLLM for training, and a run's configuration in it."""
    served.configure(during_training="stop")
    served.check("serve", "apply", "--yes")
    make_project(served.machine.shared / "code", "json")
    config = small_run(Path("/srv/code"), Path("/srv/model"), max_steps=1000)
    (served.machine.shared / "run.toml").write_text(dump_toml(config))


def train(served: ServedMachine) -> str:
    """Begin a run; returns its unit."""
    said = served.check("run", "/srv/run.toml", "--detach", "--json")
    return f"duotune-run-{json.loads(said)['run']}.service"


def active(served: ServedMachine, unit: str = UNIT) -> bool:
    return served.machine.property(unit, "ActiveState") == "active"


def kill(served: ServedMachine, unit: str) -> None:
    served.machine.check("systemctl", "kill", "--signal=KILL", unit)
    served.machine.wait_for(lambda: not active(served, unit))


def test_vllm_makes_room_and_serves_again_after_the_last_worker_was_killed(served: ServedMachine) -> None:
    prepare(served)
    for _ in range(2):  # with the boot's, as many starts as a failing vLLM gets within an hour
        served.machine.check("systemctl", "restart", UNIT)
    first, second = train(served), train(served)
    assert not active(served)
    assert served.status()["paused"]
    for change in ("apply", "stop"):
        refused = served.duotune("serve", change, "--yes")
        assert refused.returncode in (ExitCode.FAILED, ExitCode.ENVIRONMENT)
        assert "a run trains" in refused.stderr.replace("A run", "a run").replace("\n", " ")
    kill(served, first)
    assert active(served, PAUSE)
    assert not active(served)
    kill(served, second)
    served.machine.wait_for(lambda: active(served))
    assert served.serves()


def test_run_that_begins_while_vllm_still_stops_for_another_keeps_it_stopped_too(served: ServedMachine) -> None:
    prepare(served)
    served.misbehave(lingers="answering")
    served.machine.check("systemctl", "restart", UNIT)
    beginning = [served.start("run", "/srv/run.toml", "--detach", "--json")]
    served.machine.wait_for(lambda: served.machine.property(UNIT, "ActiveState") == "deactivating")
    beginning.append(served.start("run", "/srv/run.toml", "--detach", "--json"))
    units = [f"duotune-run-{json.loads(process.communicate()[0])['run']}.service" for process in beginning]
    for unit in units:
        assert PAUSE in served.machine.property(unit, "Requires")
        assert not active(served)
        kill(served, unit)
    served.machine.wait_for(lambda: active(served))


def test_reboot_while_a_run_trains_brings_vllm_back(served: ServedMachine) -> None:
    prepare(served)
    train(served)
    assert not active(served)
    served.machine.lose_power()
    served.machine.boot()
    served.machine.wait_for(lambda: active(served))
    assert served.serves()


def test_vllm_that_was_stopped_on_purpose_stays_so(served: ServedMachine) -> None:
    prepare(served)
    served.check("serve", "stop", "--yes")
    unit = train(served)
    assert not active(served, PAUSE)
    kill(served, unit)
    assert not active(served)
    assert served.machine.property(UNIT, "Job") in ("", "0")


@pytest.mark.parametrize("stopped_before", [False, True])
def test_vllm_started_by_hand_stops_the_run_with_a_checkpoint_that_resume_goes_on_from(
    served: ServedMachine, stopped_before: bool
) -> None:
    prepare(served)
    if stopped_before:
        served.check("serve", "stop", "--yes")
    unit = train(served)
    assert (active(served), active(served, PAUSE)) == (False, not stopped_before)
    run = unit.removeprefix("duotune-run-").removesuffix(".service")

    def state() -> dict[str, Any]:
        found: dict[str, Any] = json.loads(served.duotune("status", run, "--json").stdout)
        return found

    served.machine.wait_for(lambda: bool(state()["step"]))
    served.machine.check("systemctl", "start", UNIT)  # which returns when vLLM answers
    assert (active(served), active(served, unit), active(served, PAUSE)) == (True, False, False)
    told = served.check("status", run)
    stopped = state()
    assert stopped["state"] == "stopped"
    assert stopped["checkpoint"]["step"] == stopped["step"]
    assert "somebody stopped its service, or started vLLM" in told
    assert f"Go on with `duotune resume {run}`" in told
    served.check("resume", run, "--detach")
    assert (active(served), active(served, unit), active(served, PAUSE)) == (False, True, True)
    served.machine.wait_for(lambda: state()["step"] > stopped["step"])
    served.check("stop", run)
    served.machine.wait_for(lambda: active(served))
    assert served.check("status", run).count("somebody stopped its service") == 1


def test_vllm_that_was_stopped_before_a_run_is_not_started_beside_it(served: ServedMachine) -> None:
    prepare(served)
    served.check("serve", "stop", "--yes")
    unit = train(served)
    for change in ("apply", "rollback"):
        refused = served.duotune("serve", change, "--yes")
        assert refused.returncode == ExitCode.FAILED
        assert "a run trains, and has the GPU to itself" in refused.stderr
    assert not active(served)
    kill(served, unit)
    served.check("serve", "apply", "--yes")
    assert served.serves()
