"""Serving under the real systemd, with a stand-in for vLLM."""

from __future__ import annotations

import json
import sys

import pytest

from duotune.errors import ExitCode
from support.served_machine import HOME, SOCKET, UNIT, ServedMachine

pytestmark = pytest.mark.integration
READY = "import sys; from duotune.serving.ready import healthy; sys.exit(not healthy(sys.argv[1]))"
DROP_IN = f"/etc/systemd/system/{UNIT}.d/ours.conf"


def active(served: ServedMachine) -> bool:
    return served.machine.property(UNIT, "ActiveState") == "active"


def test_boot_brings_vllm_back_and_a_killed_one_is_started_again(served: ServedMachine) -> None:
    found = served.status()
    assert (found["good"], found["models"]) == (True, ["base", "demo.v1"])
    pid = served.pid()
    served.machine.check("kill", "-KILL", str(pid))
    served.machine.wait_for(lambda: served.pid() not in (0, pid) and active(served))
    assert served.machine.property(UNIT, "NRestarts") == "1"
    served.machine.lose_power()
    served.machine.boot()
    served.machine.wait_for(lambda: active(served))
    assert served.serves()


def test_start_blocks_until_vllm_answers_and_a_failing_one_rolls_back(served: ServedMachine) -> None:
    served.machine.check("systemctl", "restart", UNIT)
    assert served.serves()  # at once
    served.publish(seed=2)
    served.configure(max_loras=5)  # which is read at the start
    served.misbehave(dies_with=["demo.v2"])
    refused = served.duotune("serve", "apply", "--yes")
    assert refused.returncode == ExitCode.FAILED
    assert "told to die of demo.v2" in refused.stderr
    assert "What was served before is served again" in refused.stderr
    found = served.status()
    assert (found["good"], found["models"]) == (True, ["base", "demo.v1"])
    served.misbehave()
    served.check("serve", "apply", "--yes")
    assert served.status()["models"] == ["base", "demo.v2"]


@pytest.mark.parametrize("lingers", ["answering", "deaf"])
def test_restart_proves_the_new_vllm_however_long_the_old_one_takes_to_end(served: ServedMachine, lingers: str) -> None:
    served.misbehave(lingers=lingers)
    served.machine.check("systemctl", "restart", UNIT)
    served.publish(seed=2)
    served.configure(max_loras=5)
    served.misbehave()
    pid = served.pid()
    served.check("serve", "apply", "--yes")
    assert (served.status()["models"], served.status()["good"]) == (["base", "demo.v2"], True)
    assert served.pid() != pid

    served.misbehave(lingers=lingers)
    served.machine.check("systemctl", "restart", UNIT)
    served.configure(max_loras=6)
    served.misbehave(dies=True)
    refused = served.duotune("serve", "apply", "--yes")
    assert refused.returncode == ExitCode.FAILED
    assert "ended while it started" in refused.stderr
    assert [one["state"] for one in served.status()["history"]] == ["failed", "serving", "replaced"]


def test_earlier_starts_are_not_blamed(served: ServedMachine) -> None:
    served.publish(seed=2)
    served.misbehave(dies_with=["demo.v2"])
    served.configure(max_loras=5)
    assert "told to die of demo.v2" in served.duotune("serve", "apply", "--yes").stderr
    served.misbehave(dies=True)
    second = served.duotune("serve", "apply", "--yes")
    assert "RuntimeError: told to die\n" in second.stderr
    assert "demo.v2" not in second.stderr.partition("told to die")[2]


def test_missing_command_changes_nothing_and_one_with_a_space_is_started(served: ServedMachine) -> None:
    pid = served.pid()
    served.machine.check("cp", "/srv/vllm", "/srv/vllm too")
    served.executable = "/srv/missing"
    served.configure()
    refused = served.duotune("serve", "apply", "--yes")
    assert refused.returncode == ExitCode.FAILED
    assert "/srv/missing is not on this host" in refused.stderr.replace("\n", " ")
    assert served.pid() == pid
    served.executable = "/srv/vllm too"
    served.configure()
    served.check("serve", "apply", "--yes")
    assert served.serves()
    assert served.pid() != pid


def test_hot_change_rollback_and_stop(served: ServedMachine) -> None:
    pid = served.pid()
    served.publish(seed=2)
    served.check("serve", "apply", "--yes")
    assert served.status()["models"] == ["base", "demo.v2"]
    assert served.pid() == pid
    served.check("serve", "rollback", "--yes")
    assert served.status()["models"] == ["base", "demo.v1"]
    served.check("serve", "stop", "--yes")
    assert served.machine.property(UNIT, "ActiveState") == "inactive"
    asked = served.duotune("serve", "status", "--json")
    assert asked.returncode == ExitCode.FAILED
    assert json.loads(asked.stdout)["service"] == "stopped"
    done = json.loads(served.check("serve", "apply", "--yes", "--json"))
    assert [probe["name"] for probe in done["probes"]] == ["base", "demo.v2"]
    assert served.serves()


def test_drop_in_is_named_and_kept_with_its_credential(served: ServedMachine) -> None:
    text = "[Service]\nEnvironment=OURS=1\nLoadCredential=token:/etc/duotune/token\n"
    served.machine.write(DROP_IN, text)
    served.machine.write("/etc/duotune/token", "secret", mode=0o600)
    served.configure(max_loras=5)
    said = served.duotune("serve", "apply", "--yes")
    assert said.returncode == ExitCode.OK, said.stderr
    assert DROP_IN in said.stderr.replace("\n", "").replace(" ", "")
    assert served.machine.check("cat", DROP_IN) == text
    environment = served.machine.check("cat", f"/proc/{served.pid()}/environ").split("\0")
    assert "OURS=1" in environment
    (folder,) = (line.partition("=")[2] for line in environment if line.startswith("CREDENTIALS_DIRECTORY="))
    within = ["nsenter", "-t", str(served.pid()), "-m", "--"]
    assert served.machine.check(*within, "cat", f"{folder}/token") == "secret"


def test_edited_unit_is_noticed_and_a_copy_of_it_kept(served: ServedMachine) -> None:
    file = f"/etc/systemd/system/{UNIT}"
    ours = served.machine.check("cat", file)
    edited = ours.replace("RestartSec=5s", "RestartSec=50s")
    served.machine.write(file, edited)
    refused = served.duotune("serve", "apply", "--yes")
    assert refused.returncode == ExitCode.FAILED
    assert "the unit was edited by hand" in refused.stderr.replace("\n", " ").replace("  ", " ")
    assert served.machine.check("cat", file) == edited
    served.check("serve", "apply", "--yes", "--overwrite")
    assert served.machine.check("cat", file) == ours
    assert served.machine.check("sh", "-c", f"cat {HOME}/serving/{UNIT}.edited-*") == edited
    assert served.machine.property(UNIT, "NeedDaemonReload") == "no"


def test_another_user_reads_nothing_and_a_member_uses_the_socket(served: ServedMachine) -> None:
    machine = served.machine
    machine.check("useradd", "alice")
    machine.check("useradd", "--groups", "duotune", "bob")
    weights = f"{HOME}/adapters/demo.v1/adapter_model.safetensors"
    asking = [sys.executable, "-c", READY, SOCKET]
    for user, may in (("alice", False), ("bob", True)):
        assert (machine.run("cat", weights, user=user).returncode == 0) is may
        assert (machine.run(*asking, user=user, environment=served.environment()).returncode == 0) is may
    assert machine.run("sh", "-c", f"echo >> {weights}", user="bob").returncode != 0

    user, group = (machine.property(UNIT, name) for name in ("UID", "GID"))
    assert int(user) > 60000  # one of systemd's own
    as_vllm = ["nsenter", "-t", str(served.pid()), "-m", "--", "setpriv", f"--reuid={user}", f"--regid={group}"]
    machine.check(*as_vllm, "--clear-groups", "cat", weights)
    for place in (f"{HOME}/serving/vllm.yaml", f"{HOME}/new", "/var/tmp/new/er", "/etc/new"):
        assert machine.run(*as_vllm, "--clear-groups", "sh", "-c", f"echo >> {place}").returncode != 0


def test_vllm_sees_published_adapters_and_no_catalog_runs_or_datasets(served: ServedMachine) -> None:
    machine = served.machine
    machine.check("sh", "-c", f"mkdir -m 2770 {HOME}/runs {HOME}/datasets && echo secret > {HOME}/datasets/rows")
    assert "catalog.sqlite" in machine.check("ls", HOME).split()
    first, pid = f"{HOME}/adapters/demo.v1/adapter_model.safetensors", served.pid()
    user, group = (machine.property(UNIT, name) for name in ("UID", "GID"))
    as_vllm = [
        "nsenter",
        "-t",
        str(pid),
        "-m",
        "--",
        "setpriv",
        f"--reuid={user}",
        f"--regid={group}",
        "--clear-groups",
    ]
    assert machine.check(*as_vllm, "ls", HOME).split() == ["adapters", "serving"]
    for hidden in ("catalog.sqlite", "datasets/rows"):
        assert machine.run(*as_vllm, "cat", f"{HOME}/{hidden}").returncode != 0
    second = f"{served.publish(seed=2)}/adapter_model.safetensors"
    for weights in (first, second):  # the second was published after the start
        assert len(machine.check(*as_vllm, "sha256sum", weights)) > 64
    served.check("serve", "apply", "--yes")
    assert (served.status()["models"], served.pid()) == (["base", "demo.v2"], pid)


def test_base_model_in_our_home_is_seen(served: ServedMachine) -> None:
    served.machine.check("cp", "-r", "/srv/model", f"{HOME}/models")
    served.machine.check("chgrp", "-R", "duotune", f"{HOME}/models")
    served.configure(base=f"{HOME}/models")
    served.check("serve", "apply", "--yes")
    within = ["nsenter", "-t", str(served.pid()), "-m", "--"]
    assert "config.json" in served.machine.check(*within, "ls", f"{HOME}/models").split()


def test_changed_drop_in_is_taken_up_by_a_restart(served: ServedMachine) -> None:
    assert served.document("serve", "plan")["change"]["kind"] == "none"
    pid = served.pid()
    for reloads, text in ((False, "Environment=OURS=1"), (True, "Environment=OURS=2")):
        served.machine.write(DROP_IN, f"[Service]\n{text}\n")
        if reloads:  # as `systemctl edit` does
            served.machine.check("systemctl", "daemon-reload")
        change = served.document("serve", "plan")["change"]
        assert change["kind"] == "restart"
        assert f"{DROP_IN} changed since vLLM was started" in change["why"]
        served.check("serve", "apply", "--yes")
        assert text.partition("=")[2] in served.machine.check("cat", f"/proc/{served.pid()}/environ").split("\0")
        assert served.document("serve", "plan")["change"]["kind"] == "none"
    served.machine.check("rm", DROP_IN)
    assert "changed since vLLM was started" in served.document("serve", "plan")["change"]["why"]
    assert served.pid() != pid


def test_renamed_unit_is_refused_until_the_old_one_is_gone(served: ServedMachine) -> None:
    served.configure(unit="new-name.service")
    refused = served.duotune("serve", "apply", "--yes")
    assert refused.returncode == ExitCode.FAILED
    assert f"systemctl disable --now {UNIT}" in refused.stderr.replace("\n", " ")
    served.machine.check("systemctl", "disable", "--now", UNIT)
    served.machine.check("rm", f"/etc/systemd/system/{UNIT}")
    served.check("serve", "apply", "--yes")
    assert served.serves()
    assert served.machine.property("new-name.service", "ActiveState") == "active"


def test_member_starts_and_stops_vllm_and_nothing_else(served: ServedMachine) -> None:
    machine = served.machine
    if machine.run("systemctl", "start", "polkit.service").returncode != 0:
        pytest.skip("polkit is not installed")
    machine.check("useradd", "alice")
    machine.check("useradd", "--groups", "duotune", "bob")
    other = "systemd-journald.service"
    for user, unit, may in (("alice", UNIT, False), ("bob", UNIT, True), ("bob", other, False)):
        done = machine.run("systemctl", "--no-ask-password", "restart", unit, user=user)
        assert (done.returncode == 0) is may, done.stderr
    served.publish(seed=2)
    served.configure(max_loras=5)
    served.check("serve", "apply", "--yes", user="bob")
    assert served.status()["models"] == ["base", "demo.v2"]
    pid = served.pid()
    served.configure(listen="127.0.0.1:8000")
    refused = served.duotune("serve", "apply", "--yes", user="bob")
    assert refused.returncode == ExitCode.FAILED
    assert "apply this once as root" in refused.stderr.replace("\n", " ")
    assert served.pid() == pid
    served.check("serve", "stop", "--yes", user="bob")
    assert not active(served)


def test_two_admins_apply_at_once_and_the_state_is_whole(served: ServedMachine) -> None:
    served.publish(seed=2)
    served.configure(max_loras=5)
    both = [served.start("serve", "apply", "--yes") for _ in range(2)]
    said = [process.communicate() for process in both]
    codes = [process.returncode for process in both]
    assert ExitCode.OK in codes
    for code, (_, error) in zip(codes, said, strict=True):
        refused = code == ExitCode.ENVIRONMENT and "is being changed by root" in error
        overtaken = code == ExitCode.USAGE and "has changed since" in error
        assert code == ExitCode.OK or refused or overtaken, error
    found = served.status()
    assert (found["good"], found["models"]) == (True, ["base", "demo.v2"])
    assert [one["state"] for one in found["history"]].count("serving") == 1


def test_root_without_the_system_install_does_not_run_vllm_as_root(served: ServedMachine) -> None:
    machine, own = served.machine, "/var/lib/own"
    served.check("serve", "stop", "--yes")
    environment = {**served.environment(), "DUOTUNE_HOME": own}
    served.publish(environment=environment)
    command = [sys.executable, "-m", "duotune", "serve", "apply", "--yes"]
    machine.check("chmod", "-R", "o-rwx", own)
    refused = machine.run(*command, environment=environment)
    assert refused.returncode == ExitCode.FAILED
    assert f"the unit's user cannot enter {own}" in refused.stderr.replace("\n", " ")
    machine.check("chmod", "-R", "a+rX", own)
    machine.check(*command, environment=environment)
    assert int(machine.property(UNIT, "UID")) > 60000  # one of systemd's own
