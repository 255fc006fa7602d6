"""`duotune serve` from the first plan to the stop, as an admin types it, over the stand-in for vLLM."""

from __future__ import annotations

import json
import re
import signal
from pathlib import Path

import pytest

from duotune import paths
from duotune.catalog.catalog import open_catalog
from duotune.cli.serving import interruptible
from duotune.cli.serving_foreground import warn_beside
from duotune.errors import ExitCode, HostError
from duotune.serving.service import NoService, ServiceState
from support.serving import misbehave, publish_adapter
from support.serving_home import ServingHome


def publish(model: Path, folder: Path, seed: int = 1) -> None:
    with open_catalog() as catalog:
        publish_adapter(catalog, model, folder, seed=seed)


def test_from_plan_to_stop(home: ServingHome, micro_model: Path, tmp_path: Path) -> None:
    publish(micro_model, tmp_path)
    planned = home.run("serve", "plan")
    assert planned.returncode == ExitCode.OK, planned.stderr
    for said in ("demo.v1", "4 at once, up to rank 8", "it will be started"):
        assert said in planned.stdout
    assert "lora-modules:" not in planned.stdout
    assert "--files" in planned.stderr
    whole = home.run("serve", "plan", "--files").stdout
    assert "lora-modules:" in whole
    assert "[Service]" not in whole  # there is no systemd, and so no unit
    nobody = home.run("serve", "apply", "--yes")
    assert nobody.returncode == ExitCode.ENVIRONMENT
    assert "--foreground" in nobody.stderr
    idle = home.run("serve", "status")
    assert idle.returncode == ExitCode.FAILED
    assert "stopped; there is no systemd on this host" in idle.stdout
    assert "`duotune serve apply --foreground` starts vLLM" in idle.stdout

    home.start()
    assert home.document("serve", "status")["models"] == ["base", "demo.v1"]
    assert "keeps vLLM running" in home.run("serve", "plan").stdout
    publish(micro_model, tmp_path, seed=2)
    unasked = home.run("serve", "apply")
    assert unasked.returncode == ExitCode.USAGE
    assert "--yes" in unasked.stderr
    applied = home.run("serve", "apply", "--yes")
    assert applied.returncode == ExitCode.OK, applied.stderr
    assert "demo.v2" in applied.stdout
    assert "loaded while vLLM runs" in applied.stderr
    assert "Nothing had to be done" in home.run("serve", "apply", "--yes").stderr

    misbehave(wrong=["demo.v3"])
    publish(micro_model, tmp_path, seed=3)
    failed = home.run("serve", "apply", "--yes", "--json")
    assert failed.returncode == ExitCode.FAILED
    assert "demo.v3 answers" in json.loads(failed.stdout)["error"]["message"]
    assert "last apply" in home.run("serve", "status").stdout
    alone = home.run("serve", "apply", "--yes", "--only", "demo.v2")
    assert "Nothing had to be done" in alone.stderr
    rolled = home.document("serve", "rollback", "--yes")
    assert [probe["name"] for probe in rolled["probes"]] == ["demo.v1"]
    status = home.run("serve", "status")
    assert status.returncode == ExitCode.OK
    shown = [line.split()[:2] for line in status.stdout.splitlines() if line[:1].isdigit()]
    assert shown == [["4", "serving"], ["3", "failed"], ["2", "replaced"], ["1", "replaced"]]
    assert "4, applied" in status.stdout
    assert re.search(r"^memory +\d+(\.\d+)? MiB of the host *$", status.stdout, re.MULTILINE)
    assert [one["state"] for one in home.document("serve", "status")["history"]] == [
        "serving", "failed", "replaced", "replaced",
    ]  # fmt: skip
    assert home.document("serve", "stop", "--yes") == {"stopped": True, "deployment": 4}
    assert not home.document("serve", "status")["answers"]
    home.stop()
    assert home.document("serve", "stop", "--yes") == {"stopped": False, "deployment": None}
    nobody = home.run("serve", "rollback", "2", "--yes")
    assert nobody.returncode == ExitCode.ENVIRONMENT
    assert "serve rollback --foreground" in nobody.stderr
    home.start("rollback", "2")
    assert home.document("serve", "status")["models"] == ["base", "demo.v2"]


def test_pinned_version_is_served_and_an_unknown_one_refused(
    home: ServingHome, micro_model: Path, tmp_path: Path
) -> None:
    publish(micro_model, tmp_path)
    publish(micro_model, tmp_path, seed=2)
    pinned = home.document("serve", "plan", "--only", "demo.v1")
    assert [adapter["name"] for adapter in pinned["adapters"]] == ["demo.v1"]
    assert home.run("serve", "plan", "--only", "nobody").returncode == ExitCode.USAGE


def test_training_policy_cannot_be_kept_without_systemd(home: ServingHome, micro_model: Path, tmp_path: Path) -> None:
    publish(micro_model, tmp_path)
    with (tmp_path / "host.toml").open("a") as file:
        file.write('during_training = "stop"\n')
    planned = home.run("serve", "plan")
    assert planned.returncode == ExitCode.FAILED
    assert "cannot be kept" in planned.stdout


def test_in_a_container_one_bad_adapter_does_not_mean_no_serving(
    home: ServingHome, micro_model: Path, tmp_path: Path
) -> None:
    publish(micro_model, tmp_path)
    home.start()
    home.stop()
    publish(micro_model, tmp_path, seed=2)
    misbehave(dies_with=["demo.v2"])
    said = home.start()
    assert "told to die of demo.v2" in said
    assert "the last good deployment is served instead" in said
    assert home.document("serve", "status")["models"] == ["base", "demo.v1"]
    assert home.document("serve", "stop", "--yes")["stopped"]

    with open_catalog() as catalog:  # refused by the plan already
        damaged = catalog.adapters.get("demo.v2")
    weights = paths.adapters() / damaged.name / "adapter_model.safetensors"
    weights.chmod(0o644)
    weights.write_bytes(b"")
    assert "the last good deployment is served instead" in home.start()
    assert home.document("serve", "status")["models"] == ["base", "demo.v1"]


def test_what_nohup_ignores_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with interruptible():
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
            signal.signal(signal.SIGHUP, signal.SIG_DFL)
        with interruptible(), pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)


class Systemd(NoService):
    """A host whose systemd could run vLLM, or does."""

    title = "systemd"
    up = False

    @property
    def unit_file(self) -> Path:
        return Path("/etc/systemd/system/vllm-duo.service")

    def unit_text(self) -> str:
        return "[Service]"

    def state(self) -> ServiceState:
        return ServiceState("running" if self.up else "stopped")


def test_foreground_is_never_beside_systemds_vllm_and_not_without_a_word(capsys: pytest.CaptureFixture[str]) -> None:
    warn_beside(NoService("none"))
    assert capsys.readouterr().err == ""
    warn_beside(Systemd(""))
    assert "does not come back after a boot" in capsys.readouterr().err

    class Running(Systemd):
        up = True

    with pytest.raises(HostError, match=r"vllm-duo\.service runs vLLM already"):
        warn_beside(Running(""))
