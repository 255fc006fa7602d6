"""Adapters that vLLM would serve wrongly, or die of: refused by name, even where publishing's checks were passed by."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from duotune import paths
from duotune.adapters.manifest import BaseModelRef, ManifestDraft
from duotune.adapters.publish import publish
from duotune.catalog.catalog import Catalog
from duotune.config.host import HostConfig
from duotune.errors import CheckFailed, ModelError, UsageError
from duotune.models.locate import fingerprint
from duotune.models.shape import ModelShape, read_shape
from duotune.serving.apply import apply
from duotune.serving.foreground import Foreground
from duotune.serving.planning import plan_deployment
from duotune.serving.service import NoService
from support.adapters import HandmadeAdapter, handmade_adapter
from support.models import build_micro_model
from support.serving import applied, publish_adapter, served

NOBODY = NoService("there is no systemd")


@pytest.fixture(scope="module")
def other_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another base model: narrower, and deeper."""
    return build_micro_model(tmp_path_factory.mktemp("other"), hidden_size=16, layers=3, seed=1)


@pytest.fixture
def place(catalog: Catalog, micro_model: Path, tmp_path: Path) -> Callable[[HandmadeAdapter, str], None]:
    """Puts an adapter into the store and the catalog as one of `micro_model`, unchecked, with a manifest that holds."""

    def place(adapter: HandmadeAdapter, base: str) -> None:
        draft = BaseModelRef(path=str(micro_model), name="micro", fingerprint=base, architecture="Qwen2ForCausalLM")
        with pytest.MonkeyPatch.context() as unchecked:
            unchecked.setattr("duotune.adapters.publish.raise_unless_good", lambda *_: None)
            trained = adapter.write(tmp_path / "wrong")
            publish(trained, ManifestDraft(name="wrong", base=draft), read_shape(micro_model), catalog)
        with sqlite3.connect(paths.catalog()) as database:
            database.execute("UPDATE adapters SET base = ? WHERE name = 'wrong'", (fingerprint(micro_model),))

    return place


def dora(ours: ModelShape, other: ModelShape) -> HandmadeAdapter:
    adapter = handmade_adapter(ours)
    adapter.config["use_dora"] = True
    return adapter


def rank_that_its_weights_do_not_have(ours: ModelShape, other: ModelShape) -> HandmadeAdapter:
    adapter = handmade_adapter(ours, r=4)
    adapter.config["r"] = 8
    return adapter


def of_a_narrower_and_deeper_model(ours: ModelShape, other: ModelShape) -> HandmadeAdapter:
    return handmade_adapter(other)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (dora, "servable: vLLM cannot serve DoRA"),
        (rank_that_its_weights_do_not_have, "shapes: "),
        (of_a_narrower_and_deeper_model, "layers: the base model has no place for "),
        (of_a_narrower_and_deeper_model, "where the base model needs"),
    ],
)
def test_adapter_that_was_placed_by_hand_is_refused_before_vllm_sees_it(
    catalog: Catalog,
    host: HostConfig,
    service: Foreground,
    place: Callable[[HandmadeAdapter, str], None],
    micro_model: Path,
    other_model: Path,
    tmp_path: Path,
    make: Callable[[ModelShape, ModelShape], HandmadeAdapter],
    said: str,
) -> None:
    publish_adapter(catalog, micro_model, tmp_path)
    applied(catalog, host, service)
    place(make(read_shape(micro_model), read_shape(other_model)), fingerprint(micro_model))
    planned = plan_deployment(catalog, host, service)
    (refused,) = planned.refusals()
    assert refused.name == "wrong.v1"
    assert said in refused.detail
    with pytest.raises(CheckFailed, match=r"wrong\.v1: "):
        apply(catalog, host, service, planned, lambda *_: None)
    assert served(host) == ["base", "demo.v1"]
    assert len(catalog.deployments.all()) == 1


def test_adapter_whose_manifest_names_another_base_is_refused(
    catalog: Catalog,
    host: HostConfig,
    place: Callable[[HandmadeAdapter, str], None],
    micro_model: Path,
    other_model: Path,
) -> None:
    place(handmade_adapter(read_shape(micro_model)), fingerprint(other_model))
    (refused,) = plan_deployment(catalog, host, NOBODY, ["wrong"]).refusals()
    assert refused.name == "wrong.v1"
    assert "base model: trained for micro" in refused.detail


def test_rank_above_vllms_highest_is_refused_by_name(
    catalog: Catalog, place: Callable[[HandmadeAdapter, str], None], micro_model: Path
) -> None:
    place(handmade_adapter(read_shape(micro_model), r=513), fingerprint(micro_model))
    with pytest.raises(UsageError, match=r"wrong\.v1 has rank 513"):
        plan_deployment(catalog, HostConfig(), NOBODY)


def test_adapter_of_another_base_is_left_out_by_name_and_refused_when_it_is_asked_for(
    catalog: Catalog, micro_model: Path, other_model: Path, tmp_path: Path
) -> None:
    publish_adapter(catalog, other_model, tmp_path, "theirs")
    publish_adapter(catalog, micro_model, tmp_path, "ours", seed=2)
    planned = plan_deployment(catalog, HostConfig(), NOBODY)  # of the base model of the newest
    assert [adapter.model_name for adapter in planned.adapters] == ["ours.v1"]
    assert planned.left_out == ("theirs.v1 was trained for another base model",)
    ours = HostConfig.model_validate({"serving": {"base": str(micro_model)}})
    for asked in (["theirs"], ["ours", "theirs.v1"]):
        with pytest.raises(UsageError, match=r"theirs\.v1 was trained for another base model than .*micro") as refused:
            plan_deployment(catalog, ours, NOBODY, asked)
        assert "`base` below [serving]" in refused.value.hint


def test_base_model_that_is_served_stays_until_the_configuration_names_another(
    catalog: Catalog, host: HostConfig, service: Foreground, micro_model: Path, other_model: Path, tmp_path: Path
) -> None:
    own = shutil.copytree(micro_model, tmp_path / "own")
    publish_adapter(catalog, own, tmp_path, "ours")
    applied(catalog, host, service)
    publish_adapter(catalog, other_model, tmp_path, "theirs", seed=2)  # newer, and no reason to replace ours
    planned = plan_deployment(catalog, host, service)
    assert (planned.base_path, planned.change.kind) == (own, "none")
    assert planned.left_out == ("theirs.v1 was trained for another base model",)
    with pytest.raises(UsageError, match=r"theirs\.v1 was trained for another base model than .*own"):
        plan_deployment(catalog, host, service, ["theirs"])
    named = host.model_copy(update={"serving": host.serving.model_copy(update={"base": str(other_model)})})
    assert [one.model_name for one in plan_deployment(catalog, named, service).adapters] == ["theirs.v1"]
    weights = own / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\1")
    with pytest.raises(ModelError, match="its files differ"):
        plan_deployment(catalog, host, service)
    shutil.rmtree(own)
    with pytest.raises(ModelError, match=r"is no longer at .*own"):
        plan_deployment(catalog, host, service)
    assert [one.model_name for one in plan_deployment(catalog, named, service).adapters] == ["theirs.v1"]
