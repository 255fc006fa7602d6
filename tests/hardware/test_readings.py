"""Readings of this host, with and without a driver."""

from __future__ import annotations

from pathlib import Path

import pytest

from duotune.hardware import gpu as gpu_room
from duotune.hardware.gpu import Gpu, driver, gpus, visible_gpus
from duotune.hardware.host import disk_free_bytes, read_host
from duotune.hardware.measured import measured_speed, remember_speed
from support.nvml import GIB, Card, Driver, installed


def fake_gpu(index: int) -> Gpu:
    return Gpu(index, f"GPU-{index}aaa", "NVIDIA H200", 100, 40, None, None, None)


def test_a_gpu_is_read_as_its_driver_tells_it_through_nvmls_own_bindings() -> None:
    card = Card(total=100 * GIB, held={41: 60 * GIB, 42: 5 * GIB}, reserved=GIB)
    with installed(Driver(Card(name="NVIDIA L4"), card)):
        small, large = gpus()
        known = driver()
    assert known == ("610.43.02", "13.3")
    assert (small.name, small.index, small.processes) == ("NVIDIA L4", 0, ())
    assert large == Gpu(
        1, "GPU-1aaa", "NVIDIA H200", 100 * GIB, 65 * GIB, 87, 61, 512.3, ((41, 60 * GIB), (42, 5 * GIB)), GIB
    )
    assert large.memory_free_bytes == 34 * GIB


def test_a_driver_that_tells_less_leaves_gaps_and_no_error() -> None:
    with installed(Driver(Card(held={41: GIB}, reserved=GIB, quiet=True), old=True)):
        found = gpus()[0]
    assert (found.utilization_percent, found.temperature_celsius, found.power_watts) == (None, None, None)
    assert found.processes == ()
    assert found.memory_used_bytes == 2 * GIB
    assert found.memory_free_bytes == 138 * GIB


def test_a_gpu_that_fell_off_its_bus_takes_no_other_with_it() -> None:
    with installed(Driver(Card(lost=True), Card())):
        assert [gpu.index for gpu in gpus()] == [1]


def test_the_driver_is_opened_once_and_again_only_after_it_has_failed() -> None:
    with installed(Driver(Card())) as stand_in:
        assert len(gpus() + gpus() + gpus()) == 3
        assert stand_in.opened == 1
        stand_in.unload()
        assert gpus() == []
        stand_in.installed = True
        assert len(gpus()) == 1
        assert (stand_in.opened, stand_in.clients) == (2, 1)
        stand_in.cards[0].lost = True
        assert gpus() == []
        stand_in.cards[0].lost = False  # after a reset
        assert len(gpus()) == 1
        assert (stand_in.opened, stand_in.clients) == (3, 1)


def test_host_without_a_driver_has_no_gpus() -> None:
    with installed(Driver(installed=False)):
        assert gpus() == []
        assert driver() is None


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
