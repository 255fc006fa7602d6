"""Published adapters that change the micro model, with the answers that a merged model must give."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from duotune.adapters.contract import CONTRACT, Contract, ContractCase
from duotune.adapters.manifest import BaseModelRef, ManifestDraft, ProjectRef, describe_file
from duotune.adapters.merged import MERGED, read_merged
from duotune.adapters.publish import publish
from duotune.catalog.adapters import Version
from duotune.catalog.catalog import open_catalog
from duotune.config.run import ModelConfig
from duotune.models.locate import fingerprint
from duotune.models.shape import read_shape
from duotune.plan.merge import plan_merge
from duotune.runs.directory import RunDirectory, create_run
from duotune.runs.events import MergeOrder
from duotune.runs.state import RunState
from duotune.worker import process
from support.evaluated import write_random_adapter
from support.projects import small_run

SCALE = 1.0
"""Of the adapter's weights: base model and adapter are easily told apart."""
PROMPTS, PROMPT_TOKENS, TARGET_TOKENS = 6, 40, 12


def recorded(model: Path, adapter: Path, **changes: Any) -> Contract:
    """What base model and adapter answer to some prompts, as an evaluation records it."""
    import torch

    from duotune.evaluation.generate import answer
    from duotune.evaluation.model import Side, load_two

    models = load_two(model, adapter, ModelConfig(path=str(model)), "cpu")
    models.serve_in_bfloat16()
    generator = torch.Generator().manual_seed(5)
    cases = []
    for number in range(PROMPTS):
        ids = torch.randint(20, 700, (PROMPT_TOKENS + TARGET_TOKENS,), generator=generator).tolist()
        prompt, target = ids[:PROMPT_TOKENS], ids[PROMPT_TOKENS:]
        said = {}
        sides: tuple[Side, Side] = ("base", "adapter")
        for side in sides:
            with models.speaking(side):
                said[side] = answer(models, [prompt], [target], [0], ())[0].gold_logprobs
        cases.append(ContractCase(id=f"case-{number}", prompt_ids=prompt, target_ids=target, **said))
    fields: dict[str, Any] = {"tokenizer": "t", "family": None, "precision": "bfloat16", "cases": cases}
    return Contract(model=fingerprint(model), **fields | changes)


def publish_adapter(
    model: Path, folder: Path, contract: Contract | None = None, location: str = "", **draft: Any
) -> Version:
    """Publish a random adapter `shop` of the micro model.

    Args:
        model: The base model.
        folder: Where things are put together.
        contract: What is recorded of it; by default what it really answers.
        location: Where it is published.
        **draft: Of its manifest, what shall be otherwise.
    """
    adapter = write_random_adapter(model, folder / "trained", scale=SCALE)
    file = folder / CONTRACT
    file.write_text((contract or recorded(model, adapter)).model_dump_json())
    fields: dict[str, Any] = {
        "name": "shop",
        "base": BaseModelRef(
            path=str(model), name="micro", fingerprint=fingerprint(model), architecture="Qwen2ForCausalLM"
        ),
        "projects": [ProjectRef(name="code", source="/code")],
        "config": small_run(Path("/code"), model, "shop").model_dump(mode="json"),
        "verdict": "better",
    }
    with open_catalog() as catalog:
        shape = read_shape(model)
        done = publish(
            adapter, ManifestDraft(**fields | draft), shape, catalog, location=location, extras={CONTRACT: file}
        )
    return done.version


def merge_run(version: Version, target: Path) -> RunDirectory:
    """A run that is to merge, not begun."""
    order = MergeOrder(adapter=version.name, manifest_sha256=version.manifest_sha256, directory=str(target))
    return create_run(plan_merge(version.name).config, kind="merge", order=order)


def worked(run: RunDirectory) -> RunState:
    """Do its work in this process."""
    process.work(run.path)
    return run.state()


def failure(run: RunDirectory) -> str:
    """What it fails with."""
    state = worked(run)
    assert state.state == "failed"
    assert state.error is not None
    return f"{state.error.message} {state.error.hint}"


def is_whole(directory: Path) -> bool:
    """Whether a merged model has just the files that it says, as it says."""
    made = read_merged(directory)
    assert made is not None
    assert set(made.files) == {file.name for file in directory.iterdir()} - {MERGED}
    return all(describe_file(directory / name) == file for name, file in made.files.items())
