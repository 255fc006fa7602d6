"""The systemd unit: read back by systemd's own verifier, and safe against what paths may hold."""

from __future__ import annotations

import grp
import os
import pwd
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from duotune import paths
from duotune.config.host import ServingConfig
from duotune.errors import UsageError
from duotune.serving.unit import quote, render

CONFIG = Path("/var/lib/duotune/serving/vllm.yaml")


def test_engine_death_is_always_restarted() -> None:
    text = render(CONFIG, ServingConfig(executable="/opt/vllm/bin/vllm"))
    assert "Restart=always\n" in text
    assert f"ExecStart=/opt/vllm/bin/vllm serve --config {CONFIG}\n" in text
    assert "$" not in "".join(line for line in text.splitlines(keepends=True) if not line.startswith("#"))


def test_socket_needs_no_network() -> None:
    assert "PrivateNetwork=yes" in render(CONFIG, ServingConfig(listen="unix:/run/duotune-vllm/vllm.sock"))
    assert "PrivateNetwork=no" in render(CONFIG, ServingConfig())


def test_adapters_are_loaded_at_run_time_only_over_a_socket() -> None:
    # vLLM's routes for that ask for no key, whatever --api-key says
    assert "RUNTIME_LORA" in render(CONFIG, ServingConfig(listen="unix:/run/duotune-vllm/vllm.sock"))
    assert "RUNTIME_LORA" not in render(CONFIG, ServingConfig())


def test_of_our_home_the_unit_sees_adapters_and_its_configuration(tmp_path: Path) -> None:
    home = paths.home()
    text = render(CONFIG, ServingConfig())
    assert (
        f"TemporaryFileSystem={home}:ro\nBindReadOnlyPaths={home}/adapters\nBindReadOnlyPaths={home}/serving\n" in text
    )
    own = home / "models/100% own"
    assert f'BindReadOnlyPaths="{home}/models/100%% own"\n' in render(CONFIG, ServingConfig(), base=own)
    for seen_anyway in (tmp_path / "model", home / "adapters/merged"):
        assert render(CONFIG, ServingConfig(), base=seen_anyway) == text


def test_home_that_no_mount_setting_can_name_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DUOTUNE_HOME", "/srv/a:b")
    with pytest.raises(UsageError, match="cannot be named in a systemd unit"):
        render(CONFIG, ServingConfig())


def test_users_systemd_gets_a_unit_that_it_can_run() -> None:
    whole = render(CONFIG, ServingConfig(), user_manager=True)
    bare = render(CONFIG, ServingConfig(), user_manager=True, private_users=False)
    for text in (whole, bare):
        assert "WantedBy=default.target" in text
        assert "systemctl --user edit" in text
        for needs_root in ("\nUser=", "DynamicUser=", "IPAddressDeny=", "DeviceAllow="):
            assert needs_root not in text
    for needs_namespaces in ("PrivateUsers=", "ProtectSystem=", "PrivateNetwork=", "TemporaryFileSystem="):
        assert needs_namespaces in whole
        assert needs_namespaces not in bare
    assert "PrivateUsers=" not in render(CONFIG, ServingConfig(), private_users=False)


def test_without_the_system_install_the_unit_runs_as_who_asked_but_never_as_root(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(grp, "getgrall", lambda: [])
    assert "\nUser=vllm\n" in render(CONFIG, ServingConfig(user="vllm"))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert "\nDynamicUser=yes\n" in render(CONFIG, ServingConfig())
    assert "User=root" not in render(CONFIG, ServingConfig())
    nobody = pwd.getpwnam("nobody").pw_uid
    monkeypatch.setattr(os, "geteuid", lambda: nobody)
    assert "\nUser=nobody\n" in render(CONFIG, ServingConfig())
    ours = grp.struct_group(("duotune", "x", 990, []))
    monkeypatch.setattr(grp, "getgrall", lambda: [ours])
    monkeypatch.setattr(paths, "SYSTEM_HOME", paths.home())
    assert "\nDynamicUser=yes\nGroup=duotune\n" in render(CONFIG, ServingConfig())
    assert "\nUser=vllm\nGroup=duotune\n" in render(CONFIG, ServingConfig(user="vllm"))


def test_command_is_named_whole_and_without_systemds_prefixes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "vllm").touch(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert f"ExecStart={tmp_path}/vllm serve" in render(CONFIG, ServingConfig())
    for prefix in "+@-:!|":
        with pytest.raises(UsageError, match="is no path"):
            render(CONFIG, ServingConfig(executable=f"{prefix}{tmp_path}/vllm"))


@pytest.mark.parametrize(
    ("word", "quoted"),
    [("/a/b", "/a/b"), ("/a b", '"/a b"'), ("/100%/$x", "/100%%/$$x"), ('/a"b', '"/a\\"b"'), ("/a;b", '"/a;b"')],
)
def test_words_survive_systemds_expansion(word: str, quoted: str) -> None:
    assert quote(word) == quoted


def test_control_character_is_refused() -> None:
    with pytest.raises(UsageError):
        quote("/a\nExecStartPre=/bin/evil")


@pytest.mark.parametrize(
    ("listen", "confined"),
    [("unix:/run/v/vllm.sock", True), ("127.0.0.1:8000", True), ("[::1]:8000", True), ("0.0.0.0:8000", False)],
)
def test_only_this_host_is_spoken_to_unless_the_address_is_for_others(listen: str, confined: bool) -> None:
    text = render(CONFIG, ServingConfig(listen=listen))
    assert ("IPAddressDeny=any\nIPAddressAllow=localhost\n" in text) is confined


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
@pytest.mark.parametrize("listen", ["unix:/run/duotune-vllm/vllm.sock", "127.0.0.1:8000", "0.0.0.0:8000"])
@pytest.mark.parametrize("who", ["group", "root", "vllm"])
def test_exposure_by_systemds_own_measure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, listen: str, who: str
) -> None:
    monkeypatch.setattr("duotune.serving.unit.runs_as_group", lambda: who == "group")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    serving = ServingConfig(listen=listen, user="vllm" if who == "vllm" else "")
    assert exposure(tmp_path, render(CONFIG, serving)) <= 2.0


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
@pytest.mark.parametrize("listen", ["unix:/run/user/1/duotune-vllm/vllm.sock", "127.0.0.1:8000", "0.0.0.0:8000"])
def test_exposure_of_a_users_unit(tmp_path: Path, listen: str) -> None:
    serving = ServingConfig(listen=listen)
    assert exposure(tmp_path, render(CONFIG, serving, user_manager=True)) <= 2.0
    assert exposure(tmp_path, render(CONFIG, serving, user_manager=True, private_users=False)) < 7.5


def exposure(folder: Path, text: str) -> float:
    unit = folder / "vllm-duo.service"
    unit.write_text(text)
    judging = ["systemd-analyze", "security", "--offline=yes", "--no-pager", str(unit)]
    found = subprocess.run(judging, capture_output=True, text=True)
    figures = re.findall(r"exposure level for vllm-duo.service: ([0-9.]+)", found.stdout)
    return float(figures[-1])


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_systemd_accepts_the_unit_without_a_word(tmp_path: Path) -> None:
    unit = tmp_path / "vllm-duo.service"
    unit.write_text(render(CONFIG, ServingConfig(executable=shutil.which("true") or "/bin/true")))
    found = subprocess.run(["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True)
    ours = [line for line in found.stderr.splitlines() if "vllm-duo" in line]
    assert ours == []
