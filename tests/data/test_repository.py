"""Files of a project joined to one document: in the order of imports, of one split, in the family's own format."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from duotune.config.run import DataConfig, Recipes
from duotune.data.chains import ChainedFile, Chains, Excerpt, Piece, Tokens, excerpt_tokens, header_tokens
from duotune.data.combine import Dataset
from duotune.data.examples import ExampleMaker
from duotune.data.manifest import read_manifest
from duotune.data.source_text import Text
from duotune.models.prompts import PromptRenderer, Role
from duotune.models.tokenizer import CodeTokenizer, load_tokenizer
from support.preparing import DATA, dataset_of, part_of
from support.tokenizers import byte_level_tokenizer

CODE = Recipes(fim=0, code=1, signature=0, metadata=0)
LENGTH = 128


def excerpt(tokenizer: CodeTokenizer, text: str, ends: bool = True) -> Excerpt:
    ids = np.array(tokenizer.encode(text), dtype=np.int32)
    return Excerpt(Piece(ids, np.full(len(ids), Role.TARGET, dtype=np.uint8)), ends)


def spelled(tokenizer: CodeTokenizer, pieces: Sequence[Tokens], *roles: Role) -> str:
    """Text of a document, control tokens included; of the tokens of some roles, when these are named."""
    tokens = [
        (int(token), role) for piece in pieces for token, role in zip(piece.ids, piece.roles.tolist(), strict=True)
    ]
    return tokenizer.decode([token for token, role in tokens if not roles or role in roles], skip_control=False)


def test_files_stand_after_their_paths_and_only_their_text_and_the_end_are_targets(tokenizer: CodeTokenizer) -> None:
    files = [
        ChainedFile("lib/one.py", [excerpt(tokenizer, "x = 1\n")]),
        ChainedFile("two.py", [excerpt(tokenizer, "import lib.one\n")]),
    ]
    (document,) = Chains(PromptRenderer(tokenizer), LENGTH).join("shop", files)
    repository, separator = "<|repo_name|>", "<|file_sep|>"
    expected = f"{repository}shop\n{separator}lib/one.py\nx = 1\n{separator}two.py\nimport lib.one\n"
    assert spelled(tokenizer, document, Role.CONTEXT, Role.TARGET, Role.END) == f"{expected}<|endoftext|>"
    assert spelled(tokenizer, document, Role.TARGET) == "x = 1\nimport lib.one\n"
    assert spelled(tokenizer, document, Role.END) == "<|endoftext|>"


def test_starcoder2_has_its_own_spelling(tmp_path: Path) -> None:
    controls = ("<fim_prefix>", "<fim_suffix>", "<fim_middle>", "<file_sep>", "<repo_name>", "<|endoftext|>")
    tokenizer = load_tokenizer(byte_level_tokenizer(tmp_path, dict.fromkeys(controls, True)))
    files = [ChainedFile("a.py", [excerpt(tokenizer, "x\n")]), ChainedFile("b.py", [excerpt(tokenizer, "y\n", False)])]
    (document,) = Chains(PromptRenderer(tokenizer), LENGTH).join("shop", files)
    assert spelled(tokenizer, document) == "<repo_name>shop<file_sep>a.py\nx\n<file_sep>b.py\ny\n"


def test_file_that_does_not_fit_goes_on_in_the_next_document_after_its_path(tokenizer: CodeTokenizer) -> None:
    lines = [f"value_{n} = {n}\n" for n in range(12)]
    parts = [excerpt(tokenizer, line, line is lines[-1]) for line in lines]
    files = [ChainedFile("long.py", parts), ChainedFile("short.py", [excerpt(tokenizer, "end = 1\n")])]
    documents = list(Chains(PromptRenderer(tokenizer), 64).join("shop", files))
    assert len(documents) > 2
    assert all(sum(map(len, document)) <= 64 for document in documents)
    assert all(spelled(tokenizer, document).count("<|repo_name|>") == 1 for document in documents)
    assert "".join(spelled(tokenizer, document, Role.TARGET) for document in documents) == "".join(lines) + "end = 1\n"
    assert all("<|file_sep|>" in spelled(tokenizer, document) for document in documents)
    assert [spelled(tokenizer, document).endswith("<|endoftext|>") for document in documents[:-1]].count(True) <= 1
    assert spelled(tokenizer, documents[-1]).endswith("end = 1\n<|endoftext|>")


@settings(deadline=None, max_examples=60)
@given(
    sizes=st.lists(st.lists(st.integers(1, excerpt_tokens(96)), max_size=4), max_size=6),
    name=st.text(max_size=80),
    path=st.text(min_size=1, max_size=120),
)
def test_nothing_is_lost_and_no_row_exceeded(
    tokenizer: CodeTokenizer, sizes: list[list[int]], name: str, path: str
) -> None:
    token = tokenizer.encode("x")[0]

    def piece(size: int) -> Piece:
        return Piece(np.full(size, token, np.int32), np.full(size, Role.TARGET, np.uint8))

    files = [
        ChainedFile(path + str(n), [Excerpt(piece(size), at == len(own) - 1) for at, size in enumerate(own)])
        for n, own in enumerate(sizes)
    ]
    documents = list(Chains(PromptRenderer(tokenizer), 96).join(name, files))
    assert all(sum(map(len, document)) <= 96 for document in documents)
    targets = sum(int((each.roles == Role.TARGET).sum()) for document in documents for each in document)
    assert targets == sum(map(sum, sizes))
    for document in documents:
        for each in document:
            controls = [int(one) for one in each.ids[each.roles != Role.END] if tokenizer.is_control(int(one))]
            assert all(each.roles[list(each.ids).index(one)] == Role.CONTEXT for one in controls)
    assert header_tokens(96) + excerpt_tokens(96) + 1 == 96


def test_a_family_without_such_tokens_gets_plain_documents(tmp_path: Path) -> None:
    controls = ("<｜fim▁begin｜>", "<｜fim▁hole｜>", "<｜fim▁end｜>", "<｜end▁of▁sentence｜>")
    directory = byte_level_tokenizer(tmp_path, dict.fromkeys(controls, True), bos="<｜begin▁of▁sentence｜>")
    tokenizer = load_tokenizer(directory)
    with pytest.raises(ValueError, match="no tokens for repositories"):
        Chains(PromptRenderer(tokenizer), LENGTH)
    data = DataConfig(sequence_length=LENGTH, recipes=CODE)
    (document,) = ExampleMaker(tokenizer, data).documents([Text(0, "x = 1\ny = 2\n", "Python", "c")])
    assert not document.excerpt
    expected = "<｜begin▁of▁sentence｜>x = 1\ny = 2\n<｜end▁of▁sentence｜>"
    assert tokenizer.decode(document.ids, skip_control=False) == expected


def packed(dataset: Dataset, split: str) -> Iterator[tuple[list[int], list[int]]]:
    """Ids and labels of each document of a split, padding left out."""
    import datasets

    for row in datasets.load_from_disk(str(dataset.directory))[split]:
        at = 0
        for length in row["document_lengths"]:
            labels = row["labels"][at : at + length]
            if any(label != -100 for label in labels):
                yield row["input_ids"][at : at + length], labels
            at += length


def test_joined_documents_hold_files_of_one_split_and_project_in_the_order_of_imports(
    modules: Callable[..., Path], tokenizer: CodeTokenizer
) -> None:
    settings = {"recipes": CODE, "sequence_length": 512, "validation_fraction": 0.3, "personal_data": "keep"}
    data = DATA.model_copy(update=settings)
    one, two = modules("one", MODULES_ONE), modules("two", MODULES_TWO)
    dataset = dataset_of([part_of(folder, tokenizer, data) for folder in (one, two)], tokenizer, data)
    manifest = read_manifest(dataset.directory)
    split_of = {(file.project, file.path): file.split for file in manifest.files}
    end = tokenizer.control_id("<|endoftext|>")
    seen: dict[Any, str] = {}
    for split in ("train", "validation"):
        for ids, labels in packed(dataset, split):
            text = tokenizer.decode(ids, skip_control=False)
            title, *files = text.removesuffix("<|endoftext|>").split("<|file_sep|>")
            project = title.removeprefix("<|repo_name|>").strip()
            assert project in ("one", "two")
            for path, content in (file.split("\n", 1) for file in files):
                assert split_of[project, path] == split
                seen[project, path] = seen.get((project, path), "") + content
            learned = [label for label in labels if label not in (-100, end)]
            contents = "".join(file.split("\n", 1)[1] for file in files)
            assert tokenizer.decode(learned) == contents
    for (project, path), content in seen.items():
        assert len(content) == len(({"one": one, "two": two}[project] / path).read_text())
    assert seen.keys() == {place for place, split in split_of.items() if split != "test"}


MODULES_ONE = ["abc", "bisect", "copy", "csv", "heapq", "keyword", "queue", "reprlib", "sched", "shlex"]
MODULES_TWO = ["cmd", "code", "colorsys", "fnmatch", "getopt", "glob", "gzip", "hmac", "linecache", "string"]
