"""The draft: checked by the code that checks files, kept for one person, and never with a secret."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from duotune.config.write import brief_toml, differing
from duotune.errors import ConfigError, SourceError, UsageError
from duotune.plan.configuration import checked, load
from duotune.plan.records import Check
from duotune.screens.wizard.causes import cause_of
from duotune.screens.wizard.draft import STEPS, Draft, step_of
from duotune.screens.wizard.keeping import draft_file, forget, keep, open_start, read_kept, write_config
from duotune.screens.wizard.model import FIRST, NAMES, REST
from duotune.screens.wizard.storage import LOCATIONS, MORE, SPLIT
from duotune.screens.wizard.verdicts import names_of
from duotune.widgets.field_face import keys_of

WHOLE = Draft(
    {
        "name": "night",
        "projects": [{"name": "a", "source": "/srv/a"}, {"name": "b", "source": "/srv/b", "languages": ["!Shell"]}],
        "model": {"path": "tiny"},
        "adapter": {"name": "night"},
        "data": {"recipes": {"fim": 0.3}},
        "lora": {"target_modules": ["q_proj"]},
    }
)


def test_a_draft_has_the_problems_that_a_file_has_and_those_between_fields_too() -> None:
    draft = WHOLE.put("lora.r", "many").put("data.test_fraction", 0.5).put("data.validation_fraction", 0.3)
    draft = draft.with_project("b", name="a", languages=["Pyton"])
    assert draft.problems_in("model") == {"lora.r": "must be a whole number"}
    assert "leave too little to train on" in draft.problems_in("data")["data.test_fraction"]
    assert draft.problems_in("projects")["projects[1].name"].startswith("is also the name of projects[0]")
    assert draft.problems_in("files")["projects[1].languages"].endswith("Did you mean Python?")
    with pytest.raises(ConfigError) as caught:
        draft.config()
    assert {problem.key for problem in caught.value.problems} <= {problem.key for problem in draft.problems}


def test_what_is_missing_is_told_by_step_and_estimates_are_made_all_the_same() -> None:
    draft = Draft().put("lora.r", 8)
    assert {step.name: list(draft.problems_in(step.name)) for step in STEPS} == {
        "projects": ["projects"],
        "files": [],
        "data": [],
        "model": ["name", "model.path", "adapter.name"],
        "review": [],
    }
    assert draft.mended is not None
    assert draft.mended.lora.r == 8


def test_every_setting_of_a_run_has_a_field_in_one_step() -> None:
    shown = [*(f"data.{name}" for name in SPLIT), *MORE, *LOCATIONS, *keys_of("data.recipes"), *FIRST, *NAMES, *REST]
    shown += ["data.secrets", "data.personal_data"]
    assert sorted(shown) == sorted(key for key in keys_of("") if key != "projects")
    assert {step_of(key) for key in shown} == {"data", "model"}


def test_changing_a_draft_leaves_the_one_before_as_it_was() -> None:
    other = WHOLE.put("data.recipes.fim", 0.9).with_project("a", include=["src/"])
    assert WHOLE.value("data.recipes.fim") == 0.3
    assert "include" not in WHOLE.projects[0]
    assert other.projects[0]["include"] == ["src/"]
    assert other.put("data.recipes.fim", None).value("data.recipes.fim") is None


def test_a_brief_file_says_the_same_as_the_configuration(tmp_path: Path) -> None:
    config = WHOLE.config()
    text = brief_toml(config)
    assert checked(tomllib.loads(text), tmp_path / "x.toml") == config
    keys = {key for key, _ in differing(config)}
    assert "data.recipes.fim" in keys
    assert "data.seed" not in keys
    assert "seed" not in text
    assert "[data.recipes] # relative shares of the text: they need not sum to 1" in text


def test_a_draft_is_kept_whole_and_for_its_author_alone() -> None:
    draft = WHOLE.put("lora.r", "many").put("data.location", "/srv/\udcff")
    keep(draft, "model")
    assert read_kept().draft == draft
    assert read_kept().step == "model"
    assert draft_file().stat().st_mode & 0o077 == 0
    assert [file.name for file in draft_file().parent.iterdir()] == [draft_file().name]
    forget()
    forget()
    assert read_kept().draft == Draft()


@pytest.mark.parametrize(
    "content", ["", "[]", "{", '{"step": "x", "config": [1]}', '{"step": 1, "config": {"projects": 3}}']
)
def test_a_damaged_draft_is_as_good_as_none(content: str) -> None:
    draft_file().parent.mkdir(parents=True)
    draft_file().write_text(content)
    assert read_kept().draft == Draft()


def test_a_file_with_problems_or_with_a_password_is_not_opened(tmp_path: Path) -> None:
    file = tmp_path / "run.toml"
    file.write_text(
        'name = "x"\nmodel.path = "tiny"\nadapter.name = "x"\n[[projects]]\nsource = "https://me:pw@example.org/x.git"\n'
    )
    with pytest.raises(SourceError, match="password or token"):
        open_start(str(file))
    file.write_text('nmae = "x"\n')
    with pytest.raises(ConfigError, match="nmae"):
        open_start(str(file))
    with pytest.raises(UsageError, match="There is no run"):
        open_start("nothing")


def test_a_file_is_only_replaced_when_that_is_said_twice(tmp_path: Path) -> None:
    file = tmp_path / "run.toml"
    file.write_text("mine")
    with pytest.raises(UsageError, match="There is a file"):
        write_config(WHOLE.config(), str(file), replace=False)
    assert file.read_text() == "mine"
    assert write_config(WHOLE.config(), str(file), replace=True) == file
    assert load(file) == WHOLE.config()
    with pytest.raises(UsageError, match="is a folder"):
        write_config(WHOLE.config(), str(tmp_path), replace=True)


@pytest.mark.parametrize(
    ("name", "detail", "hint", "key"),
    [
        ("base model", "The model has no fill-in-the-middle tokens.", "Set data.recipes.fim = 0.", "data.recipes.fim"),
        ("base model", "There is no model at x.", "Copy it.", "model.path"),
        ("project b", "no file matches what its exclude names: x", "Globs.", "projects[1].exclude"),
        ("project b", "There is no /srv/b.", "Correct `source`.", "projects[1].source"),
        ("memory", "may not fit", "Lower data.sequence_length or", "data.sequence_length"),
        ("disk", "The disk is too full", "Free some space.", ""),
    ],
)
def test_a_check_leads_to_its_field(name: str, detail: str, hint: str, key: str) -> None:
    assert cause_of(Check(name=name, status="refused", detail=detail, hint=hint), WHOLE) == key


def test_languages_are_said_as_briefly_as_can_be() -> None:
    found = {"Python", "Shell", "Markdown"}
    assert names_of({"Python", "Shell"}, found) == []
    assert names_of({"Python"}, found) == ["!Shell"]
    assert names_of({"Python", "Markdown"}, found) == ["Markdown", "Python"]
