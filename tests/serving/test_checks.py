"""What a plan looks at before vLLM is told anything."""

from __future__ import annotations

import os
import pwd
import shutil
import sys
from pathlib import Path

import pytest

from duotune import paths
from duotune.catalog.catalog import Catalog
from duotune.config.host import ServingConfig
from duotune.hardware.gpu import Gpu
from duotune.models.shape import read_shape
from duotune.serving import checks
from duotune.serving.checks import check_host, check_memory, check_service, installed_version
from duotune.serving.service import NoService
from duotune.serving.vllm_config import ServedAdapter

GIB = 1 << 30


class Confining(NoService):
    """A host whose unit has a view of its own."""

    confines = True


def test_what_the_unit_would_not_see_is_named(
    catalog: Catalog, micro_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "_programs", lambda _: [])
    monkeypatch.setattr(checks, "_readable", lambda *_: "")

    def hidden(base: Path, *adapters: Path) -> list[str]:
        served = [ServedAdapter("demo.v1", adapter, 4) for adapter in adapters]
        found = check_host(catalog, ServingConfig(), Confining("none"), base, served, "")
        return [check.detail for check in found if check.name == "access" and not check.ok]

    own = paths.home() / "models/own"
    shutil.copytree(micro_model, own)
    assert hidden(own, paths.adapters() / "demo.v1") == []
    assert f"would not see {paths.home()}/elsewhere/demo.v1" in hidden(own, paths.home() / "elsewhere/demo.v1")[0]
    (own / "config.json").rename(paths.home() / "blob")
    (own / "config.json").symlink_to(paths.home() / "blob")
    assert f"would not see {paths.home()}/blob" in hidden(own)[0]
    assert f"would not see {micro_model}" in hidden(micro_model)[0]  # below /tmp, of which the unit has its own


def gpu(total: int, used: int) -> Gpu:
    return Gpu(0, "GPU-1", "a GPU", total, used, None, None, None)


@pytest.mark.parametrize(
    ("total", "used", "up", "said"),
    [
        (80 * GIB, 0, False, "the rest of its share"),
        (80 * GIB, 40 * GIB, False, "only 40 GiB is free"),
        (80 * GIB, 79 * GIB, True, "the rest of its share"),  # its own memory, which the restart frees
        (1 << 20, 0, False, "does not fit"),
    ],
)
def test_memory_of_the_gpu(micro_model: Path, total: int, used: int, up: bool, said: str) -> None:
    check = check_memory(ServingConfig(), read_shape(micro_model), 2 << 20, [gpu(total, used)], up)
    assert said in check.detail
    assert check.ok == (said == "the rest of its share")


def test_without_a_gpu_nothing_is_claimed(micro_model: Path) -> None:
    check = check_memory(ServingConfig(), read_shape(micro_model), 0, [], up=False)
    assert check.ok
    assert check.warning


def test_version_is_asked_of_the_python_beside_the_command(tmp_path: Path) -> None:
    (tmp_path / "vllm").touch(0o755)
    site = tmp_path / "site"
    (site / "vllm-9.9.dist-info").mkdir(parents=True)
    (site / "vllm-9.9.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: vllm\nVersion: 9.9\n")
    python = tmp_path / "python"
    add_site = f"import sys; sys.path.insert(0, {str(site)!r}); exec(sys.argv[1])"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} -I -c "{add_site}" "$3"\n')
    python.chmod(0o755)
    assert installed_version(str(tmp_path / "vllm")) == "9.9"

    def said(pinned: str) -> tuple[bool, str]:
        serving = ServingConfig(executable=str(tmp_path / "vllm"), version=pinned)
        check = next(check for check in check_service(serving, NoService("none")) if check.name == "vLLM")
        return check.ok, check.detail

    assert said("9.9")[0]
    ok, words = said("9.8")
    assert not ok
    assert words.startswith('9.9 is installed, but serving.version says 9.8; if you tested it, set `version = "9.9"`')
    assert str(paths.host_config_file()) in words
    python.unlink()
    assert installed_version(str(tmp_path / "vllm")) == ""
    assert said("")[0]
    assert not said("9.9")[0]
    assert "does not tell its version" in said("9.9")[1]
    with pytest.raises(ValueError, match="is not on this host"):
        installed_version(str(tmp_path / "none"))


class System(Confining):
    """A host whose systemd runs vLLM."""

    @property
    def unit_file(self) -> Path:
        return Path("/etc/systemd/system/vllm-duo.service")


def test_user_of_the_unit_has_to_be_there_and_to_reach_the_model(
    catalog: Catalog, micro_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "_programs", lambda _: [])

    def said(user: str) -> str:
        found = check_host(catalog, ServingConfig(user=user), System("none"), micro_model, [], "")
        return "".join(check.detail for check in found if not check.ok)

    assert 'there is no user no-such-one on this host; make that user, or set `user = ""`' in said("no-such-one")
    before = micro_model.stat().st_mode
    micro_model.chmod(0o700)
    try:
        assert "the unit's user cannot enter" in said("nobody")
        assert "the unit's user cannot enter" not in said(pwd.getpwuid(os.geteuid()).pw_name)
    finally:
        micro_model.chmod(before)


def test_unit_that_nobody_verifies_is_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    def said() -> bool:
        (check,) = (one for one in check_service(ServingConfig(), System("")) if one.name == "service")
        return check.warning and "systemd-analyze is not on this host" in check.detail

    monkeypatch.setattr(shutil, "which", lambda _: None)
    assert said()
    monkeypatch.setattr(shutil, "which", lambda name: f"/bin/{name}")
    assert not said()
