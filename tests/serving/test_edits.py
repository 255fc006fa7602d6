"""Hand edits and leftovers of other names: noticed before an apply, kept before they are overwritten."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from duotune.catalog.catalog import Catalog
from duotune.config.host import HostConfig, ServingConfig
from duotune.errors import CheckFailed, HostError
from duotune.runs.directory import create_run
from duotune.runs.lock import try_lock
from duotune.runs.pause import pause_name
from duotune.runs.systemd import Manager
from duotune.serving.checks import check_gpu
from duotune.serving.edits import check_edits, keep_edited
from duotune.serving.files import config_file, directory, write_config
from duotune.serving.foreground import Foreground
from duotune.serving.service import NoService
from duotune.serving.systemd import SystemdService
from duotune.serving.unit import render, render_pause
from support.runs import run_config
from support.serving import applied, publish_adapter, served

NEW = ServingConfig(unit="new-name.service")


@pytest.fixture
def units(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    folder = tmp_path / "systemd/user"
    folder.mkdir(parents=True)
    return folder


def of_systemd(serving: ServingConfig = NEW) -> SystemdService:
    return SystemdService(Manager(user=True), serving.unit, pause_name(serving))


def refused(catalog: Catalog) -> list[str]:
    text = render(config_file(), NEW, user_manager=True)
    return [check.detail for check in check_edits(catalog, of_systemd(), text) if not check.ok]


def test_unit_of_the_name_before_is_refused_with_what_to_do(catalog: Catalog, units: Path) -> None:
    (units / "vllm-duo.service").write_text(render(config_file(), ServingConfig(), user_manager=True))
    (units / "new-name.service").write_text(render(config_file(), NEW, user_manager=True))
    (units / "alias.service").symlink_to(units / "new-name.service")
    (units / "of-another-home.service").write_text(render(Path("/else/vllm.yaml"), ServingConfig(), user_manager=True))
    (units / "admins.service").write_text(f"[Service]\nExecStart=vllm serve --config {config_file()}\n")
    (said,) = refused(catalog)
    assert f"{units}/vllm-duo.service serves the same" in said
    assert "systemctl --user disable --now vllm-duo.service" in said
    (units / "vllm-duo.service").unlink()
    assert refused(catalog) == []


def test_edited_pause_target_is_noticed_and_one_of_other_words_is_not(catalog: Catalog, units: Path) -> None:
    target = units / pause_name(NEW)
    for text in (render_pause(NEW), render_pause(ServingConfig(unit="of-another-version.service"))):
        target.write_text(text)
        assert refused(catalog) == []
    target.write_text(render_pause(NEW).replace("StopWhenUnneeded=yes", "StopWhenUnneeded=no"))
    (said,) = refused(catalog)
    assert "the target that pauses it was edited by hand" in said
    write_config("model: ours")
    keep_edited(NEW, of_systemd())
    (copy,) = directory().glob(f"{target.name}.edited-*")
    assert copy.read_text() == target.read_text()


@pytest.mark.parametrize(
    "text",
    [
        b'lora-modules: ["demo.v1=/p"]',
        b"lora-modules: {demo.v1: /p}",
        b"lora-modules: ['[1]', '{}', 5]",
        b"1: 2\nmodel: 2001-99-99",
        b"\xff\xfe\x00 no text",
        b"model: [",
        b"[]",
        None,
    ],
)
def test_yaml_that_nobody_can_read_is_a_hand_edit_like_any_other(
    catalog: Catalog, host: HostConfig, service: Foreground, micro_model: Path, tmp_path: Path, text: bytes | None
) -> None:
    publish_adapter(catalog, micro_model, tmp_path)

    def spoil() -> None:
        config_file().unlink(missing_ok=True)
        if text is None:
            config_file().mkdir(parents=True)
        else:
            config_file().write_bytes(text)

    spoil()  # before the first apply, and after it
    for _ in range(2):
        with pytest.raises(CheckFailed, match="the YAML was edited by hand"):
            applied(catalog, host, service)
        outcome = applied(catalog, host, service, overwrite=True)
        assert outcome is not None
        ending = outcome.kept.rpartition(" ")[2].rstrip(".")
        kept = directory() / f"{config_file().name}.{ending.lstrip('.')}"
        assert kept.is_dir() if text is None else kept.read_bytes() == text
        assert served(host) == ["base", "demo.v1"]
        shutil.rmtree(kept) if text is None else kept.unlink()
        spoil()


def test_unit_that_was_edited_before_the_first_apply_is_noticed(catalog: Catalog, units: Path) -> None:
    file = units / NEW.unit
    installed_with_other_settings = ServingConfig(unit=NEW.unit, listen="127.0.0.1:1")
    file.write_text(render(config_file(), installed_with_other_settings, user_manager=True))
    assert refused(catalog) == []
    file.write_text(file.read_text().replace("RestartSec=5s", "RestartSec=50s"))
    (said,) = refused(catalog)
    assert "the unit was edited by hand" in said


def test_pause_target_that_may_not_be_written_bars_the_apply(units: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text, pause = render(config_file(), NEW, user_manager=True), render_pause(NEW)
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert f"{units}/new-name.service" in of_systemd().bars(text, pause)
    (units / "new-name.service").write_text(text)
    assert f"{units}/{pause_name(NEW)}" in of_systemd().bars(text, pause)
    (units / pause_name(NEW)).write_text(pause)
    assert of_systemd().bars(text, pause) == ""


def test_edits_that_cannot_be_copied_are_a_sentence() -> None:
    write_config("model: edited")
    long_name = ServingConfig(unit=f"{'x' * 240}.service")
    named = SystemdService(Manager(user=True), long_name.unit, pause_name(long_name))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SystemdService, "unit_text", lambda _: "edited")
        with pytest.raises(HostError, match="What was edited by hand cannot be copied"):
            keep_edited(long_name, named)


def test_run_that_trains_beside_a_vllm_stopped_before_has_the_gpu_to_itself() -> None:
    stopping = ServingConfig(during_training="stop")
    lock = try_lock(create_run(run_config()).lock_file)
    assert lock is not None
    with lock:
        (check,) = check_gpu(stopping, NoService("none"))
        assert not check.ok
        assert "a run trains, and has the GPU to itself" in check.detail
        assert list(check_gpu(ServingConfig(), NoService("none"))) == []
    assert list(check_gpu(stopping, NoService("none"))) == []
