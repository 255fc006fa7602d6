"""What is told of a start: where it is, and why it failed, from lines that vLLM really writes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import pytest

from duotune.endpoint.client import Endpoint
from duotune.errors import CheckFailed
from duotune.serving import waiting
from duotune.serving.service import NoService, Service, ServiceState
from duotune.serving.waiting import phase_of, telling, wait_until_ready

ENGINE = "(EngineCore_DP0 pid=88) ERROR 11-22 15:31:02 [core.py:712] "
DEATH = [
    f"{ENGINE}EngineCore failed to start.",
    f"{ENGINE}Traceback (most recent call last):",
    f'{ENGINE}  File "/opt/vllm/lora/utils.py", line 300, in get_adapter_absolute_path',
    f"{ENGINE}ValueError: LoRA rank 64 is greater than max_lora_rank 16.",
    *(f"{ENGINE}  File number {number} of the traceback" for number in range(80)),
    "(APIServer pid=70)     raise RuntimeError(",
    "(APIServer pid=70) RuntimeError: Engine core initialization failed. See root cause above. Failed core proc(s): {}",
]


def test_the_first_cause_is_told_though_the_server_that_waited_for_it_wrote_last() -> None:
    assert telling(DEATH) == [
        "ValueError: LoRA rank 64 is greater than max_lora_rank 16.",
        "RuntimeError: Engine core initialization failed. See root cause above. Failed core proc(s): {}",
    ]


def test_without_exceptions_the_last_lines_are_told() -> None:
    assert telling(["one", "", "two"]) == ["one", "two"]
    assert telling(["fine", "INFO no errors so far", "ERROR: out of space", "fine"]) == [
        "INFO no errors so far",
        "ERROR: out of space",
    ]


def test_the_phase_is_the_newest_that_the_log_tells_of() -> None:
    log = [
        "INFO Initializing a V1 LLM engine",
        "INFO Loading safetensors checkpoint shards: 50%",
        "INFO something else",
    ]
    assert phase_of(log) == "loading weights"
    assert phase_of(["nothing of ours"]) == ""


OLD = ServiceState("running", pid=1, start="old")
STOPPING = ServiceState("stopping", pid=1, start="old")
BETWEEN = ServiceState("starting", start="old")
NEW = ServiceState("starting", pid=2, start="new")


@dataclass(frozen=True)
class Scripted(NoService):
    """Says one state after the other, and goes on with the last one."""

    says: Sequence[ServiceState] = ()

    def state(self) -> ServiceState:
        first, *rest = self.says
        if rest:
            object.__setattr__(self, "says", rest)
        return first

    def log(self, lines: int, start: str = "") -> list[str]:
        return [f"ValueError: of {start or 'some start'}"]


class Answering:
    """A server that answers whoever asks."""

    asked = 0

    def healthy(self) -> bool:
        self.asked += 1
        return True


def waited(*states: ServiceState) -> tuple[int, list[str]]:
    """How often the server was asked, and what was told."""
    server, told = Answering(), list[str]()
    service = cast(Service, Scripted("none", says=states))
    wait_until_ready(service, cast(Endpoint, server), lambda phase, _: told.append(phase), "old")
    return server.asked, told


@pytest.fixture
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "POLL_SECONDS", 0)


@pytest.mark.usefixtures("_at_once")
def test_vllm_that_still_ends_is_never_asked() -> None:
    assert waited(BETWEEN, STOPPING, STOPPING, OLD, BETWEEN, NEW) == (1, ["stopping the vLLM before"] * 5)


@pytest.mark.usefixtures("_at_once")
@pytest.mark.parametrize(
    ("states", "said"),
    [
        ([STOPPING, ServiceState("failed", detail="x", start="new")], r"ended while it started \(x\)\.\n.*of new"),
        ([STOPPING, ServiceState("restarting", start="new")], "ended while it started"),
        ([STOPPING, ServiceState("starting", start="new"), ServiceState("starting", pid=3, start="newer")],
         r"was started again\.\n.*ValueError: of new$"),
        ([STOPPING, ServiceState("failed", detail="limit", start="old")], r"was not started \(limit\)\.$"),
    ],
)  # fmt: skip
def test_start_that_fails_is_told_by_what_it_wrote_itself(states: list[ServiceState], said: str) -> None:
    with pytest.raises(CheckFailed) as died:
        waited(*states)
    assert re.search(said, died.value.message)
