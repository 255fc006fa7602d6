"""The command line as scripts see it: exit codes, standard output against standard error, two sentences per error."""

from __future__ import annotations

import json
import os
import re
import shlex
import sys
from pathlib import Path

import pytest

from duotune.cli.main import COMMANDS, LazyGroup, cli, run
from duotune.cli.output import plain_table, print_error, show
from duotune.cli.tables import show_evaluation
from duotune.evaluation.results import Evaluation, Metric, SetResult
from duotune.runs.directory import create_run
from duotune.runs.wording import in_bytes, in_gib, in_words
from support.runs import run_config


def test_every_command_of_the_table_exists_with_a_help_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    assert isinstance(cli, LazyGroup)
    for name in COMMANDS:
        assert run([name, "--help"]) == 0
        assert "Usage: duotune" in capsys.readouterr().out


@pytest.mark.parametrize("terminal", ["xterm-256color", "dumb", ""])
def test_without_a_terminal_the_app_is_refused_with_what_to_do_instead(
    terminal: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", terminal)
    assert run([]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "needs a terminal" in captured.err
    assert "`duotune run CONFIG.toml`" in captured.err


def test_unknown_command_names_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["statsu", "x"]) == 2
    assert "Did you mean `duotune status`?" in capsys.readouterr().err


def test_config_new_goes_to_standard_output_and_check_accepts_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["config", "new", "--name", "mine"]) == 0
    file = tmp_path / "run.toml"
    file.write_text(capsys.readouterr().out)
    assert run(["config", "check", str(file)]) == 0
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "is valid" in captured.err
    assert "run.toml --dry-run" in captured.err
    assert "are relative: of code fim 55 %, code 25 %, signature 15 %, metadata 5 %; of documents" in captured.err
    assert run(["config", "new", "--host"]) == 0
    file.write_text(capsys.readouterr().out)
    assert run(["config", "check", "--host", str(file)]) == 0
    assert "--dry-run" not in capsys.readouterr().err


def test_a_command_that_is_shown_can_be_pasted_whatever_the_file_is_called(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "my run; echo.toml"
    assert run(["config", "new"]) == 0
    file.write_text(capsys.readouterr().out)
    assert run(["config", "check", str(file)]) == 0
    (command,) = re.findall("`duotune (.*?)`", capsys.readouterr().err)
    assert shlex.split(command) == ["run", str(file), "--dry-run"]


def test_names_that_cannot_be_are_refused_in_words_with_advice_that_fits(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "host.toml").write_text("[serving]\nlisten = 8\n")
    for arguments, told, advised in (
        (["config", "new", "--name", "Bad Name"], "name = 'Bad Name': may hold", ""),
        (["config", "new", "--source", ""], "source = '': must not be empty", ""),
        (["projects", "add", "Bad Name", str(tmp_path)], "name = 'Bad Name': may hold", ""),
        (["config", "check", "--host", str(tmp_path / "host.toml")], "serving.listen = 8", "config new --host` prints"),
        (
            ["config", "check", "--host", str(tmp_path / "none.toml")],
            "There is no",
            "config new --host > duotune.toml`",
        ),
        (["config", "check", str(tmp_path / "host.toml")], "serving", "`duotune config new` prints"),
    ):
        assert run(arguments) == 2
        said = capsys.readouterr().err
        assert told in said
        assert advised in said if advised else "config new" not in said


@pytest.mark.parametrize("command", [["config", "check"], ["config", "check", "--host"], ["config", "show"], ["run"]])
def test_a_fifo_is_no_configuration_and_is_not_waited_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    os.mkfifo(tmp_path / "run.toml")
    assert run([*command, str(tmp_path / "run.toml")]) == 2
    assert "it is not a regular file" in capsys.readouterr().err


def test_config_check_leaves_with_2_and_lists_problems(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "run.toml"
    file.write_text("[lora]\nr = 0\n")
    assert run(["config", "check", str(file)]) == 2
    error = capsys.readouterr().err
    for key in ("name", "projects", "model", "adapter", "lora.r"):
        assert f"\n  {key}" in error


def test_config_schema_is_one_line_of_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["config", "schema"]) == 0
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    assert json.loads(out)["title"] == "RunConfig"


def test_runs_of_an_empty_home_are_an_empty_array(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["runs", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == []


def test_unknown_run_is_a_usage_error_with_a_hint(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["status", "nothing"]) == 2
    error = capsys.readouterr().err
    assert "There is no run nothing" in error or "There is no run 'nothing'" in error
    assert "duotune run CONFIG.toml" in error


def test_a_run_without_an_adapter_yet_is_told_from_an_unknown_name(capsys: pytest.CaptureFixture[str]) -> None:
    made = create_run(run_config("shop"))
    assert run(["adapters", "publish", "shop"]) == 2
    error = capsys.readouterr().err
    assert made.id in error
    assert f"duotune resume {made.id}" in error


@pytest.mark.parametrize(
    ("seconds", "words"), [(None, "–"), (3.4, "3 s"), (89, "89 s"), (600, "10 min"), (5400, "1 h 30 min"), (-1, "0 s")]
)
def test_durations_in_words(seconds: float | None, words: str) -> None:
    assert in_words(seconds) == words


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (8_070_000, "8.07 MB"),
        (2.5e9, "2.5 GB"),
        (3e15, "3,000 TB"),
        (999_600, "1 MB"),
        (999.9e6, "1 GB"),
    ],
)
def test_sizes_in_decimal_units(count: float, text: str) -> None:
    assert in_bytes(count) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 MiB"), (100_000, "0.095 MiB"), (0.8471 * 2**30, "867 MiB"), (1010 * 2**30, "1,010 GiB"), (2**34, "16 GiB")],
)
def test_memory_in_binary_units(count: float, text: str) -> None:
    assert in_gib(count) == text


def test_what_is_refused_is_one_line_of_json_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "run.toml"
    file.write_text("[lora]\nr = 0\n")
    assert run(["run", str(file), "--json"]) == 2
    captured = capsys.readouterr()
    assert captured.out.count("\n") == 1
    answer = json.loads(captured.out)
    assert answer["error"]["exit_code"] == 2
    assert answer["error"]["message"].startswith(str(file))
    assert "config new" in answer["error"]["hint"]
    assert [problem["value"] for problem in answer["problems"] if problem["key"] == "lora.r"] == ["0"]
    assert captured.err.startswith("Error:")
    for arguments in (["status", "nothing", "--json"], ["run", "--json"]):
        assert run(arguments) == 2
        answer = json.loads(capsys.readouterr().out)
        assert answer["error"]["message"]
        assert answer["problems"] == []


def test_a_table_in_a_pipe_cuts_no_name_and_fills_no_line(capsys: pytest.CaptureFixture[str]) -> None:
    long = "a-name-of-very-many-letters" * 12
    table = plain_table("name", "path")
    table.add_row(long, f"{long} {long}")
    table.add_row("b", "c")
    show(table)
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split() == [long] * 3
    assert len(lines) == 3
    assert all(line == line.rstrip() for line in lines)


def test_what_only_looks_like_the_option_json_gets_no_json(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["run", "none.toml", "--until", "--json"], ["status", "--", "--json"], ["config", "check"]):
        assert run(arguments) == 2
        assert capsys.readouterr().out == ""
    for arguments in (["run", "none.toml", "--until", "train", "--json"], ["projects", "show", "x", "--json"]):
        assert run(arguments) == 2
        assert json.loads(capsys.readouterr().out)["error"]["exit_code"] == 2


def test_an_error_breaks_between_words_on_a_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    words = ["There", "is", "no", "such", "thing", "as", "a", "configuration", "file", "of", "this", "name"]
    print_error(" ".join(words), "Name another.")
    assert capsys.readouterr().err == f"Error: {' '.join(words)}\nName another.\n"
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    print_error(" ".join(words), "Name another.")
    lines = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in capsys.readouterr().err.splitlines()]
    assert max(map(len, lines)) <= 40
    assert " ".join(line.strip() for line in lines).split() == ["Error:", *words, "Name", "another."]


def test_the_evaluations_tables_say_what_measured_the_similarity_and_where_its_zero_is(
    capsys: pytest.CaptureFixture[str],
) -> None:
    metric = Metric(base=0.4, adapter=0.5, difference=0.1, interval=(0.0, 0.2), p_value=0.05)
    result = SetResult(n=9, files=3, metrics={"cosine_similarity": metric, "raw_exact_match": metric}, bad_reasons={})
    evaluation = Evaluation(
        verdict="too few",
        reason="Few.",
        compared=True,
        sets={"fim": result},
        embedder="the base model",
        random_pair_similarity=0.8125,
        model="m",
        precision="bfloat16",
    )
    show_evaluation(evaluation)
    said = capsys.readouterr().out
    assert "cosine similarity: by the base model; random pairs have 0.812" in said
    assert "raw exact match: exact match of the whole answer" in said


def test_explain_says_by_which_settings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = tmp_path / "code"
    source.mkdir()
    (source / "a.py").write_text("print('a number of words')\n" * 9)
    assert run(["projects", "add", "shop", str(source)]) == 0
    config = tmp_path / "run.toml"
    text = 'name = "r"\n[[projects]]\nname = "NAME"\nsource = "code"\nexclude = ["a.py"]\n[model]\npath = "tiny"\n'
    text += '[adapter]\nname = "r"\n[data]\nmax_file_bytes = 1024\n'
    asked = ["projects", "show", "shop", "--explain", "a.py"]
    said = []
    for arguments, name in (([], ""), (["--config", str(config)], "shop"), (["--config", str(config)], "other")):
        config.write_text(text.replace("NAME", name or "shop"))
        capsys.readouterr()
        assert run([*asked, *arguments, "--json"]) == 0
        answer = json.loads(capsys.readouterr().out)
        said.append((answer["reason"], str(config) in answer["settings"], "catalog" in answer["settings"]))
    assert said == [(None, False, True), ("excluded", True, False), (None, True, True)]
    assert run(asked) == 0
    assert "Judged by the catalog's filters" in capsys.readouterr().out
    assert run(["projects", "show", "shop", "--config", str(config)]) == 2
