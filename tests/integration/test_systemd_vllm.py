"""The whole unit with real vLLM on the CPU: confined, as a user of systemd's own, with trained adapters.

One machine serves all tests of this file, which go on from what is served there.
"""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from duotune.config.run import RunConfig
from duotune.config.write import dump_toml
from support.little_machine import LittleMachine
from support.projects import make_project, small_run
from support.served_machine import SOCKET, UNIT, ServedMachine
from support.serving_home import ABSENT, SETTINGS, VLLM

pytestmark = [pytest.mark.integration, pytest.mark.timeout(1800), pytest.mark.skipif(bool(ABSENT), reason=ABSENT)]
DROP_IN = f"/etc/systemd/system/{UNIT}.d/cpu.conf"
MODELS = """
import sys
from duotune.endpoint.address import parse_address
from duotune.endpoint.client import Endpoint
with Endpoint(parse_address(sys.argv[1])) as endpoint:
    for model in endpoint.models():
        print(model.name, model.max_model_len)
"""


def train(served: ServedMachine, name: str, rank: int) -> None:
    """Train an adapter for a few steps and publish it, whatever harm they do."""
    run = small_run(Path("/srv/code"), Path("tiny"), name, max_steps=4)
    sections = {
        "lora": run.lora.model_copy(update={"r": rank}),
        "evaluation": run.evaluation.model_copy(update={"fim_items": 16, "signature_items": 0}),
    }
    config: RunConfig = run.model_copy(update=sections)
    (served.machine.shared / "run.toml").write_text(dump_toml(config))
    trained = json.loads(served.check("run", "/srv/run.toml", "--json").splitlines()[-1])
    if trained["published"]["state"] != "published":
        served.check("adapters", "publish", name, "--force", "only its answers matter here")


def apply(served: ServedMachine) -> dict[str, float]:
    """Apply what is published and set; returns each model's distance from what was recorded."""
    done = served.document("serve", "apply", "--yes")
    return {probe["name"]: probe["distance"] for probe in done["probes"]}


def restarted(served: ServedMachine) -> tuple[dict[str, Any], dict[str, float]]:
    """Apply what needs a restart, and see that it was one and that vLLM is well; returns the plan and the distances."""
    before = served.pid(), served.machine.property(UNIT, "InvocationID")
    plan = served.document("serve", "plan")
    assert plan["change"]["kind"] == "restart"
    assert (served.pid(), served.machine.property(UNIT, "InvocationID")) == before
    distances = apply(served)
    after = served.pid(), served.machine.property(UNIT, "InvocationID")
    assert all(new and new != old for new, old in zip(after, before, strict=True))
    assert served.serves()
    assert served.document("serve", "plan")["change"]["kind"] == "none"
    return plan, distances


def models(served: ServedMachine, address: str) -> list[str]:
    """Name of each model that vLLM lists, and the longest text that it takes."""
    environment = served.environment()
    return served.machine.check(sys.executable, "-c", MODELS, address, environment=environment).splitlines()


def arguments(served: ServedMachine) -> str:
    """What the vLLM that runs now says that it was told."""
    start = f"_SYSTEMD_INVOCATION_ID={served.machine.property(UNIT, 'InvocationID')}"
    log = served.machine.check("journalctl", "--no-pager", "--output=cat", start)
    (line,) = (line for line in log.splitlines() if "non-default args" in line)
    return line


@pytest.fixture(scope="module")
def served(machines: Path) -> Iterator[ServedMachine]:
    """A machine with a trained adapter, on which nothing was served yet."""
    command = VLLM.absolute() / "bin/vllm"
    with LittleMachine(machines / "vllm", needed=[command, command.with_name("python")]) as machine:
        served = ServedMachine(machine, str(command))
        served.configure(max_model_len=512)
        served.check("doctor", "--install")
        make_project(machine.shared / "code", "json")
        train(served, "small", rank=4)
        settings = [f"Environment={name}={value}" for name, value in SETTINGS.items()]
        machine.write(DROP_IN, "\n".join(["[Service]", *settings, ""]))
        yield served


@pytest.fixture(scope="module")
def first(served: ServedMachine) -> dict[str, float]:
    """The first apply: each model's distance from what was recorded."""
    return apply(served)


def test_confined_vllm_proves_the_adapter_and_comes_back_when_its_engine_dies(
    served: ServedMachine, first: dict[str, float]
) -> None:
    assert list(first) == ["base", "small.v1"]
    assert all(distance < 0.1 for distance in first.values())
    pid = served.pid()
    served.machine.check("pkill", "-KILL", "-P", str(pid))  # its engine: vLLM then leaves with status 0
    served.machine.wait_for(lambda: served.pid() not in (0, pid), seconds=120)
    served.machine.wait_for(lambda: served.machine.property(UNIT, "ActiveState") == "active", seconds=600)
    assert served.serves()


@pytest.mark.usefixtures("first")
def test_context_length_slots_and_rank_ceiling_are_changed_by_a_restart_that_is_proven(served: ServedMachine) -> None:
    train(served, "wide", rank=24)
    assert models(served, SOCKET) == ["base 512", "small.v1 None"]
    served.configure(max_model_len=384, max_loras=2)
    plan, distances = restarted(served)
    assert plan["change"]["why"].startswith("max-lora-rank, max-loras and max-model-len change")
    assert list(distances) == ["base", "small.v1", "wide.v1"]
    assert all(distance < 0.1 for distance in distances.values())
    assert models(served, SOCKET) == ["base 384", "small.v1 None", "wide.v1 None"]
    told = arguments(served)
    for setting in ("'max_lora_rank': 32", "'max_loras': 2", "'max_model_len': 384"):
        assert setting in told


@pytest.mark.usefixtures("first")
def test_address_is_changed_by_a_restart_that_is_proven(served: ServedMachine) -> None:
    with socket.socket() as probe:  # the machine's network is the host's
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    served.configure(max_model_len=384, max_loras=2, listen=address)
    plan, distances = restarted(served)
    assert plan["change"]["why"] == "The unit changes, so vLLM will be restarted."
    assert all(distance < 0.1 for distance in distances.values())
    assert "base 384" in models(served, address)
    assert served.machine.run("test", "-e", SOCKET.removeprefix("unix:")).returncode != 0
