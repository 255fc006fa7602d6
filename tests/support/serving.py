"""Hosts that serve: published adapters with contracts, and a vLLM stand-in as a child process."""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from duotune.adapters.contract import CONTRACT, Contract, ContractCase
from duotune.adapters.manifest import BaseModelRef, ManifestDraft
from duotune.adapters.publish import PublishedAdapter, publish
from duotune.catalog.catalog import Catalog
from duotune.config.host import HostConfig, ServingConfig
from duotune.endpoint.address import parse_address
from duotune.endpoint.client import Endpoint
from duotune.models.locate import fingerprint
from duotune.models.shape import read_shape
from duotune.serving.apply import apply
from duotune.serving.files import directory
from duotune.serving.foreground import Foreground
from duotune.serving.planning import plan_deployment
from duotune.serving.rollout import Outcome
from support.adapters import handmade_adapter
from support.short_paths import short_folder

STAND_IN = Path(__file__).with_name("vllm_stand_in.py")


def contract(model: Path, seed: int) -> Contract:
    """A contract whose adapter is half a nat away from the base model, in a way of its own for each seed."""
    base = [-1.0 - 0.1 * number for number in range(8)]
    adapter = [value + (0.5 if (number + seed) % 2 else -0.5) for number, value in enumerate(base)]
    cases = [
        ContractCase(
            id=f"c{number}", prompt_ids=[seed, number, 7], target_ids=list(range(8)), base=base, adapter=adapter
        )
        for number in range(3)
    ]
    return Contract(model=fingerprint(model), tokenizer="t", family=None, precision="bfloat16", cases=cases)


def publish_adapter(
    catalog: Catalog, model: Path, folder: Path, name: str = "demo", seed: int = 1, r: int = 4
) -> PublishedAdapter:
    """Publish an adapter with a contract; another seed makes the next version of the name."""
    shape = read_shape(model)
    base = BaseModelRef(path=str(model), name="micro", fingerprint=fingerprint(model), architecture="Qwen2ForCausalLM")
    trained = handmade_adapter(shape, r=r, fill=0x10 + seed).write(folder / f"{name}-{seed}")
    written = trained / CONTRACT
    written.write_text(contract(model, seed).model_dump_json())
    return publish(trained, ManifestDraft(name=name, base=base), shape, catalog, extras={CONTRACT: written})


def stand_in_host(folder: Path, over_socket: bool = True) -> HostConfig:
    """A host configuration whose vLLM is the stand-in."""
    command = folder / "vllm"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{STAND_IN}" "$@"\n')
    command.chmod(0o755)
    listen = f"unix:{short_folder()}/s/vllm.sock" if over_socket else f"127.0.0.1:{free_port()}"
    return HostConfig(serving=ServingConfig(executable=str(command), listen=listen))


def free_port() -> int:
    """A TCP port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def foreground(host: HostConfig) -> Iterator[Foreground]:
    """A service that ends with the test."""
    with Foreground(host.serving) as service:
        yield service


def misbehave(**switches: object) -> None:
    """Switch the stand-in's misbehaviour; without arguments it behaves again."""
    directory().mkdir(parents=True, exist_ok=True)
    (directory() / "behaviour.json").write_text(json.dumps(switches))


def applied(catalog: Catalog, host: HostConfig, service: Foreground, overwrite: bool = False) -> Outcome | None:
    """Plan and apply."""
    return apply(catalog, host, service, plan_deployment(catalog, host, service), lambda *_: None, overwrite=overwrite)


def served(host: HostConfig) -> list[str]:
    """Names of the models that the server lists."""
    with Endpoint(parse_address(host.serving.listen)) as endpoint:
        return [model.name for model in endpoint.models()]
