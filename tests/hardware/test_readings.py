"""Readings of this host, with and without a driver."""

from __future__ import annotations

from pathlib import Path

import pytest

from duotune.hardware import gpu as gpu_room
from duotune.hardware.gpu import Gpu, gpus, visible_gpus
from duotune.hardware.host import disk_free_bytes, read_host
from duotune.hardware.measured import measured_speed, remember_speed


def fake_gpu(index: int) -> Gpu:
    return Gpu(index, f"GPU-{index}aaa", "NVIDIA H200", 100, 40, None, None, None)


def test_host_without_a_driver_has_no_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    import pynvml

    def refuse() -> None:
        raise pynvml.NVMLError(pynvml.NVML_ERROR_LIBRARY_NOT_FOUND)

    monkeypatch.setattr(pynvml, "nvmlInit", refuse)
    assert gpus() == []


@pytest.mark.parametrize(
    ("visible", "indices"), [(None, [0, 1]), ("1", [1]), ("1,0", [1, 0]), ("GPU-1", [1]), ("", []), ("0,7,1", [0])]
)
def test_visible_gpus_follow_cuda_visible_devices(
    monkeypatch: pytest.MonkeyPatch, visible: str | None, indices: list[int]
) -> None:
    monkeypatch.setattr(gpu_room, "gpus", lambda: [fake_gpu(0), fake_gpu(1)])
    if visible is None:
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    else:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert [gpu.index for gpu in visible_gpus()] == indices


def test_disk_space_of_a_folder_that_does_not_exist_yet(tmp_path: Path) -> None:
    assert disk_free_bytes(tmp_path / "a" / "b") == pytest.approx(disk_free_bytes(tmp_path), rel=0.01)
    assert read_host().cores >= 1


def test_measured_speed_is_remembered_per_device_and_model() -> None:
    assert measured_speed("cpu", "m", "tokens") is None
    remember_speed("cpu", "m", "tokens", 12.5)
    remember_speed("cpu", "n", "tokens", 3.0)
    assert measured_speed("cpu", "m", "tokens") == 12.5
