"""What vLLM holds, in words and as JSON."""

from __future__ import annotations

import os

from duotune.serving.memory import held_by
from support.nvml import GIB, Card, Driver, installed


def test_a_service_is_asked_on_every_gpu_and_strangers_do_not_count() -> None:
    first, second = Card(held={os.getpid(): 38 * GIB, 1: GIB}), Card(held={1: 2 * GIB})
    with installed(Driver(first, second)):
        held = held_by(os.getpid())
    assert held is not None
    assert held.gpus == {0: 38 * GIB}
    assert held.resident > 20 << 20


def test_nothing_that_runs_holds_nothing() -> None:
    assert held_by(None) is None
    assert held_by(2**22 + 1) is None  # no process can have this number
