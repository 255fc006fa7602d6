"""What would be served: read from this host, fetched again when lost, refused with a sentence when damaged."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from duotune.adapters.manifest import BaseModelRef, ManifestDraft
from duotune.adapters.publish import PublishedAdapter, publish
from duotune.adapters.verify import Check
from duotune.catalog.catalog import Catalog, open_catalog
from duotune.config.host import HostConfig
from duotune.errors import CheckFailed
from duotune.models.locate import fingerprint
from duotune.models.shape import read_shape
from duotune.serving.planning import plan_deployment
from duotune.serving.service import NoService
from support.adapters import handmade_adapter
from support.s3 import S3Server, lead_to
from support.serving import publish_adapter


@pytest.fixture
def catalog() -> Iterator[Catalog]:
    with open_catalog() as catalog:
        yield catalog


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Server]:
    server = S3Server()
    lead_to(server, monkeypatch, "models")
    yield server
    server.stop()


def published(catalog: Catalog, model: Path, folder: Path, location: str = "") -> PublishedAdapter:
    shape = read_shape(model)
    base = BaseModelRef(path=str(model), name="micro", fingerprint=fingerprint(model), architecture="Qwen2ForCausalLM")
    trained = handmade_adapter(shape).write(folder / "trained")
    return publish(trained, ManifestDraft(name="demo", base=base), shape, catalog, location=location)


def test_lost_copy_of_an_adapter_on_s3_is_fetched_again(
    catalog: Catalog, server: S3Server, micro_model: Path, tmp_path: Path
) -> None:
    done = published(catalog, micro_model, tmp_path, "s3://models/a")
    done.local_path.chmod(0o755)
    shutil.rmtree(done.local_path)
    deployment = plan_deployment(catalog, HostConfig(), NoService("there is no systemd"))
    assert deployment.base_path == micro_model
    assert [(adapter.model_name, adapter.path, adapter.rank) for adapter in deployment.adapters] == [
        ("demo.v1", done.local_path, 4)
    ]
    assert yaml.safe_load(deployment.yaml)["max-lora-rank"] == 8
    assert (done.local_path / "adapter_config.json").is_file()


def test_damaged_adapter_is_a_sentence(catalog: Catalog, micro_model: Path, tmp_path: Path) -> None:
    config = published(catalog, micro_model, tmp_path).local_path / "adapter_config.json"
    config.chmod(0o644)
    config.write_bytes(b"?" * config.stat().st_size)
    with pytest.raises(CheckFailed, match=r"demo\.v1 in .* cannot be served: adapter_config.json cannot be read"):
        plan_deployment(catalog, HostConfig(), NoService("there is no systemd"))


def test_plan_says_which_recorded_answers_are_too_long_to_be_compared(
    catalog: Catalog, host: HostConfig, micro_model: Path, tmp_path: Path
) -> None:
    publish_adapter(catalog, micro_model, tmp_path)

    def said(longest: int) -> Check:
        serving = host.serving.model_copy(update={"max_model_len": longest})
        short = host.model_copy(update={"serving": serving})
        planned = plan_deployment(catalog, short, NoService("none"))
        return next(check for check in planned.checks if check.name == "demo.v1")

    assert not said(11).ok  # as long as each prompt with its answer: no room for the token that has to be asked for
    assert "longer than the 11 tokens that vLLM takes (serving.max_model_len)" in said(11).detail
    assert said(12).ok
    assert said(12).detail.endswith("3 answers to be reproduced")
