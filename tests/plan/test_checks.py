"""What the plan finds out about a project before anything starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from duotune.catalog.catalog import open_catalog
from duotune.catalog.splits import RecordedSplit
from duotune.plan.checks import look_at_project
from duotune.plan.material import check_material
from duotune.plan.records import Check
from support.projects import small_run, standard_library
from support.repositories import git, make_repository


@pytest.mark.parametrize("history", [True, False])
def test_a_split_by_time_needs_a_history(tmp_path: Path, history: bool) -> None:
    folder = tmp_path / "code"
    files = {**standard_library("json"), "notes.md": b"Notes about it.\n" * 10, ".gitattributes": b"*.c binary\n" * 9}
    make_repository(folder, files)
    if not history:
        (folder / ".git").rename(tmp_path / "away")
    config = small_run(folder, tmp_path)
    config = config.model_copy(update={"data": config.data.model_copy(update={"held_out_after": "2024-01-31"})})
    checks: list[Check] = []
    found = look_at_project(config.projects[0], config, checks)
    assert (found is not None) is history
    if found:
        assert found.found["Markdown"] == (1, 160)
        assert "Markdown" not in found.languages
    else:
        assert checks[0].status == "refused"
        assert "plain folder without Git history" in checks[0].detail


def test_a_folder_inside_a_repository_is_told_to_have_no_commit(tmp_path: Path) -> None:
    files = {f"part/{name}": content for name, content in standard_library("json").items()}
    repository = tmp_path / "code"
    make_repository(repository, files)
    said = {}
    for folder in (repository, repository / "part"):
        checks: list[Check] = []
        look_at_project(small_run(folder, tmp_path).projects[0], small_run(folder, tmp_path), checks)
        said[folder.name] = [check for check in checks if check.status == "warning"]
    (note,) = said["part"]
    assert said["code"] == []
    assert str(repository) in note.detail
    assert 'include = ["/part/"]' in note.hint


def by_time(
    tmp_path: Path, day: str, early: int = 12, late: int = 3, said: list[Check] | None = None
) -> dict[str, Check]:
    """The checks of a repository with some files of 2024 and some of February 2025, split after a day."""
    folder = tmp_path / "code"
    sources = list(standard_library("json", "logging", "importlib", "concurrent/futures").items())
    make_repository(folder, dict(sources[:early]))
    for name, content in sources[early : early + late]:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "late", GIT_COMMITTER_DATE="2025-02-01T00:00:00Z")
    config = small_run(folder, tmp_path)
    data = config.data.model_copy(update={"held_out_after": day})
    checks: list[Check] = []
    found = look_at_project(config.projects[0], config.model_copy(update={"data": data}), checks)
    assert found is not None
    check_material([found], data, checks)
    if said is not None:
        said.extend(check for check in checks if check.name == "split by time")
    return {check.name: check for check in checks}


@pytest.mark.parametrize(
    ("day", "said"),
    [("2099-01-01", "No file was first committed after 2099-01-01"), ("2023-01-01", "Every file was first committed")],
)
def test_a_day_that_leaves_nothing_on_one_side_is_refused_by_the_plan(tmp_path: Path, day: str, said: str) -> None:
    check = by_time(tmp_path, day)["split by time"]
    assert check.status == "refused"
    assert said in check.detail


def test_test_files_of_a_split_by_time_are_counted_among_the_late_ones(tmp_path: Path) -> None:
    checks = by_time(tmp_path, "2025-01-31")
    assert checks["split by time"].detail == "3 of 15 files first committed after 2025-01-31"
    assert "about 2 of the 3 files first committed after 2025-01-31" in checks["test files"].detail
    assert "earlier day" in checks["test files"].hint


def test_what_earlier_datasets_hold_out_makes_a_refused_day_a_warning(tmp_path: Path) -> None:
    with open_catalog() as catalog:
        catalog.splits.record([RecordedSplit("content", "cluster", "test", b"signature")])
    said: list[Check] = []
    by_time(tmp_path, "2099-01-01", said=said)
    assert [(check.status, check.exit_code) for check in said] == [("warning", 0)] * 2
    assert "No file was first committed after" in said[0].detail
    assert "holds whatever data.held_out_after says" in said[1].detail


def test_what_earlier_datasets_decided_is_told_beside_a_day_that_can_be_kept(tmp_path: Path) -> None:
    with open_catalog() as catalog:
        catalog.splits.record([RecordedSplit("content", "cluster", "train", b"signature")])
    said: list[Check] = []
    by_time(tmp_path, "2025-01-31", said=said)
    assert [check.status for check in said] == ["ok", "warning"]


def test_globs_that_match_nothing_are_named(tmp_path: Path) -> None:
    folder = tmp_path / "code"
    make_repository(folder, standard_library("json"))
    config = small_run(folder, tmp_path)
    globs = {"include": ["json/", "src/*.py"], "exclude": ["!doc/", "*coder.py"]}
    project = config.projects[0].model_copy(update=globs)
    checks: list[Check] = []
    found = look_at_project(project, config, checks)
    assert found is not None
    assert found.unmatched == {"include": ["src/*.py"], "exclude": ["!doc/"]}
    assert [check.detail for check in checks if check.status == "warning"] == [
        "no file matches what its include names: src/*.py",
        "no file matches what its exclude names: !doc/",
    ]
