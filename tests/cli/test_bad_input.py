"""Bad input, each with a sentence and an exit code of its own, before any work is done."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from duotune import paths
from duotune.cli.main import run
from duotune.errors import ExitCode
from support.projects import make_project, standard_library
from support.repositories import git


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_project(tmp_path_factory.mktemp("projects") / "code", "json", "logging", "importlib")


def write_config(folder: Path, source: Path, model: Path, extra: str = "", adapter: str = 'name = "a"') -> Path:
    file = folder / "run.toml"
    file.write_text(
        f'name = "r"\n[[projects]]\nsource = "{source}"\n[model]\npath = "{model}"\n[adapter]\n{adapter}\n'
        f"[data]\nsequence_length = 128\n{extra}"
    )
    return file


def refusal(capsys: pytest.CaptureFixture[str], file: Path, code: ExitCode) -> str:
    """What is said when the run is refused; no run directory may be left behind."""
    assert run(["run", str(file)]) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert not paths.runs().exists() or not any(paths.runs().iterdir())
    assert captured.err.startswith(("Error:", "Note:"))
    return captured.err


def test_a_refused_plan_is_one_line_of_json(
    tmp_path: Path, micro_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write_config(tmp_path, tmp_path / "nowhere", micro_model)
    assert run(["run", str(file), "--json"]) == ExitCode.USAGE
    (line,) = capsys.readouterr().out.splitlines()
    assert "nowhere" in json.loads(line)["error"]["message"]
    assert json.loads(line)["error"]["exit_code"] == ExitCode.USAGE


def test_unknown_key_and_wrong_type(
    tmp_path: Path, project: Path, micro_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write_config(tmp_path, project, micro_model, '[lora]\nrank = 8\nr = "many"\n')
    said = refusal(capsys, file, ExitCode.USAGE)
    assert "lora.rank = 8: unknown key" in said
    assert "lora.r = 'many': must be a whole number" in said


def test_missing_repository(tmp_path: Path, micro_model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = refusal(capsys, write_config(tmp_path, tmp_path / "nowhere", micro_model), ExitCode.USAGE)
    assert "nowhere" in said


def test_empty_folder(tmp_path: Path, micro_model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").mkdir()
    said = refusal(capsys, write_config(tmp_path, tmp_path / "empty", micro_model), ExitCode.USAGE)
    assert "empty" in said


def test_repository_without_commits(tmp_path: Path, micro_model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "fresh").mkdir()
    git(tmp_path / "fresh", "init", "--quiet")
    said = refusal(capsys, write_config(tmp_path, tmp_path / "fresh", micro_model), ExitCode.USAGE)
    assert "commit" in said


def test_repository_with_nothing_to_train_on(
    tmp_path: Path, micro_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "data.csv").write_text("a,b\n1,2\n" * 50)
    said = refusal(capsys, write_config(tmp_path, tmp_path / "notes", micro_model), ExitCode.USAGE)
    assert "nothing to train on" in said


def test_model_directory_that_is_none(tmp_path: Path, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "notes.txt").write_text("no model")
    said = refusal(capsys, write_config(tmp_path, project, tmp_path / "model"), ExitCode.USAGE)
    assert "config.json" in said


def test_missing_model(tmp_path: Path, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = refusal(capsys, write_config(tmp_path, project, tmp_path / "absent-model"), ExitCode.USAGE)
    assert "absent-model" in said


def test_sequence_longer_than_the_model_reads(
    tmp_path: Path, project: Path, micro_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write_config(tmp_path, project, micro_model)
    file.write_text(file.read_text().replace("sequence_length = 128", "sequence_length = 8192"))
    assert "at most 1024 tokens" in refusal(capsys, file, ExitCode.USAGE)


def test_unwritable_location(
    tmp_path: Path, project: Path, micro_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    adapter = f'name = "a"\nlocation = "{tmp_path / "file" / "below"}"'
    said = refusal(capsys, write_config(tmp_path, project, micro_model, adapter=adapter), ExitCode.ENVIRONMENT)
    assert "below" in said


def test_adapter_name_of_another_base(
    tmp_path: Path, project: Path, micro_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from duotune.catalog.adapters import Adapter
    from duotune.catalog.catalog import open_catalog

    with open_catalog() as catalog:
        catalog.adapters.ensure(Adapter("a", "f" * 64, "another model"))
    said = refusal(capsys, write_config(tmp_path, project, micro_model), ExitCode.USAGE)
    assert "another base model" in said


def test_all_refusals_are_told_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = refusal(capsys, write_config(tmp_path, tmp_path / "nowhere", tmp_path / "absent-model"), ExitCode.USAGE)
    assert "nowhere" in said
    assert "absent-model" in said


def test_dry_run_changes_nothing_and_prints_every_check(
    tmp_path: Path, project: Path, micro_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["run", str(write_config(tmp_path, project, micro_model)), "--dry-run"]) == ExitCode.OK
    out = capsys.readouterr().out
    for check in ("project code", "base model", "adapter name", "memory", "disk", "state"):
        assert check in out
    assert not paths.runs().exists()
    settings = {line.split()[0]: line.split()[-1] for line in out.splitlines() if "." in line.split(" ")[0]}
    assert settings["projects[0].source"] == str(project)
    assert settings["data.sequence_length"] == "128"
    assert "lora.r" not in settings
    assert f"duotune config show {tmp_path / 'run.toml'}" in out


def test_a_plan_of_nothing_has_no_empty_tables_and_no_empty_check(
    tmp_path: Path, micro_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["run", str(write_config(tmp_path, tmp_path / "nowhere", micro_model)), "--dry-run"]) == ExitCode.USAGE
    assert capsys.readouterr().out.splitlines()[0].split() == ["check", "result"]
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "data.csv").write_text("a,b\n1,2\n" * 50)
    assert run(["run", str(write_config(tmp_path, tmp_path / "notes", micro_model)), "--dry-run"]) == ExitCode.USAGE
    assert "recipes" not in [line[2:].split(" ")[0] for line in capsys.readouterr().out.splitlines()]


def test_a_state_directory_that_is_none_is_named_without_error_numbers(
    tmp_path: Path,
    project: Path,
    micro_model: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "file").write_text("")
    file = write_config(tmp_path, project, micro_model)
    for home in (tmp_path / "file", tmp_path / "file" / "below"):
        monkeypatch.setenv("DUOTUNE_HOME", str(home))
        for command in (["run", str(file)], ["run", str(file), "--dry-run"], ["projects", "list"], ["runs"]):
            code = run(command)
            captured = capsys.readouterr()
            assert code == (ExitCode.OK if command == ["runs"] else ExitCode.ENVIRONMENT), (home, command)
            assert "Errno" not in captured.err + captured.out


def test_a_stage_that_does_not_exist_is_refused_before_anything_is_planned(
    tmp_path: Path, project: Path, micro_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write_config(tmp_path, project, micro_model)
    for more in ([], ["--dry-run"], ["--dry-run", "--json"]):
        assert run(["run", str(file), "--until", "foo", *more]) == ExitCode.USAGE
        assert "no stage 'foo'" in capsys.readouterr().err
        assert not paths.home().exists()


def test_a_dry_run_until_a_stage_expects_no_later_one(
    tmp_path: Path, project: Path, micro_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write_config(tmp_path, project, micro_model)
    assert run(["run", str(file), "--until", "train", "--dry-run", "--json"]) == ExitCode.OK
    assert list(json.loads(capsys.readouterr().out)["durations"]) == ["prepare", "train"]


def test_symlink_out_and_unreadable_file_are_left_out_with_their_reason(
    tmp_path: Path, micro_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import json

    folder = tmp_path / "code"
    folder.mkdir()
    for name, content in standard_library("json").items():
        (folder / Path(name).name).write_bytes(content)
    kept = len(list(folder.iterdir()))
    (folder / "passwords.py").symlink_to("/etc/shadow")
    assert run(["run", str(write_config(tmp_path, folder, micro_model)), "--dry-run", "--json"]) == ExitCode.OK
    planned = json.loads(capsys.readouterr().out.splitlines()[-1])
    (found,) = planned["projects"]
    assert found["files"] == kept
    assert [count for reason, count in found["rejected"].items() if "link" in reason] == [1]


def test_unknown_languages_are_refused_where_they_are_written(
    tmp_path: Path, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "run.toml"
    file.write_text(
        f'name = "r"\n[[projects]]\nsource = "{project}"\nlanguages = ["C", "Phyton"]\n'
        '[model]\npath = "tiny"\n[adapter]\nname = "a"\n'
    )
    assert run(["config", "check", str(file)]) == ExitCode.USAGE
    said = capsys.readouterr().err
    problem = "projects[0].languages = 'Phyton': is not a language that is known. Did you mean `Python`?"
    assert problem in said
    file.write_text(file.read_text().replace('name = "r"', 'name = "Bad Name"'))
    for command in (["config", "check"], ["run"]):
        assert run([*command, str(file)]) == ExitCode.USAGE
        said = capsys.readouterr().err
        assert problem in said
        assert "name = 'Bad Name'" in said
    assert run(["projects", "add", "x", str(project), "--language", "Phyton"]) == ExitCode.USAGE
    assert "Did you mean 'Python'?" in capsys.readouterr().err
    assert run(["projects", "show", "x"]) == ExitCode.USAGE


def test_globs_that_match_nothing_are_shown_with_the_project(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["projects", "add", "x", str(project), "--exclude", "docs/"]) == ExitCode.OK
    assert run(["projects", "show", "x"]) == ExitCode.OK
    assert "No file matches what its exclude names: docs/" in capsys.readouterr().out


def test_a_rehearsal_publishes_nothing(
    tmp_path: Path, project: Path, micro_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write_config(tmp_path, project, micro_model)
    assert run(["run", str(file), "--rehearse", "--until", "publish"]) == ExitCode.USAGE
    assert "A rehearsal publishes nothing" in capsys.readouterr().err
    assert run(["run", str(file), "--rehearse", "--dry-run", "--json"]) == ExitCode.OK
    planned = json.loads(capsys.readouterr().out)
    assert planned["steps"] == 4
    assert set(planned["durations"]) == {"prepare", "train", "evaluate"}
