"""Real vLLM on the CPU serves trained adapters of the bundled model; one start for all tests of this file, in order."""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Iterator, Mapping
from pathlib import Path

import psutil
import pytest

from duotune import paths
from duotune.config.run import RunConfig
from duotune.endpoint.address import parse_address
from duotune.endpoint.client import Endpoint, Refused
from duotune.errors import ExitCode
from duotune.models.tokenizer import load_tokenizer
from support.projects import make_project, small_run
from support.serving_home import ABSENT, ServingHome

pytestmark = [pytest.mark.integration, pytest.mark.timeout(1800), pytest.mark.skipif(bool(ABSENT), reason=ABSENT)]


def tiny_run(source: Path, name: str, seed: int, model: Path = Path("tiny")) -> RunConfig:
    config = small_run(source, model, name, max_steps=30, eval_steps=10, save_steps=10, learning_rate=3e-3, seed=seed)
    return config.model_copy(
        update={
            "lora": config.lora.model_copy(update={"r": 8, "lora_alpha": 16}),
            "data": config.data.model_copy(update={"sequence_length": 512}),
            "adapter": config.adapter.model_copy(update={"name": name}),
        }
    )


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServingHome]:
    folder = tmp_path_factory.mktemp("serving")
    home = ServingHome(folder, {"max_loras": 2, "base": "tiny"})
    home.train(tiny_run(make_project(folder / "one"), "alpha", seed=0))
    home.train(tiny_run(make_project(folder / "two", "email", "http"), "beta", seed=1))
    home.start()
    yield home
    home.stop()


@pytest.fixture
def endpoint(home: ServingHome) -> Iterator[Endpoint]:
    with Endpoint(parse_address(f"unix:{home.socket}")) as endpoint:
        yield endpoint


def prompt() -> list[int]:
    return load_tokenizer(paths.bundled_tiny_model()).encode("def read_lines(path):\n    with open(path) as ")


def publish_copy(
    home: ServingHome, adapter: str, name: str, contract_of: str, settings: Mapping[str, object] | None = None
) -> None:
    """Publish an adapter again under another name, with the contract of a third.

    With other settings in its configuration, it is not looked at: as one that was placed by hand.
    """
    script = f"""
import json, shutil, sys
from pathlib import Path
from duotune import paths
from duotune.adapters.manifest import ManifestDraft, read_manifest
from duotune.adapters import publish as publishing
from duotune.catalog.catalog import open_catalog
from duotune.models.shape import read_shape
source = paths.adapters() / {adapter!r}
copy = Path({str(home.path)!r}) / {name!r}
copy.mkdir()
for part in ("adapter_config.json", "adapter_model.safetensors"):
    shutil.copyfile(source / part, copy / part)
settings = {dict(settings or {})!r}
if settings:
    config = copy / "adapter_config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | settings))
    publishing.raise_unless_good = lambda *_: None
contract = paths.adapters() / {contract_of!r} / "contract.json"
draft = ManifestDraft(name={name!r}, base=read_manifest(source).base)
with open_catalog() as catalog:
    shape, extras = read_shape(paths.bundled_tiny_model()), {{"contract.json": contract}}
    publishing.publish(copy, draft, shape, catalog, extras=extras)
"""
    import subprocess
    import sys

    subprocess.run([sys.executable, "-c", script], env=home.environment, check=True)


def almost_tiny(directory: Path) -> Path:
    """A base model so like the bundled one that only its fingerprint tells them apart."""
    shutil.copytree(paths.bundled_tiny_model(), directory)
    weights = directory / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-2] ^= 1
    weights.write_bytes(content)
    return directory


def engine(home: ServingHome) -> psutil.Process:
    pid = home.document("serve", "status")["pid"]
    children = psutil.Process(pid).children(recursive=True)
    return next(child for child in children if "Engine" in child.name() or "Engine" in " ".join(child.cmdline()))


def test_every_adapter_answers_as_it_did_when_it_was_evaluated(home: ServingHome, endpoint: Endpoint) -> None:
    status = home.document("serve", "status")
    assert status["good"]
    assert status["models"] == ["base", "alpha.v1", "beta.v1"]
    answers = {model: endpoint.complete(model, prompt(), max_tokens=16) for model in status["models"]}
    assert all(answers.values())
    said = {model: endpoint.prompt_logprobs(model, prompt())[1:] for model in status["models"]}
    assert said["alpha.v1"] != said["base"] != said["beta.v1"] != said["alpha.v1"]


def test_next_version_comes_in_without_a_restart(home: ServingHome) -> None:
    before = engine(home).pid
    home.train(tiny_run(home.path / "one", "alpha", seed=2))
    plan = home.document("serve", "plan")
    assert plan["change"]["kind"] == "hot"
    assert "alpha.v2" in plan["diff"]
    applied = home.document("serve", "apply", "--yes")
    (probe,) = applied["probes"]
    assert probe["name"] == "alpha.v2"
    assert probe["distance"] < min(0.1, probe["from_base"])
    assert home.document("serve", "status")["models"] == ["base", "beta.v1", "alpha.v2"]
    assert engine(home).pid == before


def test_swapped_adapter_is_a_failed_deployment(home: ServingHome) -> None:
    publish_copy(home, "beta.v1", "swapped", contract_of="alpha.v2")
    refused = home.run("serve", "apply", "--yes")
    assert refused.returncode == 1
    assert "swapped.v1 answers" in refused.stderr
    assert "What was served before is served again" in refused.stderr
    assert home.document("serve", "status")["models"] == ["base", "beta.v1", "alpha.v2"]
    kept = home.run("serve", "apply", "--yes", "--only", "alpha", "--only", "beta")
    assert kept.returncode == 0, kept.stderr


def test_damaged_adapter_is_refused_before_vllm_hears_of_it(home: ServingHome, endpoint: Endpoint) -> None:
    publish_copy(home, "beta.v1", "damaged", contract_of="beta.v1")
    weights = home.path / "home/adapters/damaged.v1/adapter_model.safetensors"
    weights.chmod(0o644)
    content = bytearray(weights.read_bytes())
    content[-1] ^= 0xFF
    weights.write_bytes(content)
    refused = home.run("serve", "apply", "--yes", "--only", "damaged")
    assert refused.returncode == 1
    assert "damaged.v1: files: not as they were published" in refused.stderr
    with pytest.raises(Refused, match="does not exist"):
        endpoint.complete("damaged.v1", prompt(), max_tokens=1)


def test_adapter_that_vllm_would_refuse_is_refused_before_it_hears_of_it(home: ServingHome, endpoint: Endpoint) -> None:
    before = endpoint.models()
    for name, settings in (("dora", {"use_dora": True}), ("rank", {"r": 16})):
        publish_copy(home, "beta.v1", name, contract_of="beta.v1", settings=settings)
        refused = home.run("serve", "apply", "--yes", "--only", name)
        assert refused.returncode == 1
        assert f"{name}.v1: {'servable' if name == 'dora' else 'shapes'}: " in refused.stderr
    assert endpoint.models() == before


def test_adapter_of_another_base_is_refused_before_vllm_hears_of_it(home: ServingHome, endpoint: Endpoint) -> None:
    home.train(tiny_run(home.path / "one", "foreign", seed=0, model=almost_tiny(home.path / "almost")))
    before, pid, said = endpoint.models(), engine(home).pid, endpoint.prompt_logprobs("beta.v1", prompt())
    for command in (["plan"], ["apply", "--yes"]):
        refused = home.run("serve", *command, "--only", "foreign", "--only", "beta")
        assert refused.returncode == ExitCode.USAGE
        assert "foreign.v1 was trained for another base model than" in refused.stderr
    plan = home.document("serve", "plan")
    assert plan["left_out"] == ["foreign.v1 was trained for another base model"]
    assert "foreign" not in plan["config"]

    assert home.run("assign", "code", "foreign").returncode == ExitCode.OK
    refused = home.run("serve", "apply", "--yes")
    assert refused.returncode == ExitCode.USAGE
    assert "Project code is assigned foreign, which was not trained for the served base" in refused.stderr
    assert home.run("assign", "code", "--base").returncode == ExitCode.OK

    log = (home.path / "home/serving/vllm.log").read_text()
    assert "beta.v1" in log
    assert "foreign" not in log
    assert (endpoint.models(), engine(home).pid) == (before, pid)
    assert endpoint.prompt_logprobs("beta.v1", prompt()) == said
    assert home.document("serve", "status")["good"]
    endpoint.load_adapter("foreign.v1", f"{home.path}/home/adapters/foreign.v1")  # vLLM itself would not refuse it
    endpoint.unload_adapter("foreign.v1")


def test_deleted_adapter_is_named(home: ServingHome) -> None:
    directory = home.path / "home/adapters/damaged.v1"
    directory.chmod(0o755)
    shutil.rmtree(directory)
    refused = home.run("serve", "apply", "--yes", "--only", "damaged")
    assert refused.returncode == 3
    assert "damaged.v1" in refused.stderr


def test_rollback_serves_what_was_served_before(home: ServingHome) -> None:
    done = home.run("serve", "rollback", "1", "--yes")
    assert done.returncode == 0, done.stderr
    assert sorted(home.document("serve", "status")["models"]) == ["alpha.v1", "base", "beta.v1"]


def test_dead_engine_comes_back_by_itself(home: ServingHome) -> None:
    old = engine(home)
    os.kill(old.pid, signal.SIGKILL)
    psutil.wait_procs([old], timeout=60)
    status = home.await_good()
    assert status["restarts"] == 1 or engine(home).pid != old.pid
    assert sorted(status["models"]) == ["alpha.v1", "base", "beta.v1"]
    history = json.dumps(status["history"])
    assert "swapped.v1 answers" in history
