"""The GPU memory that a run will find, with a vLLM that makes room for it and with one that stays."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from duotune.config.host import ServingConfig
from duotune.hardware.estimate import MemoryEstimate
from duotune.hardware.gpu import Gpu
from duotune.plan.checks import memory_check
from duotune.plan.resolve import free_bytes
from duotune.runs import systemd

GIB = 1 << 30
FULL = Gpu(0, "GPU-1", "a GPU", 80 * GIB, 74 * GIB, None, None, None)
SYSTEMCTL = """#!/bin/sh
case "$*" in
    *is-system-running) echo running ;;
    *"is-active vllm-duo.service") echo "$VLLM" ;;
esac
"""


@pytest.mark.parametrize(
    ("policy", "vllm", "free"),
    [("stop", "active", 78 * GIB), ("stop", "inactive", 6 * GIB), ("keep", "active", 6 * GIB)],
)
def test_share_of_a_vllm_that_makes_room_is_free_for_a_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, policy: str, vllm: str, free: int
) -> None:
    (tmp_path / "systemctl").write_text(SYSTEMCTL)
    (tmp_path / "systemctl").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("VLLM", vllm)
    monkeypatch.setattr(systemd, "BOOTED", tmp_path)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    serving = ServingConfig.model_validate({"during_training": policy, "gpu_memory_utilization": 0.9})
    assert free_bytes(FULL, serving) == free


@pytest.mark.parametrize(
    ("answers", "remedy"), [(0, "training.per_device_train_batch_size"), (99, "evaluation.batch_size")]
)
def test_the_batch_that_takes_the_memory_is_the_one_to_lower(answers: int, remedy: str) -> None:
    estimate = MemoryEstimate(10, 10, 10, 10, answers, 10)
    check = memory_check(estimate, estimate.total_bytes - 10, "cpu")
    assert check.status == "warning"
    assert f"Lower data.sequence_length or {remedy}," in check.hint


def test_no_more_is_free_than_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("duotune.plan.resolve.freed_bytes", lambda *_: 72 * GIB)
    assert free_bytes(Gpu(0, "GPU-1", "a GPU", 80 * GIB, 0, None, None, None), ServingConfig()) == 80 * GIB
