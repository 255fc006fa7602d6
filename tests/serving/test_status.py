"""What serves now, also where somebody else answers."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from duotune.catalog.catalog import Catalog
from duotune.cli.serving import report
from duotune.cli.serving_status import show_status
from duotune.config.host import HostConfig, ServingConfig
from duotune.endpoint.address import parse_address
from duotune.serving.checks import check_host
from duotune.serving.foreground import Foreground
from duotune.serving.rollout import Outcome
from duotune.serving.service import NoService
from duotune.serving.status import ServingStatus, read_status
from duotune.serving.wording import status_rows
from support.serving import applied, foreground, publish_adapter, stand_in_host

ANOTHER_VLLM = {
    "/health": {},
    "/version": {"version": "0.33.0"},
    "/v1/models": {"data": [{"id": "theirs", "root": "/theirs", "parent": None, "max_model_len": 1}]},
}


@contextmanager
def server(routes: dict[str, object], port: int = 0) -> Iterator[HostConfig]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path in routes else 404)
            self.end_headers()
            self.wfile.write(json.dumps(routes.get(self.path, {"detail": "no such page"})).encode())

        def log_message(self, *_: object) -> None:
            return

    with HTTPServer(("127.0.0.1", port), Handler) as listening:
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        yield HostConfig(serving=ServingConfig(listen=f"127.0.0.1:{listening.server_port}"))
        listening.shutdown()


def status(catalog: Catalog, host: HostConfig) -> ServingStatus:
    return read_status(catalog, host, NoService("there is no systemd on this host"))


@pytest.mark.parametrize(
    ("routes", "said"),
    [
        ({"/": {}}, "a server that is not vLLM"),
        (ANOTHER_VLLM | {"/v1/models": {"data": ["x"]}}, "a server that is not vLLM (its list of models is none)"),
        (ANOTHER_VLLM, "another vLLM (theirs), of which duotune knows nothing"),
    ],
)
def test_foreign_server_is_not_taken_for_ours(
    catalog: Catalog, routes: dict[str, object], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with server(routes) as host:
        found = status(catalog, host)
    assert (found.good, found.answers) == (False, False)
    show_status(found, None)
    out = capsys.readouterr().out
    assert f"not ours: at {host.serving.listen} is {said}" in out
    assert "nobody" not in out


def test_other_vllm_at_our_address_is_told_by_its_base_model(
    catalog: Catalog, micro_model: Path, tmp_path: Path
) -> None:
    ours = stand_in_host(tmp_path, over_socket=False)
    publish_adapter(catalog, micro_model, tmp_path)
    with foreground(ours) as service:
        applied(catalog, ours, service)
        assert read_status(catalog, ours, service).good
    with server(ANOTHER_VLLM, parse_address(ours.serving.listen).port) as host:
        assert "which has no model base" in status(catalog, host).stranger


def test_what_a_killed_apply_left_loaded_is_not_ours(
    catalog: Catalog, host: HostConfig, service: Foreground, micro_model: Path, tmp_path: Path
) -> None:
    publish_adapter(catalog, micro_model, tmp_path)
    applied(catalog, host, service)
    publish_adapter(catalog, micro_model, tmp_path, seed=2)
    applied(catalog, host, service)
    (newest, before) = catalog.deployments.all()
    catalog.deployments.set_state(newest.id, "applying")
    catalog.deployments.set_state(before.id, "serving")
    found = read_status(catalog, host, service)
    assert (found.absent, found.unexpected, found.interrupted) == (["demo.v1"], ["demo.v2"], newest.id)
    assert not found.good


def test_gone_files_and_a_failed_apply_are_told_with_what_follows(
    catalog: Catalog, host: HostConfig, service: Foreground, micro_model: Path, tmp_path: Path
) -> None:
    done = publish_adapter(catalog, micro_model, tmp_path)
    applied(catalog, host, service)
    assert {"files gone", "last apply"}.isdisjoint(dict(status_rows(read_status(catalog, host, service))))
    failed = catalog.deployments.add("base", "", "", [])
    catalog.deployments.set_state(failed.id, "failed", "It did not answer.\n  more of it")
    done.local_path.chmod(0o755)
    shutil.rmtree(done.local_path)
    rows = dict(status_rows(read_status(catalog, host, service)))
    assert rows["last apply"] == f"{failed.id} failed: It did not answer."
    assert rows["files gone"].startswith("demo.v1: vLLM dies when")


@pytest.mark.parametrize(
    ("listen", "warned"), [("0.0.0.0:18123", True), ("127.0.0.1:18123", False), ("unix:/run/v/s.sock", False)]
)
def test_address_that_others_reach_is_warned_of(catalog: Catalog, micro_model: Path, listen: str, warned: bool) -> None:
    found = check_host(catalog, ServingConfig(listen=listen), NoService("none"), micro_model, [], "")
    (address,) = (check for check in found if check.name == "address")
    assert (address.ok, address.warning) == (True, warned)
    assert ("asks for no password" in address.detail) is warned


def test_change_without_a_probe_shows_no_empty_table(capsys: pytest.CaptureFixture[str]) -> None:
    report(Outcome(number=3, probes=(), seconds=1.0, probe_seconds=0.0), as_json=False)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Nothing came that needed a probe" in captured.err
