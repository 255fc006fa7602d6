"""From folders to datasets: what is stored, that it is the same every time, and that nothing leaks."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from duotune import paths
from duotune.catalog.catalog import open_catalog
from duotune.catalog.splits import RecordedSplit
from duotune.config.run import DataConfig, ProjectConfig, PromptLossWeight, Recipes
from duotune.data import combine
from duotune.data.combine import Dataset
from duotune.data.content import content_hash
from duotune.data.manifest import Manifest, read_manifest
from duotune.data.parts import directory_name, read_record
from duotune.data.prepare import prepare_part
from duotune.data.reasons import Reason
from duotune.data.redaction.fingerprints import fingerprints
from duotune.data.redaction.report import FINDINGS_FILE, ReportedFinding
from duotune.data.similarity import jaccard, shingles
from duotune.errors import HostError, SourceError, UsageError
from duotune.models.items import read_items
from duotune.models.tokenizer import CodeTokenizer
from duotune.runs.reporter import Reporter, SilentReporter, Stopped
from duotune.sources.folder import FolderSource
from duotune.sources.source import Rejected, SourceFile, Wanted, everything, nothing
from support.preparing import DATA, EVALUATION, MODULES, STANDARD_LIBRARY, dataset_of, part_of

Folders = Callable[..., Path]


def rows(dataset: Dataset, split: str) -> Iterator[dict[str, Any]]:
    import datasets

    loaded = datasets.load_from_disk(str(dataset.directory))
    yield from loaded[split]


def split_of(manifest: Manifest) -> dict[str, str]:
    return {file.path: file.split for file in manifest.files}


def contents(directory: Path) -> dict[str, bytes]:
    return {str(file.relative_to(directory)): file.read_bytes() for file in directory.rglob("*") if file.is_file()}


def unkeyed(dataset: Dataset) -> list[ReportedFinding]:
    lines = dataset.findings_file.read_text().splitlines()
    return [ReportedFinding.model_validate_json(line).model_copy(update={"fingerprint": ""}) for line in lines]


def test_dataset_opens_with_the_datasets_library_and_its_rows_are_whole(
    modules: Folders, tokenizer: CodeTokenizer
) -> None:
    dataset = dataset_of([part_of(modules("library"), tokenizer)], tokenizer)
    manifest = read_manifest(dataset.directory)
    weights = manifest.loss_weights
    prefix, middle, repository = (tokenizer.control_id(f"<|{n}|>") for n in ("fim_prefix", "fim_middle", "repo_name"))
    end = tokenizer.control_id("<|endoftext|>")
    counts = {"train": 0, "validation": 0}
    for split in ("train", "validation"):
        targets = tokens = 0
        for row in rows(dataset, split):
            counts[split] += 1
            ids, labels, weight = (np.array(row[key]) for key in ("input_ids", "labels", "loss_weights"))
            assert len(ids) == len(labels) == len(weight) == sum(row["document_lengths"]) == DATA.sequence_length
            assert ((labels == ids) | (labels == -100)).all()
            assert ((weight > 0) == (labels != -100)).all()
            assert np.isfinite(weight).all()
            assert not any(map(tokenizer.is_control, set(labels[(labels != -100) & (labels != end)])))
            at = 0
            for length in row["document_lengths"]:
                own, own_labels, own_weight = (a[at : at + length] for a in (ids, labels, weight))
                assert own_labels[0] == -100
                if own[0] == prefix:
                    answer = list(own).index(middle) + 1
                    assert (own_labels[answer:] == own[answer:]).all()
                    assert own[-1] == end
                    scale = own_weight[answer]
                    assert own_weight[-1] == pytest.approx(scale * weights.answer_end, rel=1e-2)
                    assert (own_weight[answer:-1] == scale).all()
                    asked = {float(each) for each in own_weight[:answer]} - {0.0}
                    assert all(each == pytest.approx(scale * 0.1, rel=1e-2) for each in asked)
                elif (own_labels != -100).any():
                    assert own[0] == repository
                tokens += length if (own_labels != -100).any() else 0
                targets += int((own_labels != -100).sum())
                at += length
        assert (tokens, targets) == (manifest.splits[split].tokens, manifest.splits[split].targets)
        assert sum(manifest.splits[split].recipes.values()) == tokens
    assert counts == {"train": dataset.train_rows, "validation": dataset.validation_rows}
    assert dataset.label_tokens == manifest.splits["train"].targets
    assert manifest.splits["train"].padding < 0.05


def test_recipes_shares_of_the_text_are_their_shares_of_the_loss(modules: Folders, tokenizer: CodeTokenizer) -> None:
    data = DATA.model_copy(update={"recipes": Recipes(fim=0.6, code=0.4, signature=0, metadata=0)})
    dataset = dataset_of([part_of(modules("library"), tokenizer, data)], tokenizer, data)
    prefix = tokenizer.control_id("<|fim_prefix|>")
    loss = {"fim": 0.0, "code": 0.0}
    for row in rows(dataset, "train"):
        at = 0
        for length in row["document_lengths"]:
            kind = "fim" if row["input_ids"][at] == prefix else "code"
            loss[kind] += sum(row["loss_weights"][at : at + length])
            at += length
    tokens = read_manifest(dataset.directory).splits["train"].recipes
    text = tokens["fim"] / (tokens["fim"] + tokens["code"])
    assert loss["fim"] / (loss["fim"] + loss["code"]) == pytest.approx(text, abs=0.02)
    assert text == pytest.approx(0.6, abs=0.08)


def test_documents_are_taught_when_they_are_named_and_a_recipe_applies(
    modules: Folders, tokenizer: CodeTokenizer
) -> None:
    folder = modules("library")
    for number, name in enumerate(MODULES):
        words = "\n".join((folder / f"{name}.py").read_text().split()[:120])
        (folder / f"{name}.md").write_text(f"# Notes on {name}\n\n{words}\n\n## Number {number}\n\n{words[:300]}\n")
    both = ["Python", "Markdown"]
    dataset = dataset_of([part_of(folder, tokenizer, languages=both)], tokenizer)
    recipes = read_manifest(dataset.directory).splits["train"].recipes
    assert {"fim", "code", "raw", "heading"} <= set(recipes)
    # Documents are not completed in evaluation either.
    items = read_items(dataset.directory / "held_out" / "fim.jsonl")
    assert {item.language for item in items} == {"Python"}
    only_code = DATA.model_copy(update={"recipes": Recipes(raw=0, heading=0)})
    with pytest.raises(SourceError, match=r"data\.recipes makes no examples of Markdown"):
        part_of(folder, tokenizer, only_code, languages=["Markdown"])


def test_prompts_are_targets_where_they_have_a_weight(modules: Folders, tokenizer: CodeTokenizer) -> None:
    targets = {}
    for weight in (0.0, 0.5):
        prompts = PromptLossWeight(fim=weight, signature=0)
        recipes = Recipes(fim=1, code=0, signature=0, metadata=0)
        data = DATA.model_copy(update={"prompt_loss_weight": prompts, "recipes": recipes})
        dataset = dataset_of([part_of(modules(f"m{weight}"), tokenizer, data)], tokenizer, data)
        targets[weight] = dataset.label_tokens / dataset.train_tokens
        for row in rows(dataset, "train"):
            learned = {token for token in row["labels"] if token != -100 and tokenizer.is_control(token)}
            assert learned <= {tokenizer.control_id("<|endoftext|>")}
    assert targets[0.0] < 0.4
    assert targets[0.5] > 0.9


def test_changed_prompt_weights_prepare_no_file_again(modules: Folders, tokenizer: CodeTokenizer) -> None:
    folder = modules("library", MODULES[:12])
    first = part_of(folder, tokenizer)
    other = DATA.model_copy(update={"prompt_loss_weight": PromptLossWeight(fim=0.1)})
    again = part_of(folder, tokenizer, other)
    assert again.reused
    one, two = dataset_of([first], tokenizer), dataset_of([again], tokenizer, other)
    assert one.fingerprint != two.fingerprint


def test_manifest_accounts_for_every_file_once(modules: Folders, tokenizer: CodeTokenizer) -> None:
    folder = modules("library")
    shutil.copy(folder / "heapq.py", folder / "zz_copy.py")
    (folder / "notes.md").write_text("Notes about the library.\n" * 10)
    manifest = read_manifest(dataset_of([part_of(folder, tokenizer)], tokenizer).directory)
    assert {file.path for file in manifest.files} == {f"{name}.py" for name in MODULES}
    rejected = {entry.path: entry for entry in manifest.rejected}
    assert rejected.keys() == {"zz_copy.py", "notes.md"}
    assert rejected["notes.md"].reason is Reason.LANGUAGE_NOT_CHOSEN
    assert rejected["zz_copy.py"].reason is Reason.EXACT_DUPLICATE
    assert rejected["zz_copy.py"].repeats == "library:heapq.py"
    assert manifest.clusters == {file.cluster: file.split for file in manifest.files}
    assert manifest.projects[0].name == "library"


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


def test_part_that_lacks_a_file_which_changed_meanwhile_is_not_taken_for_the_whole_one(
    modules: Folders, tokenizer: CodeTokenizer
) -> None:
    folder = modules("library", MODULES[:12])
    before = (folder / "abc.py").read_bytes()

    class Changing(FolderSource):
        def files(self, wanted: Wanted = everything) -> Iterator[SourceFile | Rejected]:
            yield from list(super().files(wanted))
            if wanted is not nothing:  # the walk that hashes
                (folder / "abc.py").write_bytes(before + b"# longer\n")

    report = SilentReporter()
    project = ProjectConfig(source=str(folder))
    part = prepare_part(project, Changing(folder, str(folder)), tokenizer, DATA, report)
    (folder / "abc.py").write_bytes(before)
    whole = part_of(folder, tokenizer)
    assert (part.files, part.rejected, whole.files, whole.reused) == (11, 1, 12, False)
    assert "abc.py of library changed" in report.warnings[0]
    assert part.directory.name == directory_name(read_record(part.directory).key, fingerprints().key_id)
    assert part.directory.name != whole.directory.name
    assert part_of(folder, tokenizer).directory == whole.directory


def test_combinations_reuse_parts_and_datasets(modules: Folders, tokenizer: CodeTokenizer) -> None:
    folders = [modules("one", MODULES[:15]), modules("two", MODULES[15:30]), modules("three", MODULES[30:])]
    parts = [part_of(folder, tokenizer) for folder in folders]
    assert [part.reused for part in parts] == [False] * 3
    single = dataset_of(parts[1:2], tokenizer)
    both = dataset_of([part_of(folder, tokenizer) for folder in folders[1:]], tokenizer)
    assert len([part for part in paths.parts().iterdir() if part.is_dir()]) == 3
    assert not both.reused
    assert both.fingerprint != single.fingerprint
    split, alone = split_of(read_manifest(both.directory)), split_of(read_manifest(single.directory))
    assert {path: split[path] for path in alone} == alone
    again_parts = [part_of(folder, tokenizer) for folder in folders[1:]]
    assert all(part.reused for part in again_parts)
    again = dataset_of(again_parts, tokenizer)
    assert again.reused
    assert again.directory == both.directory
    (folders[2] / "new.py").write_text((STANDARD_LIBRARY / "uuid.py").read_text())
    assert not part_of(folders[2], tokenizer).reused


def test_same_input_gives_the_same_bytes_in_another_home_and_order_of_work(
    modules: Folders, tokenizer: CodeTokenizer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = modules("one", MODULES[:20]), modules("two", MODULES[20:])
    first = dataset_of([part_of(one, tokenizer), part_of(two, tokenizer)], tokenizer)
    moved = [shutil.copytree(folder, tmp_path / "elsewhere" / folder.name) for folder in (one, two)]
    monkeypatch.setenv("DUOTUNE_HOME", str(tmp_path / "another-home"))
    late = part_of(moved[1], tokenizer)
    second = dataset_of([part_of(moved[0], tokenizer), late], tokenizer)
    assert not second.reused
    assert second.directory != first.directory
    assert second.fingerprint == first.fingerprint
    # Fingerprints of findings are by each home's own key.
    assert unkeyed(second) == unkeyed(first)
    assert {**contents(second.directory), FINDINGS_FILE: b""} == {**contents(first.directory), FINDINGS_FILE: b""}
    monkeypatch.setenv("DUOTUNE_HOME", str(tmp_path / "third-home"))
    other = DATA.model_copy(update={"seed": 1})
    third = dataset_of([part_of(folder, tokenizer, other) for folder in (one, two)], tokenizer, other)
    assert third.fingerprint != first.fingerprint


def test_items_come_from_test_files_alone_and_fit(modules: Folders, tokenizer: CodeTokenizer) -> None:
    folder = modules("library")
    dataset = dataset_of([part_of(folder, tokenizer)], tokenizer)
    manifest = read_manifest(dataset.directory)
    tested = {file.path: file.cluster for file in manifest.files if file.split == "test"}
    fim = read_items(dataset.directory / "held_out" / "fim.jsonl")
    signature = read_items(dataset.directory / "held_out" / "signature.jsonl")
    assert dataset.items == {"fim": len(fim), "signature": len(signature)}
    assert len(fim) == 12
    assert signature
    for item in [*fim, *signature]:
        assert tested[item.path] == item.cluster
        assert item.prefix + item.gold + item.suffix in (folder / item.path).read_text()
        tokens = sum(len(tokenizer.encode(text)) for text in (item.prefix, item.gold, item.suffix))
        assert tokens + 4 <= DATA.sequence_length
    assert len({item.id for item in [*fim, *signature]}) == len(fim) + len(signature)


@pytest.mark.parametrize(
    ("language", "extension", "template"),
    [
        (
            "C",
            "c",
            "#include <stddef.h>\n\nsize_t count_{w}(const char *{w}, int limit_{n})\n{{\n    size_t total_{w} = {n};\n"
            "    while (*{w} && limit_{n}-- > 0) {{\n        total_{w} += *{w}++ == '{n}';\n    }}\n"
            "    return total_{w} * {n};\n}}\n",
        ),
        (
            "JavaScript",
            "js",
            "export function load{w}(client, options{n}) {{\n  const {w} = client.find('{w}', options{n}.page + {n});\n"
            "  if (!{w}) {{\n    throw new Error('no {w} after {n}');\n  }}\n"
            "  return {w}.map((x{n}) => x{n} * {n});\n}}\n",
        ),
    ],
)
def test_other_languages_prepare_with_the_same_call(
    tmp_path: Path, tokenizer: CodeTokenizer, language: str, extension: str, template: str
) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    words = ["alpha", "beta", "gamma", "delta", "kappa", "sigma", "omega", "theta", "iota", "zeta", "rho", "tau"]
    for number, word in enumerate(words):
        functions = (template.format(w=f"{word}{inner}", n=inner * 31 + number) for inner in range(8))
        (folder / f"{word}.{extension}").write_text("\n".join(functions))
    part = part_of(folder, tokenizer)
    assert part.languages == {language: len(words)}
    evaluation = EVALUATION.model_copy(update={"max_new_tokens": 128})
    dataset = dataset_of([part], tokenizer, evaluation=evaluation)
    assert dataset.train_rows > 0 < dataset.validation_rows
    bodies = read_items(dataset.directory / "held_out" / "signature.jsonl")
    assert bodies
    assert all(item.prefix.rstrip().endswith("{") and item.suffix.lstrip().startswith("}") for item in bodies)


def test_hostile_names_are_kept_readable_and_nothing_outside_is_read(tmp_path: Path, tokenizer: CodeTokenizer) -> None:
    secret = tmp_path / "outside.py"
    secret.write_text("outside = 'this text lies outside of the project'\n" * 20)
    folder = tmp_path / "project"
    folder.mkdir()
    for number, name in enumerate(["new\nline.py", "\x1b[31mred.py", "plain.py", "uml\xe4ut.py"]):
        text = (STANDARD_LIBRARY / f"{MODULES[number]}.py").read_text()
        (folder / name).write_text(text)
    (folder / "link.py").symlink_to(secret)
    dataset = dataset_of([part_of(folder, tokenizer)], tokenizer)
    manifest = read_manifest(dataset.directory)
    assert {file.path for file in manifest.files} == {"new\\nline.py", "\\x1b[31mred.py", "plain.py", "umläut.py"}
    assert [(entry.path, entry.reason) for entry in manifest.rejected] == [("link.py", Reason.SYMLINK)]
    assert not any(b"lies outside" in content for content in contents(paths.home()).values())


def test_a_requested_stop_leaves_nothing_behind(modules: Folders, tokenizer: CodeTokenizer) -> None:
    folder = modules("library", MODULES[:12])
    with pytest.raises(Stopped):
        part_of(folder, tokenizer, report=SilentReporter(stop_requested=True))
    assert list(paths.parts().iterdir()) == []
    part = part_of(folder, tokenizer)
    with pytest.raises(Stopped):
        dataset_of([part], tokenizer, report=SilentReporter(stop_requested=True))
    assert not paths.datasets().exists()


def test_progress_reaches_its_total_in_every_phase(modules: Folders, tokenizer: CodeTokenizer) -> None:
    report = SilentReporter()
    dataset_of([part_of(modules("library"), tokenizer, report=report)], tokenizer, report=report)
    phases = dict.fromkeys(phase for phase, *_ in report.progressed)
    assert list(phases) == [
        "read library",
        "tokenize library",
        "combine",
        "compare with held-out items",
        "pack train",
        "pack validation",
        "measure leaks",
    ]
    for phase in phases:
        steps = [(done, total) for name, done, total, _ in report.progressed if name == phase]
        assert steps == sorted(steps)
        assert steps[-1][0] == steps[-1][1]


def test_nothing_to_train_on_says_what_was_looked_at(tmp_path: Path, tokenizer: CodeTokenizer) -> None:
    folder = tmp_path / "papers"
    folder.mkdir()
    for number in range(3):
        (folder / f"{number}.md").write_text("Some words.\n" * 20)
    with pytest.raises(SourceError, match=r"'papers' has nothing to train on: of 3 files none .*3 language-not-chosen"):
        part_of(folder, tokenizer)


def test_too_few_files_to_hold_any_out_is_refused(modules: Folders, tokenizer: CodeTokenizer) -> None:
    part = part_of(modules("library", ["heapq", "bisect"]), tokenizer)
    with pytest.raises(UsageError, match="Only 2 files of distinct content"):
        dataset_of([part], tokenizer)


def test_a_disk_that_refuses_is_named(
    modules: Folders, tokenizer: CodeTokenizer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    blocked = tmp_path / "a-file"
    blocked.mkdir()
    (blocked / "parts").write_text("")
    monkeypatch.setenv("DUOTUNE_HOME", str(blocked))
    with pytest.raises(HostError, match=r"a-file/parts/.* cannot be written"):
        part_of(modules("library", MODULES[:5]), tokenizer)


def test_data_settings_that_a_part_depends_on_change_its_key(
    modules: Callable[[str, Iterable[str]], Path], tokenizer: CodeTokenizer
) -> None:
    folder = modules("library", MODULES[:5])
    keys = {
        part_of(folder, tokenizer).directory,
        part_of(folder, tokenizer, DataConfig(sequence_length=512)).directory,
        part_of(folder, tokenizer, DATA.model_copy(update={"seed": 1})).directory,
        part_of(folder, tokenizer, exclude=["abc.py"]).directory,
    }
    assert len(keys) == 4
    assert part_of(folder, tokenizer, DATA.model_copy(update={"test_fraction": 0.2})).reused


def test_a_change_of_attributes_that_decides_on_files_makes_another_part(
    modules: Folders, tokenizer: CodeTokenizer
) -> None:
    folder = modules("library", MODULES[:8])
    plain = part_of(folder, tokenizer)
    attributes = folder / ".gitattributes"
    attributes.write_text(
        "# How files are stored, and what they are.\n* text=auto\n*.png binary\nabc.py -linguist-generated\n"
    )
    kept = part_of(folder, tokenizer)
    attributes.write_text(attributes.read_text() + "# A remark.\n*.sh eol=lf\n")
    assert part_of(folder, tokenizer).directory == kept.directory
    attributes.write_text(attributes.read_text() + "abc.py linguist-generated\n")
    rejected = part_of(folder, tokenizer)
    assert len({plain.directory, kept.directory, rejected.directory}) == 3
    assert (kept.files, rejected.files) == (8, 7)
    entry = next(file for file in read_record(rejected.directory).rejected if file.path == "abc.py")
    assert (entry.reason, entry.detail, entry.size_bytes, entry.language) == (
        Reason.GENERATED,
        ".gitattributes: linguist-generated",
        (folder / "abc.py").stat().st_size,
        "Python",
    )
