"""A worker outlives its starter, says why when it cannot start, and stops when asked."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from duotune.errors import HostError, RunFailed, UsageError
from duotune.runs import systemd
from duotune.runs.directory import RunDirectory, create_run
from duotune.runs.journal import read_events
from duotune.runs.launcher import launch, request_stop
from duotune.runs.lock import owner_of, try_lock
from support.runs import run_config

WORKER = """
import json, os, signal, sys, threading
from pathlib import Path
from duotune.runs.directory import RunDirectory
from duotune.runs.events import RunStarted, RunStopped
from duotune.runs.journal import Journal
from duotune.runs.lock import Owner, try_lock

run = RunDirectory(Path(sys.argv[1]))
stop = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: stop.set())
me = Owner.this_process()
facts = {
    "session": os.getsid(0) == os.getpid(),
    "descriptors": sorted(int(fd) for fd in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{fd}")),
    "stdin": os.readlink("/proc/self/fd/0"),
    "cwd": os.getcwd(),
}
(run.path / "facts.json").write_text(json.dumps(facts))
with try_lock(run.lock_file), Journal(run.journal_file) as journal:
    journal.append(RunStarted(pid=me.pid, process_start=me.process_start, attempt=1))
    stop.wait(60)
    journal.append(RunStopped())
"""


@pytest.fixture
def run() -> RunDirectory:
    return create_run(run_config())


@pytest.fixture
def worker(tmp_path: Path, run: RunDirectory) -> list[str]:
    script = tmp_path / "fake_worker.py"
    script.write_text(WORKER)
    return [sys.executable, str(script), str(run.path)]


def wait_for_end(pid: int) -> None:
    os.waitpid(pid, 0)


def test_worker_has_a_session_of_its_own_and_inherits_no_descriptor(run: RunDirectory, worker: list[str]) -> None:
    read_end, write_end = os.pipe()
    os.set_inheritable(write_end, True)
    launched = launch(run, worker)
    os.close(read_end)
    os.close(write_end)
    assert launched.how == "session"
    pid = request_stop(run)
    assert pid == launched.pid or launched.pid is None
    wait_for_end(pid)
    facts = json.loads((run.path / "facts.json").read_text())
    assert facts == {"session": True, "descriptors": [0, 1, 2], "stdin": "/dev/null", "cwd": str(run.path)}
    assert run.state().state == "stopped"


def test_worker_outlives_a_killed_starter(run: RunDirectory, worker: list[str]) -> None:
    starter = textwrap.dedent(f"""
        import os, signal, sys
        from pathlib import Path
        from duotune.runs.directory import RunDirectory
        from duotune.runs.launcher import launch
        launch(RunDirectory(Path({str(run.path)!r})), {worker!r})
        print("up", flush=True)
        os.killpg(0, signal.SIGHUP)
    """)
    done = subprocess.run([sys.executable, "-c", starter], capture_output=True, text=True, start_new_session=True)
    assert done.returncode == -signal.SIGHUP
    pid = request_stop(run)
    process = os.pidfd_open(pid)
    select.select([process], [], [], 60)
    os.close(process)
    assert run.state().state == "stopped"


def test_worker_that_dies_at_once_shows_the_end_of_its_log(run: RunDirectory) -> None:
    with pytest.raises(RunFailed, match="no such adapter wheel"):
        launch(run, [sys.executable, "-c", "raise SystemExit('no such adapter wheel')"])
    again = [sys.executable, "-c", "raise SystemExit('still not')"]
    with pytest.raises(RunFailed, match="still not"):
        launch(run, again)
    assert [e.type for e in read_events(run.journal_file).events] == ["run_created", "run_resumed"]


def test_run_with_a_live_worker_is_not_launched_again(run: RunDirectory, worker: list[str]) -> None:
    launch(run, worker)
    with pytest.raises(UsageError, match="already being worked on"):
        launch(run, worker)
    wait_for_end(request_stop(run))


def test_a_worker_of_another_user_is_named_without_pidfds_too(
    run: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "pidfd_open", refused)
    monkeypatch.setattr(os, "kill", refused)
    with try_lock(run.lock_file) or pytest.fail("locked"), pytest.raises(HostError, match="belongs to another user"):
        request_stop(run)


def test_stopping_a_run_without_worker_is_refused(run: RunDirectory) -> None:
    with pytest.raises(UsageError, match="not being worked on"):
        request_stop(run)


SYSTEMCTL = """#!/bin/sh
case "$*" in
*is-active*) [ -e "$ARGUMENTS.dead" ] && echo inactive || echo active ;;
*) echo running ;;
esac
"""
SYSTEMD_RUN = """#!/bin/sh
printf '%s\\n' "$@" > "$ARGUMENTS"
while [ "$1" != "--" ]; do shift; done
shift
if [ "$1" = dies ]; then touch "$ARGUMENTS.dead"; else setsid "$@" < /dev/null > /dev/null 2>&1 & fi
"""


@pytest.fixture
def fake_systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A systemd that answers; returns the file into which it writes the arguments of systemd-run."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, text in (("systemctl", SYSTEMCTL), ("systemd-run", SYSTEMD_RUN)):
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    monkeypatch.setenv("ARGUMENTS", str(tmp_path / "arguments"))
    monkeypatch.setattr(systemd, "BOOTED", tmp_path)
    monkeypatch.setattr(systemd, "LINGER", tmp_path / "linger")
    (tmp_path / "linger").mkdir()
    (tmp_path / "linger" / systemd._user_name()).touch()
    return tmp_path / "arguments"


def test_systemd_starts_the_worker_as_a_service_without_secrets(
    run: RunDirectory, worker: list[str], fake_systemd: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hunter2")
    launched = launch(run, worker)
    assert (launched.how, launched.unit) == ("systemd", f"duotune-run-{run.id}")
    request_stop(run)
    arguments = fake_systemd.read_text().splitlines()
    assert f"--unit=duotune-run-{run.id}" in arguments
    assert "--setenv=DUOTUNE_HOME" in arguments
    assert not any("AWS_SECRET" in argument or "hunter2" in argument for argument in arguments)
    assert arguments[arguments.index("--") + 1 :] == worker


@pytest.mark.usefixtures("fake_systemd")
def test_service_that_dies_at_once_is_noticed(run: RunDirectory) -> None:
    with pytest.raises(RunFailed, match="died as it started"):
        launch(run, ["dies"])


def test_vanished_run_is_not_launched(run: RunDirectory) -> None:
    run.path.rename(run.path.with_name("elsewhere"))
    with pytest.raises(HostError, match="is gone"):
        launch(run)


def test_systemd_that_refuses_is_passed_over_with_a_note(
    run: RunDirectory, worker: list[str], fake_systemd: Path
) -> None:
    (fake_systemd.parent / "bin" / "systemd-run").write_text("#!/bin/sh\necho 'Access denied' >&2\nexit 1\n")
    launched = launch(run, worker)
    assert launched.how == "session"
    assert "Access denied" in launched.note
    wait_for_end(request_stop(run))
    assert owner_of(run.lock_file) is None


def test_user_manager_without_linger_is_not_trusted(fake_systemd: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(systemd, "_user_name", lambda: "ann")
    manager, reason = systemd.find_manager()
    assert manager is None
    assert "enable-linger ann" in reason
