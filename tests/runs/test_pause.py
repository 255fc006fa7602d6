"""Making room for a run: promised only where systemd can keep the promise."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from duotune import paths
from duotune.config.host import ServingConfig
from duotune.errors import HostError
from duotune.runs import systemd
from duotune.runs.directory import create_run
from duotune.runs.launcher import launch
from duotune.runs.pause import make_room, refusal
from duotune.runs.systemd import Manager
from support.runs import run_config

STOP = ServingConfig(during_training="stop")
SYSTEMCTL = """#!/bin/sh
echo "$@" >> "$ASKED"
case "$*" in
    *is-system-running) echo running ;;
    *"list-jobs $WAITING") echo "   95 $WAITING start waiting" ;;
    *is-active*) for active in $ACTIVE; do case "$*" in *"$active") echo active;; esac; done ;;
esac
"""


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A systemd in which the units of `$ACTIVE` are active; what it was asked."""
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "systemctl").write_text(SYSTEMCTL)
    (programs / "systemd-run").write_text("#!/bin/sh\necho 'Unit vllm-duo-pause.target not found.' >&2\nexit 1\n")
    for program in programs.iterdir():
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    monkeypatch.setenv("ASKED", str(tmp_path / "asked"))
    monkeypatch.setenv("ACTIVE", "vllm-duo.service")
    monkeypatch.setenv("WAITING", "nothing")
    monkeypatch.setattr(systemd, "BOOTED", tmp_path)
    monkeypatch.setattr(systemd, "LINGER", tmp_path / "linger")
    (tmp_path / "linger").mkdir()
    (tmp_path / "linger" / systemd._user_name()).touch()
    return tmp_path / "asked"


def test_without_systemd_a_run_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(systemd, "BOOTED", tmp_path / "nowhere")
    assert refusal(ServingConfig(), inherit=True) == ""
    assert "no systemd" in refusal(STOP, inherit=False)
    run = create_run(run_config())
    with pytest.raises(HostError, match=r"cannot make room for the run.*no systemd"):
        launch(run, ["true"], serving=STOP)
    assert not run.log_file.exists()


@pytest.mark.usefixtures("asked")
def test_run_with_keys_of_the_environment_is_refused() -> None:
    assert refusal(STOP, inherit=False) == ""
    assert "no unit" in refusal(STOP, inherit=True)


@pytest.mark.usefixtures("asked")
def test_members_runs_cannot_stop_the_systems_vllm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(systemd, "_user_name", lambda: "ann")
    (systemd.LINGER / "ann").touch()
    assert refusal(STOP, inherit=False) == ""
    monkeypatch.setattr(paths, "SYSTEM_HOME", paths.home())
    assert "belongs to the system's systemd" in refusal(STOP, inherit=False)


def test_only_a_vllm_that_runs_or_is_paused_already_makes_room(asked: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    manager = Manager(user=False)
    paused = ("Requires=vllm-duo-pause.target", "After=vllm-duo-pause.target")
    assert make_room(ServingConfig(), manager) == ()
    assert make_room(STOP, manager) == paused
    assert "--no-ask-password reset-failed vllm-duo.service" in asked.read_text().splitlines()
    monkeypatch.setenv("ACTIVE", "vllm-duo-pause.target")
    assert make_room(STOP, manager) == paused
    monkeypatch.setenv("ACTIVE", "")
    assert make_room(STOP, manager) == ("Conflicts=vllm-duo.service", "After=vllm-duo.service")
    for waiting in ("vllm-duo-pause.target", "vllm-duo.service"):  # for vLLM to stop, or for the last run to end
        monkeypatch.setenv("WAITING", waiting)
        assert make_room(STOP, manager) == paused


@pytest.mark.usefixtures("asked")
def test_worker_never_trains_beside_a_vllm_that_should_have_stopped() -> None:
    with pytest.raises(HostError, match=r"pause\.target not found"):
        launch(create_run(run_config()), ["true"], serving=STOP)
