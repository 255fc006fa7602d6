"""From folders to datasets: what is stored, and which words say why nothing is."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from duotune import paths
from duotune.config.run import PromptLossWeight, Recipes
from duotune.data.combine import Dataset
from duotune.data.manifest import read_manifest
from duotune.data.reasons import Reason
from duotune.errors import HostError, SourceError, UsageError
from duotune.models.items import read_items
from duotune.models.tokenizer import CodeTokenizer
from duotune.runs.reporter import SilentReporter
from support.preparing import DATA, EVALUATION, MODULES, STANDARD_LIBRARY, dataset_of, part_of

Folders = Callable[..., Path]


def rows(dataset: Dataset, split: str) -> Iterator[dict[str, Any]]:
    import datasets

    loaded = datasets.load_from_disk(str(dataset.directory))
    yield from loaded[split]


def contents(directory: Path) -> dict[str, bytes]:
    return {str(file.relative_to(directory)): file.read_bytes() for file in directory.rglob("*") if file.is_file()}


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
