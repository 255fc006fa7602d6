"""What the plan says of recipes: refused with a sentence where a model or a project cannot have them."""

from __future__ import annotations

import json
from pathlib import Path
from shutil import copytree

import pytest

from duotune.config.run import Recipes, RunConfig
from duotune.errors import UsageError
from duotune.plan.resolve import plan
from support.projects import make_project, small_run
from support.repositories import commit_files

DOCUMENT = b"# A heading of this note\n\nA paragraph of a note about nothing in particular.\n"


def with_recipes(config: RunConfig, languages: tuple[str, ...] = (), **shares: float) -> RunConfig:
    none = dict.fromkeys(Recipes.model_fields, 0.0)
    data = config.data.model_copy(update={"recipes": Recipes.model_validate({**none, **shares})})
    projects = [project.model_copy(update={"languages": list(languages)}) for project in config.projects]
    return config.model_copy(update={"data": data, "projects": projects})


@pytest.fixture
def without_fim(tmp_path: Path, micro_model: Path) -> Path:
    """The micro model without its fill-in-the-middle tokens."""
    directory = copytree(micro_model, tmp_path / "no-fim")
    definition = json.loads((directory / "tokenizer.json").read_bytes())
    definition["added_tokens"] = [t for t in definition["added_tokens"] if "fim" not in t["content"]]
    (directory / "tokenizer.json").write_text(json.dumps(definition))
    return directory


def test_model_without_fim_tokens_is_refused_the_recipe_before_any_work(tmp_path: Path, without_fim: Path) -> None:
    config = small_run(make_project(tmp_path / "code"), without_fim)
    with pytest.raises(UsageError, match="has no fill-in-the-middle tokens, which the recipe fim needs"):
        plan(with_recipes(config, fim=0.1, code=0.9)).raise_if_refused()
    others = plan(with_recipes(config, code=0.5, signature=0.3, metadata=0.2))
    assert "base model" not in {check.name for check in others.refusals}


def test_languages_that_no_recipe_applies_to_are_refused_or_named(tmp_path: Path, micro_model: Path) -> None:
    source = make_project(tmp_path / "code")
    commit_files(source, {f"notes{n}.md": DOCUMENT + b"More of it, number %d.\n" % n for n in range(4)}, "notes")
    config = small_run(source, micro_model)
    refused = plan(with_recipes(config, ("Markdown",), fim=1))
    with pytest.raises(UsageError, match="makes no examples of Markdown: every recipe"):
        refused.raise_if_refused()
    hint = "In data.recipes, give raw or heading (for documents: Markdown) a share above 0."
    assert [check.hint for check in refused.refusals if check.name == "recipes"] == [hint]
    both = plan(with_recipes(config, ("Markdown", "Python"), fim=1))
    warned = {check.name: check.detail for check in both.checks if check.status == "warning"}
    assert "no examples of Markdown" in warned["recipes"]
    taught = plan(with_recipes(config, ("Markdown", "Python"), fim=0.75, code=0.5, raw=0.5))
    assert [check.status for check in taught.checks if check.name == "recipes"] == ["ok"]
    shares = "of code fim 60 %, code 40 %; of documents raw 100 %"
    assert [check.detail for check in taught.checks if check.name == "recipes"] == [shares]
    code_alone = plan(with_recipes(config, fim=0.5, raw=0.5))
    assert [check.detail for check in code_alone.checks if check.name == "recipes"] == ["of code fim 100 %"]
