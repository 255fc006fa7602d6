"""A run that merges ends with a whole model that answers as the adapter did, or with nothing."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from duotune.adapters.contract import Contract, ContractCase
from duotune.adapters.copies import local_copy
from duotune.adapters.manifest import read_manifest
from duotune.adapters.merged import MERGED, read_merged
from duotune.catalog.catalog import open_catalog
from duotune.runs.outcomes import outcome
from duotune.runs.results import Merged
from duotune.storage.local import delete_tree
from support.evaluated import write_random_adapter
from support.merging import SCALE, failure, is_whole, merge_run, publish_adapter, recorded, worked
from support.s3 import S3Server

pytestmark = pytest.mark.usefixtures("own_signals_and_umask")


def moved(case: ContractCase, by: float) -> ContractCase:
    """A case whose adapter answered otherwise, and whose base model is far away."""
    update = {"adapter": [one - by for one in case.adapter or ()], "base": [one - 9 for one in case.base]}
    return case.model_copy(update=update)


def test_the_merged_model_answers_as_the_adapter_did_and_says_what_it_was_made_of(
    micro_model: Path, tmp_path: Path
) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    version = publish_adapter(micro_model, tmp_path)
    target = tmp_path / "models" / "merged"
    state = worked(merge_run(version, target))
    assert state.state == "finished"
    assert [stage.name for stage in state.stages] == ["merge"]
    result = Merged.of(state.results, "merge")
    assert result is not None
    assert result.proof is not None
    assert (result.version, result.directory, result.layers) == ("shop.v1", str(target), 6)
    assert result.proof.tokens == 72
    assert result.proof.distance < 0.05 < result.proof.from_base
    made = read_merged(target)
    assert made is not None
    assert (made.adapter, made.manifest_sha256) == ("shop.v1", version.manifest_sha256)
    assert made.base.fingerprint == read_manifest(Path(version.local_path)).base.fingerprint
    assert str(tmp_path) not in (target / MERGED).read_text()
    assert is_whole(target)
    assert [path.name for path in target.parent.iterdir()] == ["merged"]
    assert (target / "model.safetensors").stat().st_mode & 0o777 == 0o640
    prompt = AutoTokenizer.from_pretrained(target)("def ", return_tensors="pt")
    said = AutoModelForCausalLM.from_pretrained(target, dtype="auto").generate(**prompt, max_new_tokens=4)
    assert said.shape[1] > prompt["input_ids"].shape[1]


def test_a_model_that_answers_like_the_base_or_otherwise_is_deleted(micro_model: Path, tmp_path: Path) -> None:
    adapter = write_random_adapter(micro_model, tmp_path / "other", scale=SCALE)
    true = recorded(micro_model, adapter)
    swapped = [case.model_copy(update={"base": case.adapter, "adapter": case.base}) for case in true.cases]
    shifted = [moved(case, 0.3) for case in true.cases]
    for number, (cases, told) in enumerate(((swapped, "more like the base model"), (shifted, "0.1 is allowed"))):
        contract = true.model_copy(update={"cases": cases})
        home = tmp_path / f"case-{number}"
        home.mkdir()
        version = publish_adapter(micro_model, home, contract, name=f"shop{number}")
        told_to_admin = failure(merge_run(version, home / "merged" / "model"))
        assert told in told_to_admin
        assert "so it was deleted" in told_to_admin
        assert not list((home / "merged").iterdir())


def test_without_recorded_answers_it_says_that_nothing_is_proven(micro_model: Path, tmp_path: Path) -> None:
    empty = Contract(model="m", tokenizer="t", family=None, precision="bfloat16", cases=[])
    state = worked(merge_run(publish_adapter(micro_model, tmp_path, empty), tmp_path / "merged"))
    assert state.state == "finished"
    assert "is not proven" in state.warnings[0]
    result = Merged.of(state.results, "merge")
    assert result is not None
    assert result.proof is None


def test_over_a_quantized_base_it_must_only_be_nearer_to_the_adapter(micro_model: Path, tmp_path: Path) -> None:
    adapter = write_random_adapter(micro_model, tmp_path / "other", scale=SCALE)
    true = recorded(micro_model, adapter, precision="bfloat16 over nf4 weights")
    cases = [moved(case, 0.3) for case in true.cases]
    version = publish_adapter(micro_model, tmp_path, true.model_copy(update={"cases": cases}))
    state = worked(merge_run(version, tmp_path / "merged"))
    assert state.state == "finished"
    assert "over nf4 weights" in state.warnings[0]


def test_over_a_quantized_base_an_adapter_almost_like_it_proves_nothing_and_says_so(
    micro_model: Path, tmp_path: Path
) -> None:
    adapter = write_random_adapter(micro_model, tmp_path / "other", scale=SCALE)
    true = recorded(micro_model, adapter, precision="bfloat16 over nf4 weights")
    cases = [case.model_copy(update={"base": [one - 0.001 for one in case.adapter or ()]}) for case in true.cases]
    version = publish_adapter(micro_model, tmp_path, true.model_copy(update={"cases": cases}))
    state = worked(merge_run(version, tmp_path / "merged"))
    result = Merged.of(state.results, "merge")
    assert result is not None
    assert result.proof is None
    assert "is not proven" in state.warnings[-1]
    assert "not proven" in outcome(state, "merge")


def test_another_base_model_at_its_place_is_refused_before_anything_is_written(
    micro_model: Path, tmp_path: Path
) -> None:
    base = shutil.copytree(micro_model, tmp_path / "base")
    run = merge_run(publish_adapter(base, tmp_path), tmp_path / "place" / "merged")
    config = base / "config.json"
    config.write_text(config.read_text() + "\n")
    assert "is not the base model that shop.v1 was trained over" in failure(run)
    assert not (tmp_path / "place").exists()


def test_what_is_there_is_not_overwritten(micro_model: Path, tmp_path: Path) -> None:
    run = merge_run(publish_adapter(micro_model, tmp_path), tmp_path / "merged")
    (tmp_path / "merged").mkdir()
    (tmp_path / "merged" / "mine").write_text("mine")
    assert "is not empty" in failure(run)
    assert [file.name for file in (tmp_path / "merged").iterdir()] == ["mine"]


def test_an_adapter_that_is_on_s3_alone_is_fetched(micro_model: Path, tmp_path: Path, server: S3Server) -> None:
    version = publish_adapter(micro_model, tmp_path, location="s3://models/a")
    run = merge_run(version, tmp_path / "merged")
    delete_tree(Path(version.local_path))
    assert worked(run).state == "finished"
    with open_catalog() as catalog:
        assert local_copy(catalog, catalog.adapters.get("shop")).is_dir()
