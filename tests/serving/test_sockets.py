"""The socket of vLLM: what can be none is refused, and nobody's file is removed for it."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from duotune.catalog.catalog import Catalog
from duotune.config.host import HostConfig, ServingConfig
from duotune.errors import CheckFailed, HostError
from duotune.serving.checks import check_host
from duotune.serving.elsewhere import KEPT_BYTES, log_file
from duotune.serving.foreground import Foreground
from duotune.serving.service import NoService
from duotune.serving.sockets import clear, make_room
from support.serving import applied, foreground, publish_adapter
from support.short_paths import short_folder


def address(catalog: Catalog, model: Path, listen: str, service: NoService | None = None) -> tuple[bool, str]:
    found = check_host(catalog, ServingConfig(listen=listen), service or NoService("none"), model, [], "")
    (check,) = (check for check in found if check.name == "address")
    return check.ok, check.detail


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("{folder}/precious.txt", "no socket"),
        ("{folder}", "no socket"),
        ("/", "no socket"),
        ("{folder}/precious.txt/v.sock", "precious.txt is no directory"),
        ("/proc/nope/v.sock", "the kernel's"),
        ("{folder}/" + "x" * 107, "107 bytes"),
    ],
)
def test_place_for_no_socket_is_refused_and_left_alone(
    catalog: Catalog, micro_model: Path, place: str, said: str
) -> None:
    folder = short_folder()
    precious = folder / "precious.txt"
    precious.write_text("mine")
    path = place.format(folder=folder)
    ok, detail = address(catalog, micro_model, f"unix:{path}")
    assert (ok, said in detail) == (False, True), detail
    with pytest.raises(HostError, match=said):
        make_room(Path(path))
    clear(Path(path))
    assert precious.read_text() == "mine"


def test_refused_place_stops_the_plan(catalog: Catalog, host: HostConfig, micro_model: Path, tmp_path: Path) -> None:
    publish_adapter(catalog, micro_model, tmp_path)
    bad = host.model_copy(update={"serving": host.serving.model_copy(update={"listen": "unix:/proc/nope/v.sock"})})
    with foreground(bad) as service, pytest.raises(CheckFailed, match="the kernel's"):
        applied(catalog, bad, service)


class Unit(NoService):
    """A host whose systemd runs vLLM."""

    @property
    def unit_file(self) -> Path:
        return Path("/etc/systemd/system/vllm-duo.service")


class UsersUnit(Unit):
    """One where a user's does."""

    user_manager = True


def test_socket_goes_where_the_unit_may_make_it(
    catalog: Catalog, micro_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime = short_folder() / "run"
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    for service, own in ((Unit("none"), "/run"), (UsersUnit("none"), runtime)):
        assert address(catalog, micro_model, f"unix:{own}/duotune-vllm/vllm.sock", service)[0]
        ok, detail = address(catalog, micro_model, "unix:/srv/v/vllm.sock", service)
        assert (ok, f"unix:{own}/duotune-vllm/vllm.sock" in detail) == (False, True)


def test_what_a_dead_server_left_goes_and_a_living_one_stays() -> None:
    path = short_folder() / "v.sock"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        with pytest.raises(HostError, match="Somebody listens"):
            make_room(path)
        clear(path)
        assert path.exists()
    make_room(path)
    assert not path.exists()


def test_log_of_the_vllm_before_stays_and_does_not_count_for_the_next(
    catalog: Catalog, host: HostConfig, service: Foreground, micro_model: Path, tmp_path: Path
) -> None:
    log_file().write_bytes(b"ValueError: of the one before\n" * (KEPT_BYTES // 20))
    publish_adapter(catalog, micro_model, tmp_path)
    applied(catalog, host, service)
    assert "of the one before" in service.log(5)[-1]
    assert service.log(5, service.state().start) == []
    assert log_file().stat().st_size <= KEPT_BYTES
