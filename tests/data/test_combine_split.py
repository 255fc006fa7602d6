"""What is held out stays held out: near copies, later versions, and preparations at the same time."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from duotune.catalog.catalog import open_catalog
from duotune.catalog.splits import RecordedSplit
from duotune.data import combine
from duotune.data.content import content_hash
from duotune.data.manifest import read_manifest
from duotune.data.reasons import Reason
from duotune.data.similarity import jaccard, shingles
from duotune.models.tokenizer import CodeTokenizer
from duotune.runs.reporter import Reporter
from support.preparing import DATA, MODULES, STANDARD_LIBRARY, dataset_of, part_of, split_of

Folders = Callable[..., Path]


def test_near_copies_of_real_modules_never_cross_the_split(modules: Folders, tokenizer: CodeTokenizer) -> None:
    """Copies of each module, edited by a rename, a comment or a cut, are spread over two projects."""
    first, second = modules("first"), modules("second", [])
    for name in MODULES:
        text = (first / f"{name}.py").read_text()
        lines = text.splitlines(keepends=True)
        (first / f"renamed_{name}.py").write_text(text.replace("self", "this", 3))
        (second / f"commented_{name}.py").write_text("# Changed by hand, for a test of the split.\n" + text)
        (second / f"cut_{name}.py").write_text("".join(lines[: len(lines) * 9 // 10]))
    parts = [part_of(folder, tokenizer) for folder in (first, second)]
    dataset = dataset_of(parts, tokenizer)
    manifest = read_manifest(dataset.directory)
    assert dataset.leaked == manifest.leakage.left == 0
    folders = {"first": first, "second": second}
    sets = {file.path: shingles((folders[file.project] / file.path).read_text()) for file in manifest.files}
    split = split_of(manifest)
    held_out = [path for path in sets if split[path] != "train"]
    crossing = [
        (one, other)
        for one in sets
        for other in held_out
        if split[one] == "train" and jaccard(sets[one], sets[other]) >= 0.7
    ]
    assert held_out
    assert crossing == []
    assert sum(entry.reason is Reason.NEAR_DUPLICATE for entry in manifest.rejected) > 2 * len(MODULES)


def test_near_copies_that_hashing_overlooked_are_dropped_between_all_three_splits(
    modules: Folders, tokenizer: CodeTokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = modules("library")
    for name in MODULES:
        (folder / f"{name}_copy.py").write_text((folder / f"{name}.py").read_text() + "\nis_a_copy = True\n")
    for module in ("clusters", "split"):
        monkeypatch.setattr(f"duotune.data.{module}.linked_pairs", lambda signed: iter(()))
    data = DATA.model_copy(update={"validation_fraction": 0.2, "test_fraction": 0.2})
    manifest = read_manifest(dataset_of([part_of(folder, tokenizer, data)], tokenizer, data).directory)
    sets = {file.path: shingles((folder / file.path).read_text()) for file in manifest.files}
    order = {"train": 0, "validation": 1, "test": 2}
    level = {path: order[name] for path, name in split_of(manifest).items()}
    assert {level[one] for one in sets} == {0, 1, 2}
    assert [
        (one, other)
        for one in sets
        for other in sets
        if level[one] < level[other] and jaccard(sets[one], sets[other]) >= 0.7
    ] == []
    assert manifest.leakage.found > 5
    assert manifest.leakage.left == 0


def test_what_was_tested_on_is_never_trained_on_by_a_later_version(modules: Folders, tokenizer: CodeTokenizer) -> None:
    folder = modules("library")
    before = split_of(read_manifest(dataset_of([part_of(folder, tokenizer)], tokenizer).directory))
    for path in before:
        (folder / f"new_{path}").write_text(f"# Second version.\n{(folder / path).read_text()}")
        (folder / path).unlink()
    for extra in ("turtle", "tarfile", "zipfile", "typing", "uuid", "webbrowser", "weakref", "warnings"):
        shutil.copy(STANDARD_LIBRARY / f"{extra}.py", folder)
    later = DATA.model_copy(update={"seed": 5})
    after = split_of(read_manifest(dataset_of([part_of(folder, tokenizer, later)], tokenizer, later).directory))
    assert {path: after[f"new_{path}"] for path in before} == before
    assert "test" in before.values()


def test_split_is_decided_on_what_another_preparation_recorded_meanwhile(
    modules: Folders, tokenizer: CodeTokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = modules("library", MODULES[:12])
    part = part_of(folder, tokenizer)
    tested = content_hash((folder / "abc.py").read_text())
    asked = []
    with open_catalog() as another, ExitStack() as turn:
        turn.enter_context(another.splits.one_writer())

        def check_stop(report: Reporter) -> None:
            """Called at the beginning, then while another preparation has its turn, which it ends here."""
            asked.append(report)
            if len(asked) == 2:
                another.splits.record([RecordedSplit(tested, "another's", "test", b"")])
                turn.close()

        monkeypatch.setattr(combine, "check_stop", check_stop)
        dataset = dataset_of([part], tokenizer)
    assert split_of(read_manifest(dataset.directory))["abc.py"] == "test"
