"""Documents with long lists come back as they were, are plain JSON, and say when they are cut off."""

from __future__ import annotations

from pathlib import Path

import pytest

from duotune.data.entry_lines import write_entry_lines
from duotune.data.parts import PartFile, PartRecord, RejectedFile, read_record, write_record
from duotune.data.reasons import Reason
from duotune.data.redaction.clean import FoundValue
from duotune.errors import CheckFailed

FOUND = FoundValue(rule="email", kind="personal", line=3, fingerprint="f")
KEPT = PartFile("a]}\\n.py", "b1", "Python", 10, "c1", tokens=5, findings=(FOUND,), identity="i1")
COPY = PartFile("b.py", "b1", "Python", 10, "c1", repeats=KEPT.path, reason=Reason.EXACT_DUPLICATE)
REJECTED = RejectedFile("{.py", Reason.TOO_SMALL)
RECORD = PartRecord(pipeline=2, key="k", files=[KEPT, COPY], rejected=[REJECTED], tokens=5)


@pytest.mark.parametrize("record", [RECORD, PartRecord(pipeline=2, key="k", files=[], rejected=[], tokens=0)])
def test_a_record_comes_back_and_is_plain_json(record: PartRecord, tmp_path: Path) -> None:
    write_record(tmp_path, record)
    assert read_record(tmp_path) == record
    content = (tmp_path / "part.json").read_bytes()
    assert PartRecord.model_validate_json(content) == record
    assert content.count(b"\n") == 5 + len(record.files) + len(record.rejected)


def test_a_record_in_one_line_is_read_too(tmp_path: Path) -> None:
    (tmp_path / "part.json").write_text(RECORD.model_dump_json(exclude_none=True))
    assert read_record(tmp_path) == RECORD


@pytest.mark.parametrize("left", [0, 1, 40, 60, -40, -3])
def test_a_record_that_is_cut_off_is_damaged(left: int, tmp_path: Path) -> None:
    write_record(tmp_path, RECORD)
    file = tmp_path / "part.json"
    file.write_bytes(file.read_bytes()[:left])
    with pytest.raises(CheckFailed, match="damaged"):
        read_record(tmp_path)


@pytest.mark.parametrize("lists", [{"others": [b"{}"]}, {"files": [b'{"path":1}']}, {"files": [b'{"other":1}']}, {}])
def test_what_is_not_known_is_refused(lists: dict[str, list[bytes]], tmp_path: Path) -> None:
    write_entry_lines(tmp_path / "part.json", '{"pipeline":2,"key":"k","tokens":0}', lists)
    with pytest.raises(CheckFailed, match="damaged"):
        read_record(tmp_path)
