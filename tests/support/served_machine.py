"""A little machine on which duotune is installed, with published adapters and a vLLM stand-in."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from support.little_machine import LittleMachine
from support.serving import STAND_IN

CHECKOUT = Path(__file__).parent.parent.parent
HOME = Path("/var/lib/duotune")
SOCKET = "unix:/run/duotune-vllm/vllm.sock"
UNIT = "vllm-duo.service"
_PUBLISH = """
import os, sys
from pathlib import Path
from duotune.catalog.catalog import open_catalog
from support.serving import publish_adapter
os.umask(0o007)
with open_catalog() as catalog:
    done = publish_adapter(catalog, Path("/srv/model"), Path("/tmp/trained"), sys.argv[1], int(sys.argv[2]))
print(done.local_path)
"""


class ServedMachine:
    """What an admin does on such a machine.

    Args:
        machine: The machine, running.
        executable: vLLM's command.
    """

    def __init__(self, machine: LittleMachine, executable: str = "/srv/vllm") -> None:
        self.machine = machine
        self.executable = executable

    def set_up(self, model: Path) -> None:
        """Install duotune, with the stand-in as vLLM and `model` in `/srv/model`."""
        shared = self.machine.shared
        shutil.copytree(model, shared / "model")
        (shared / "vllm").write_text(f'#!/bin/sh\nexec "{sys.executable}" "{STAND_IN}" "$@"\n')
        self.machine.check("chmod", "-R", "a+rX", "/srv")
        self.machine.check("chmod", "a+x", "/srv/vllm")
        self.configure()
        self.check("doctor", "--install")

    def configure(self, **settings: Any) -> None:
        """Write the host's configuration; over a socket unless something else is said."""
        serving = {"executable": self.executable, "listen": SOCKET, **settings}
        lines = [f"{key} = {json.dumps(value)}" for key, value in serving.items()]
        self.machine.write("/etc/duotune/duotune.toml", "\n".join(["[serving]", *lines, ""]))

    def lingering(self, user: str) -> Mapping[str, str]:
        """Make a user whose systemd runs from the boot on; returns the environment of a login of theirs.

        A real machine's logind tells that systemd where its sockets go.
        """
        home, machine = f"/var/lib/{user}", self.machine
        machine.check("useradd", "--create-home", "--home-dir", home, user)
        machine.write(f"/var/lib/systemd/linger/{user}", "")
        where = "[Service]\nEnvironment=XDG_RUNTIME_DIR=/run/user/%i\n[Install]\nWantedBy=multi-user.target\n"
        machine.write("/etc/systemd/system/user@.service.d/where.conf", where)
        machine.check("systemctl", "daemon-reload")
        number = machine.check("id", "--user", user).strip()
        machine.check("systemctl", "enable", "--now", f"user@{number}.service")
        return {**self.environment(), "HOME": home, "XDG_RUNTIME_DIR": f"/run/user/{number}"}

    def duotune(self, *arguments: str, user: str = "") -> subprocess.CompletedProcess[str]:
        """Run a command of duotune's."""
        command = [sys.executable, "-m", "duotune", *arguments]
        return self.machine.run(*command, user=user, environment=self.environment())

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Begin a command of duotune's."""
        return self.machine.start(sys.executable, "-m", "duotune", *arguments, environment=self.environment())

    def check(self, *arguments: str, user: str = "") -> str:
        """Run a command of duotune's that must succeed; returns its standard output."""
        command = [sys.executable, "-m", "duotune", *arguments]
        return self.machine.check(*command, user=user, environment=self.environment())

    def publish(
        self, name: str = "demo", seed: int = 1, user: str = "", environment: Mapping[str, str] | None = None
    ) -> str:
        """Publish an adapter; returns its directory."""
        command = [sys.executable, "-c", _PUBLISH, name, str(seed)]
        variables = {**self.environment(), **(environment or {})}
        return self.machine.check(*command, user=user, environment=variables).strip()

    def misbehave(self, **switches: object) -> None:
        """Switch the stand-in's misbehaviour; without arguments it behaves again."""
        self.machine.write(f"{HOME}/serving/behaviour.json", json.dumps(switches))

    def status(self) -> dict[str, Any]:
        """`duotune serve status --json`."""
        found: dict[str, Any] = json.loads(self.duotune("serve", "status", "--json").stdout)
        return found

    def document(self, *arguments: str) -> Any:
        """The JSON answer of a command that must succeed."""
        return json.loads(self.check(*arguments, "--json"))

    def serves(self) -> bool:
        """Whether vLLM answers with what was applied."""
        return bool(self.status()["good"])

    def pid(self) -> int:
        """vLLM's process id in the machine; 0 when there is none."""
        return int(self.machine.property(UNIT, "MainPID"))

    @staticmethod
    def environment() -> Mapping[str, str]:
        """What the checkout's code needs."""
        variables = {"PYTHONPATH": f"{CHECKOUT}/src:{CHECKOUT}/tests", "OMP_NUM_THREADS": "1"}
        return variables | {name: os.environ[name] for name in ("OMP_WAIT_POLICY",) if name in os.environ}
