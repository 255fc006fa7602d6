"""Configurations: every problem at once, each with key, value, reason and nearest match."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from duotune.config.host import HostConfig
from duotune.config.load import load_host_config, load_run_config, parse
from duotune.config.resolve import project_name
from duotune.config.run import RunConfig
from duotune.config.write import dump_toml, host_template, run_template
from duotune.errors import ConfigError, ExitCode, UsageError

MINIMAL = """
name = "r"
[[projects]]
source = "code"
[model]
path = "tiny"
[adapter]
name = "a"
"""


def write(folder: Path, text: str) -> Path:
    file = folder / "run.toml"
    file.write_text(text)
    return file


def problems_of(folder: Path, text: str) -> dict[str, str]:
    with pytest.raises(ConfigError) as caught:
        load_run_config(write(folder, text))
    assert caught.value.exit_code == ExitCode.USAGE
    return {problem.key: str(problem) for problem in caught.value.problems}


def test_minimal_config_runs_on_defaults_with_paths_from_its_own_folder(tmp_path: Path) -> None:
    config = load_run_config(write(tmp_path, MINIMAL))
    assert (config.lora.r, config.lora.lora_alpha, config.lora.lora_dropout) == (16, 32, 0.0)
    assert config.lora.target_modules == "all-linear"
    assert config.projects[0].source == str(tmp_path / "code")
    assert config.projects[0].name == "code"
    assert config.model.path == "tiny"


@pytest.mark.parametrize(
    "source",
    ["host:group/repo.git", "git@host:x.git", "HTTPS://host/x.git", "file:///srv/x", "ext::sh -c id"],
)
def test_address_of_a_source_is_no_path(tmp_path: Path, source: str) -> None:
    config = load_run_config(write(tmp_path, MINIMAL.replace('"code"', f'"{source}"')))
    assert config.projects[0].source == source


def test_folder_with_a_colon_beside_the_config_is_a_path(tmp_path: Path) -> None:
    (tmp_path / "a:b").mkdir()
    config = load_run_config(write(tmp_path, MINIMAL.replace('"code"', '"a:b"')))
    assert config.projects[0].source == str(tmp_path / "a:b")


@pytest.mark.parametrize(
    ("location", "resolved"), [("s3://b/p", "s3://b/p"), ("out", "{here}/out"), ("a:b", "{here}/a:b"), ("", "")]
)
def test_location_is_a_url_or_a_path(tmp_path: Path, location: str, resolved: str) -> None:
    config = load_run_config(write(tmp_path, MINIMAL + f'location = "{location}"\n'))
    assert config.adapter.location == resolved.format(here=tmp_path)


@pytest.mark.parametrize("location", ["s3:/bad", "s3:bad", "s3://", "s3:///bad", "S3://bucket"])
def test_location_that_was_meant_for_s3_is_no_folder(tmp_path: Path, location: str) -> None:
    found = problems_of(tmp_path, MINIMAL + f'location = "{location}"\n[data]\nlocation = "{location}"\n')
    assert set(found) == {"adapter.location", "data.location"}
    assert "s3://BUCKET/PREFIX" in found["data.location"]
    with pytest.raises(ConfigError, match="s3://BUCKET/PREFIX"):
        parse(HostConfig, {"defaults": {"data_location": location}}, "config.toml")


def test_all_problems_are_reported_at_once_with_nearest_match(tmp_path: Path) -> None:
    text = MINIMAL.replace('name = "r"', 'nam = "r"').replace('path = "tiny"', 'path = 3\ndtype = "fp8"')
    found = problems_of(tmp_path, text + '[lora]\nr = "16"\nlora_alfa = 32\n[training]\nlearning_rate = 0\n')
    assert set(found) == {
        "name",
        "nam",
        "model.path",
        "model.dtype",
        "lora.r",
        "lora.lora_alfa",
        "training.learning_rate",
    }
    assert "is required" in found["name"]
    assert "Did you mean `name`?" in found["nam"]
    assert "Did you mean `lora_alpha`?" in found["lora.lora_alfa"]
    assert "'16'" in found["lora.r"]
    assert "whole number" in found["lora.r"]
    assert "'bfloat16'" in found["model.dtype"]


def test_key_in_the_wrong_table_is_pointed_to_the_right_one(tmp_path: Path) -> None:
    found = problems_of(tmp_path, "learning_rate = 1e-4\n" + MINIMAL)
    assert "Did you mean `training.learning_rate`?" in found["learning_rate"]


def test_union_field_names_every_alternative(tmp_path: Path) -> None:
    found = problems_of(tmp_path, MINIMAL + "[lora]\ntarget_modules = 3\n")
    assert "'all-linear' or must be a list" in found["lora.target_modules"]


def test_two_projects_of_one_name_are_refused(tmp_path: Path) -> None:
    found = problems_of(tmp_path, MINIMAL + '[[projects]]\nsource = "other/code"\n')
    assert "projects[0]" in found["projects[1].name"]


@pytest.mark.parametrize("name", ["a.v2", "a.b.v10"])
def test_adapter_name_that_reads_as_a_version_is_refused(tmp_path: Path, name: str) -> None:
    found = problems_of(tmp_path, MINIMAL.replace('name = "a"', f'name = "{name}"'))
    assert "ends like a version" in found["adapter.name"]
    assert load_run_config(write(tmp_path, MINIMAL.replace('name = "a"', 'name = "a.v0"'))).adapter.name == "a.v0"


@pytest.mark.parametrize("name", ["\\u001b[31m", "a b", "x\\n", ".hidden", "x" * 64])
def test_project_name_holds_nothing_odd(tmp_path: Path, name: str) -> None:
    found = problems_of(tmp_path, MINIMAL.replace("[[projects]]", f'[[projects]]\nname = "{name}"'))
    assert "may hold letters, digits" in found["projects[0].name"]
    config = load_run_config(write(tmp_path, MINIMAL.replace("[[projects]]", '[[projects]]\nname = "Billing-2"')))
    assert config.projects[0].name == "Billing-2"


def test_held_out_fractions_must_leave_something_to_train_on(tmp_path: Path) -> None:
    found = problems_of(tmp_path, MINIMAL + "[data]\nvalidation_fraction = 0.3\ntest_fraction = 0.4\n")
    assert "too little to train on" in found["data"]


def test_file_that_is_no_toml_is_one_problem(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="Invalid value"):
        load_run_config(write(tmp_path, "name = "))


def test_missing_file_and_folder_have_sentences_of_their_own(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no configuration file .*absent\.toml"):
        load_run_config(tmp_path / "absent.toml")
    with pytest.raises(UsageError, match="Is a directory"):
        load_run_config(tmp_path)


def test_names_of_other_tools_lead_to_ours(tmp_path: Path) -> None:
    found = problems_of(tmp_path, "lr = 1e-4\n" + MINIMAL + "[lora]\nrank = 8\n")
    assert "Did you mean `training.learning_rate`?" in found["lr"]
    assert "Did you mean `lora.r`?" in found["lora.rank"]


def test_template_shows_every_default_and_parses_to_them() -> None:
    text = run_template("mine", "src")
    config = parse(RunConfig, tomllib.loads(text), "template")
    minimal = {"name": "mine", "projects": [{"source": "src"}], "model": {"path": "tiny"}, "adapter": {"name": "mine"}}
    assert config == parse(RunConfig, minimal, "minimal")
    for key in ("learning_rate", "lora_alpha", "sequence_length", "fim_items", "publish"):
        assert f"\n{key} = " in text
    assert max(len(line) for line in text.splitlines()) <= 120


def test_frozen_copy_parses_to_an_equal_config(tmp_path: Path) -> None:
    config = load_run_config(write(tmp_path, MINIMAL))
    assert parse(RunConfig, tomllib.loads(dump_toml(config)), "frozen") == config


def test_every_field_has_help_of_one_line() -> None:
    schema = json.loads(json.dumps(RunConfig.model_json_schema()))
    for name, definition in [("RunConfig", schema), *schema["$defs"].items()]:
        for key, field in definition["properties"].items():
            assert "$ref" in field or 10 < len(field.get("description", "")) < 140, f"{name}.{key}"


def test_host_config_is_optional_and_its_template_is_the_default(tmp_path: Path) -> None:
    defaults = load_host_config(tmp_path / "absent.toml")
    file = tmp_path / "host.toml"
    file.write_text(host_template())
    assert load_host_config(file) == defaults


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("/srv/git/Billing Core.git", "billing-core"),
        ("https://gitlab.example.com/group/api.git", "api"),
        ("git@host:team/tool", "tool"),
        ("/", "project"),
        (f"/srv/{'x' * 80}", "x" * 63),
    ],
)
def test_project_gets_its_name_from_its_source(source: str, name: str) -> None:
    assert project_name(source) == name


@pytest.mark.parametrize(
    "listen",
    [
        "8000",
        ":8000",
        "localhost:",
        "localhost:http",
        "localhost:99999",
        "unix:relative",
        "a b:1",
        "::1:8000",
        "h:²",
        "a..b:8000",
        "a.:8000",
        "999.1.1.1:8000",
        "[:::]:8000",
        f"{'x' * 64}:8000",
    ],
)
def test_an_address_of_the_host_that_is_none_is_refused(tmp_path: Path, listen: str) -> None:
    file = tmp_path / "duotune.toml"
    file.write_text(f'[serving]\nlisten = "{listen}"\nuser = "no body"\n')
    with pytest.raises(ConfigError) as error:
        load_host_config(file)
    reasons = {problem.key: problem.reason for problem in error.value.problems}
    assert set(reasons) == {"serving.listen", "serving.user"}
    assert "is no address" in reasons["serving.listen"]


@pytest.mark.parametrize("listen", ["0.0.0.0:1", "gpu-1.lan:8000", "[::]:8000", "unix:/run/x y/vllm.sock"])
def test_addresses_of_the_host(listen: str) -> None:
    assert parse(HostConfig, {"serving": {"listen": listen, "user": "_vllm-duo"}}, "host").serving.listen == listen
