"""Held-out items on disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from duotune.errors import CheckFailed
from duotune.models.items import read_items, write_items
from support.held_out import item


def test_items_come_back_as_they_were_written(tmp_path: Path) -> None:
    golds = ("a\u2028b\u0085c\x0cd\r", "", "é\U0001f600\x00")
    items = [item(number, gold=gold, suffix="\r\n\ty") for number, gold in enumerate(golds)]
    write_items(tmp_path / "new" / "fim.jsonl", items)
    assert read_items(tmp_path / "new" / "fim.jsonl") == items
    assert [file.name for file in (tmp_path / "new").iterdir()] == ["fim.jsonl"]


def test_damaged_items_are_refused_by_name(tmp_path: Path) -> None:
    file = tmp_path / "fim.jsonl"
    file.write_text('{"id": "x", "unknown": 1}\n')
    with pytest.raises(CheckFailed, match=r"fim\.jsonl are damaged"):
        read_items(file)
    with pytest.raises(CheckFailed, match=r"gone\.jsonl cannot be read"):
        read_items(tmp_path / "gone.jsonl")
