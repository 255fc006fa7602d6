"""A machine with systemd, on which duotune is installed and has applied a first deployment."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.little_machine import LittleMachine, why_not
from support.served_machine import UNIT, ServedMachine


@pytest.fixture(scope="session")
def machines(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for disks of machines; the test is skipped where none can run."""
    folder = tmp_path_factory.mktemp("machines")
    reason = why_not(folder)
    if reason:
        pytest.skip(reason)
    return folder


@pytest.fixture(scope="session")
def installed(machines: Path, micro_model: Path) -> Path:
    """The disk of a machine that was shut down while a stand-in of vLLM served `demo.v1`."""
    disk = machines / "installed"
    with LittleMachine(disk) as machine:
        served = ServedMachine(machine)
        served.set_up(micro_model)
        served.publish()
        served.check("serve", "apply", "--yes")
        assert served.serves()
        machine.shut_down()
    return disk


@pytest.fixture
def served(installed: Path, tmp_path: Path) -> Iterator[ServedMachine]:
    """That machine, started again: vLLM came up as it booted."""
    disk = tmp_path / "disk"
    subprocess.run(["cp", "--archive", str(installed), str(disk)], check=True)
    with LittleMachine(disk) as machine:
        machine.wait_for(lambda: machine.property(UNIT, "ActiveState") == "active")
        yield ServedMachine(machine)
