"""What was committed last is held out, unless it is no news; and what was decided earlier still holds."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from duotune.config.load import parse
from duotune.config.run import DataConfig, ProjectConfig
from duotune.data.manifest import read_manifest
from duotune.data.split import assign
from duotune.data.split_by_time import assign_by_time
from duotune.errors import ConfigError, SourceError, UsageError
from duotune.models.tokenizer import CodeTokenizer
from duotune.sources.open import open_source
from support.preparing import DATA, MODULES, STANDARD_LIBRARY, dataset_of, part_of
from support.repositories import git, make_repository
from support.splitting import candidate, distinct, held, splits, words

DAY = "2025-01-31"


def test_late_clusters_are_held_out_and_they_alone() -> None:
    files = [*distinct(30), *distinct(10, "b", late=True)]
    given = assign_by_time(files, [], 0.05, 0.15, 0, DAY)
    assert {held(g) for g in given.assignments[:30]} == {False}
    assert {held(g) for g in given.assignments[30:]} == {True}
    assert splits(given)["test"] in (7, 8)


def test_a_late_near_duplicate_of_an_old_file_is_no_news() -> None:
    old, new = candidate(words(0)), candidate(words(10), late=True)
    duplicate = candidate(words(0) + " more", kept=False)
    late_only = [candidate(words(50_000), late=True), candidate(words(50_010), late=True, kept=False)]
    files = [old, new, duplicate, *late_only, *distinct(9), *distinct(3, "b", late=True)]
    given = assign_by_time(files, [], 0.1, 0.1, 0, DAY).assignments
    assert [g.split for g in given[:3]] == ["train"] * 3
    assert held(given[3])
    assert given[3] == given[4]


def test_what_was_recorded_holds_whatever_the_date() -> None:
    files = [*distinct(30), *distinct(10, "b", late=True)]
    first = assign_by_time(files, [], 0.1, 0.1, 0, DAY)
    everything_late = [candidate(f"a Python {n}", late=True) for n in range(30)]
    again = assign_by_time(
        [*everything_late, *distinct(10, "b"), *distinct(6, "c", late=True)], first.records, 0.1, 0.1, 1, DAY
    )
    assert again.assignments[:40] == first.assignments
    assert all(held(g) for g in again.assignments[40:])


@given(early=st.integers(1, 20), late=st.integers(2, 20), fraction=st.sampled_from([0.01, 0.1, 0.5]))
@settings(max_examples=25, deadline=None)
def test_both_held_out_splits_get_something(early: int, late: int, fraction: float) -> None:
    counts = splits(assign_by_time([*distinct(early), *distinct(late, "b", late=True)], [], 0.05, fraction, 0, DAY))
    assert counts["train"] == early
    assert counts["test"] >= 1 <= counts["validation"]


def test_what_earlier_datasets_decided_is_told() -> None:
    first = assign([*distinct(30), *distinct(10, "b")], [], 0.1, 0.1, 0)
    files = [*distinct(30), *distinct(10, "b", late=True)]
    given = assign_by_time(files, first.records, 0.1, 0.1, 0, DAY)
    assert given.assignments == first.assignments
    late = sum(not held(one) for one in given.assignments[30:])
    early = sum(held(one) for one in given.assignments[:30])
    assert late
    assert f"{late} of 10 files first committed after {DAY} stay in training" in given.note
    assert f"{early} file" in given.note
    assert "later day" in given.note
    assert assign_by_time(files, [], 0.1, 0.1, 0, DAY).note == ""


def test_too_few_late_or_early_files_are_refused() -> None:
    with pytest.raises(UsageError, match=f"Only 1 file of distinct content was first committed after {DAY}"):
        assign_by_time([*distinct(10), *distinct(1, "b", late=True)], [], 0.1, 0.1, 0, DAY)
    with pytest.raises(UsageError, match="No file of distinct content was first committed after"):
        assign_by_time(distinct(10), [], 0.1, 0.1, 0, DAY)
    with pytest.raises(UsageError, match="none is left to train on"):
        assign_by_time(distinct(10, late=True), [], 0.1, 0.1, 0, DAY)


def test_the_day_is_checked_and_may_be_a_toml_date() -> None:
    assert DataConfig(held_out_after=date(2025, 1, 31)).held_out_after == DAY  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match=r"held_out_after.*not a day"):
        parse(DataConfig, {"held_out_after": "January"}, "The data")


def test_a_repository_is_split_by_its_history(tmp_path: Path, tokenizer: CodeTokenizer) -> None:
    folder = tmp_path / "library"
    sources = {f"{name}.py": (STANDARD_LIBRARY / f"{name}.py").read_bytes() for name in MODULES}
    old, new = dict(list(sources.items())[:25]), dict(list(sources.items())[25:])
    make_repository(folder, old)
    for name, content in new.items():
        (folder / name).write_bytes(content)
    (folder / "near.py").write_bytes(b"# Late, but known.\n" + old["glob.py"])
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "late", GIT_COMMITTER_DATE="2025-02-01T00:00:00Z")
    data = DATA.model_copy(update={"held_out_after": DAY})
    part = part_of(folder, tokenizer, data)
    dataset = dataset_of([part], tokenizer, data)
    manifest = read_manifest(dataset.directory)
    split = {file.path: file.split for file in manifest.files}
    assert {path for path, name in split.items() if name == "train"} == set(old)
    assert {path for path, name in split.items() if name != "train"} == set(new)
    assert dataset.leaked == 0
    assert manifest.settings.held_out_after == DAY
    by_chance = part_of(folder, tokenizer)
    assert (by_chance.directory, by_chance.reused, by_chance.late) == (part.directory, True, frozenset())
    before = dataset_of([part_of(folder, tokenizer, DATA)], tokenizer)
    assert before.fingerprint != dataset.fingerprint


def test_a_folder_has_no_history(tmp_path: Path, tokenizer: CodeTokenizer) -> None:
    folder = tmp_path / "plain"
    folder.mkdir()
    for name in MODULES[:5]:
        (folder / f"{name}.py").write_bytes((STANDARD_LIBRARY / f"{name}.py").read_bytes())
    with pytest.raises(SourceError, match="plain folder without Git history"):
        part_of(folder, tokenizer, DATA.model_copy(update={"held_out_after": DAY}))
    project = ProjectConfig(source=str(folder))
    with open_source(project.source) as source, pytest.raises(SourceError):
        source.first_commits(())
