"""A whole run whose datasets and adapters live on S3, spoken to over HTTP."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from duotune.config.write import dump_toml
from duotune.errors import ExitCode
from support.projects import make_project, small_run
from support.s3 import S3Server, lead_to

pytestmark = pytest.mark.integration
BUCKET = "duo"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Server]:
    server = S3Server()
    lead_to(server, monkeypatch, BUCKET)
    yield server
    server.stop()


def duotune(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "duotune", *arguments], capture_output=True, text=True, timeout=280)


def test_datasets_and_adapters_go_to_s3_and_come_back(tmp_path: Path, micro_model: Path, server: S3Server) -> None:
    config = small_run(make_project(tmp_path / "code"), micro_model)
    config = config.model_copy(
        update={
            "data": config.data.model_copy(update={"location": f"s3://{BUCKET}/data"}),
            "adapter": config.adapter.model_copy(update={"location": f"s3://{BUCKET}/adapters"}),
        }
    )
    file = tmp_path / "run.toml"
    file.write_text(dump_toml(config))
    refused = duotune("run", str(file), "--detach")
    assert refused.returncode == ExitCode.USAGE
    assert "credentials file" in refused.stderr

    done = duotune("run", str(file), "--json")
    assert done.returncode == ExitCode.OK, done.stderr
    state = json.loads(done.stdout.splitlines()[-1])
    keys = [entry["Key"] for entry in server.client().list_objects_v2(Bucket=BUCKET)["Contents"]]
    assert any(key.startswith(f"data/{Path(state['dataset']).name}/") for key in keys)
    assert "adapters/small.v1/adapter_model.safetensors" in keys
    assert state["published"]["location"].startswith(f"s3://{BUCKET}/adapters")

    secret = "planted-secret"
    for written in Path(state["directory"]).rglob("*"):
        assert written.is_dir() or secret.encode() not in written.read_bytes()
    assert duotune("adapters", "verify", "small").returncode == ExitCode.OK
    server.stop()
    unreachable = duotune("run", str(file), "--dry-run")
    assert unreachable.returncode == ExitCode.ENVIRONMENT
