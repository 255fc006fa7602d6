"""vLLM in the foreground of another process: adapters come and go, and what needs a start is refused before."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from duotune.catalog.catalog import Catalog
from duotune.config.host import HostConfig, ServingConfig
from duotune.errors import CheckFailed, HostError
from duotune.runs.lock import Owner
from duotune.serving import elsewhere as outside
from duotune.serving.apply import apply, roll_back
from duotune.serving.elsewhere import Elsewhere, Nobody, elsewhere, log_file
from duotune.serving.foreground import Foreground
from duotune.serving.planning import plan_deployment
from duotune.serving.status import read_status
from support.serving import applied, free_port, publish_adapter, served


def seen_from_outside() -> Elsewhere:
    found = elsewhere()
    assert found is not None
    return found


def test_change_that_needs_a_restart_is_refused_by_the_plan(
    catalog: Catalog, host: HostConfig, service: Foreground, micro_model: Path, tmp_path: Path
) -> None:
    publish_adapter(catalog, micro_model, tmp_path)
    applied(catalog, host, service)
    before = catalog.deployments.all()
    other = seen_from_outside()
    publish_adapter(catalog, micro_model, tmp_path, "wide", seed=2, r=16)
    planned = plan_deployment(catalog, host, other)
    assert planned.change.kind == "restart"
    (refused,) = planned.refusals()
    assert "end that one with `duotune serve stop`, and apply with --foreground" in refused.detail
    with pytest.raises(CheckFailed, match="which alone can start it again"):
        apply(catalog, host, other, planned, lambda *_: None)
    with pytest.raises(CheckFailed, match="which alone can start it again"):
        roll_back(catalog, host, other, before[0], lambda *_: None)
    assert catalog.deployments.all() == before
    assert served(host) == ["base", "demo.v1"]
    publish_adapter(catalog, micro_model, tmp_path, seed=2)
    narrow = plan_deployment(catalog, host, other, ["demo"])
    assert (narrow.change.kind, narrow.refusals()) == ("hot", [])


def test_other_processes_see_the_pid_of_vllm_and_how_often_it_was_started_again(
    catalog: Catalog, host: HostConfig, service: Foreground, micro_model: Path, tmp_path: Path
) -> None:
    assert seen_from_outside().state().phase == "starting"
    publish_adapter(catalog, micro_model, tmp_path)
    applied(catalog, host, service)
    pid = service.state().pid
    assert pid not in (None, os.getpid())
    assert seen_from_outside().state() == service.state()
    os.kill(pid or 0, signal.SIGKILL)
    service.revive(lambda _: None)
    found = seen_from_outside().state()
    assert found == service.state()
    assert (found.restarts, found.pid == pid) == (1, False)


def test_process_that_does_not_end_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outside, "STOP_SECONDS", 0)
    monkeypatch.setattr(outside, "POLL_SECONDS", 0)
    deaf = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); signal.pause()"
    with subprocess.Popen([sys.executable, "-c", deaf], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        stat = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
        owner = Owner.this_process().model_copy(update={"pid": process.pid, "process_start": int(stat[19])})
        try:
            with pytest.raises(HostError, match=f"Process {process.pid}, .* did not end"):
                Elsewhere(owner).stop()
        finally:
            process.kill()
    Elsewhere(owner).stop()  # gone: nothing to wait for


def test_the_last_log_can_be_read_when_nothing_runs_any_more(catalog: Catalog) -> None:
    log_file().parent.mkdir(parents=True, exist_ok=True)
    log_file().write_text("its first line\nwhat it died of\n")
    service = Nobody("there is no systemd on this host")
    assert service.log(1) == ["what it died of"]
    assert read_status(catalog, HostConfig(serving=ServingConfig(listen=f"127.0.0.1:{free_port()}")), service).log
