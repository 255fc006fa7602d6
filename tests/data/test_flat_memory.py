"""What a preparation holds in memory for each further file and document; texts, signatures and tokens stay on disk."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from duotune.config.run import DataConfig
from duotune.data.documents import Documents, DocumentStore
from duotune.data.examples import Document
from duotune.data.part_files import (
    DOCUMENTS,
    DOCUMENTS_FILE,
    TEXTS,
    TEXTS_FILE,
    ArrowFile,
    documents_batch,
    texts_batch,
)
from duotune.data.parts import PartFile, PartRecord, write_record
from duotune.data.pool import Pool
from duotune.data.selection import select

_BATCH = 250


def part(directory: Path, files: int) -> Path:
    """A part of files that have nothing in common."""
    directory.mkdir()
    listed = [PartFile(f"src/{n:08}.py", f"{n:040x}", "Python", 900, f"{n:032x}" * 2, 300) for n in range(files)]
    write_record(directory, PartRecord(pipeline=2, key="k", files=listed, rejected=[], tokens=300 * files))
    chance = np.random.default_rng(files)
    with ArrowFile(directory / TEXTS_FILE, TEXTS) as target:
        for _ in range(0, files, _BATCH):
            signed = [b"\x01" + chance.bytes(1024) for _ in range(_BATCH)]
            target.write(texts_batch(["text " * 500] * _BATCH, signed, [["json"]] * _BATCH))
    with ArrowFile(directory / DOCUMENTS_FILE, DOCUMENTS) as target:
        for first in range(0, files, _BATCH):
            documents = [Document(n, "fim", [1] * 300, bytes(300), False, True) for n in range(first, first + _BATCH)]
            target.write(documents_batch(documents))
    return directory


def growth(make: Callable[[Path], Any], few: Path, many: Path, more: int) -> tuple[float, float]:
    """Bytes that one more file takes: those that are held, and those at the peak."""
    make(few)  # what is imported or cached once
    figures = []
    for directory in (few, many):
        gc.collect()
        tracemalloc.start()
        made = make(directory)
        gc.collect()
        figures.append(tracemalloc.get_traced_memory())
        tracemalloc.stop()
        del made
    return (figures[1][0] - figures[0][0]) / more, (figures[1][1] - figures[0][1]) / more


def test_a_further_file_takes_a_kilobyte_and_its_signature_only_while_it_is_compared(tmp_path: Path) -> None:
    few, many = part(tmp_path / "few", 250), part(tmp_path / "many", 1250)
    held, peak = growth(lambda part: select(Pool([("p", part)]), [], DataConfig()), few, many, 1000)
    assert 300 < held < 1300
    assert held < peak < 5000


def test_a_further_document_takes_tens_of_bytes(tmp_path: Path) -> None:
    few, many = part(tmp_path / "few", 250), part(tmp_path / "many", 1250)

    def documents(directory: Path) -> Documents:
        store = DocumentStore([directory])
        made = Documents(store)
        for position in range(len(store.owner)):
            made.append(store.recipe(position), [store.piece(position)])
        return made

    held, _ = growth(documents, few, many, 1000)
    assert 20 < held < 80
