"""What an admin sees of the data fits into 80 columns, and names what was not chosen."""

from __future__ import annotations

import pytest

from duotune.cli.data_tables import show_doubts, show_funnel, show_types, summed
from duotune.runs.funnel import TOKENS, Amount, Funnel, Share

STAGES = ("listed", "readable", "accepted", "distinct", "train", "validation", "test")


def funnel(reasons: int) -> Funnel:
    big = Amount(files=1_234_567, bytes=12_345_678_901, tokens=3_456_789_012)
    names = ["language-not-chosen", "not-a-regular-file", "near-duplicate", *(f"reason-{n}" for n in range(reasons))]
    uncounted = big.model_copy(update={"tokens": None})
    return Funnel(
        stages={name: uncounted if place < 3 else big for place, name in enumerate(STAGES)},
        reasons={name: Amount(files=12_345, bytes=1_234_567_890, directories=123) for name in names[:reasons]},
        projects={"code": Share(kept=big)},
        languages={"Python": Share(kept=big)},
        leaked=0,
        leaks_dropped=3,
        contaminated_items=17,
    )


def test_the_funnel_is_one_table_of_80_columns(capsys: pytest.CaptureFixture[str]) -> None:
    show_funnel(funnel(12))
    lines = capsys.readouterr().out.splitlines()
    assert all(len(line.rstrip()) <= 80 for line in lines)
    assert len(lines) <= 21
    assert "left out: 4 other reasons" in "\n".join(lines)
    assert lines[1].split()[:3] == ["in", "the", "projects"]
    assert "3,456,789,012" not in lines[1]
    assert "3,456,789,012" in lines[4]
    assert lines[-2] == TOKENS
    assert lines[-1] == "Near-duplicates across the split: 0 (3 found and dropped)"


def test_types_list_what_is_kept_first_and_sum_up_the_many_others(capsys: pytest.CaptureFixture[str]) -> None:
    found = summed([{"Python": (5, 500), "Markdown": (9, 9000)}, {"Python": (5, 500), "unknown": (1, 10)}])
    assert found == {"Markdown": (9, 9000), "Python": (10, 1000), "unknown": (1, 10)}
    show_types(found | {f"Type {number}": (1, 1) for number in range(15)}, {"Python": (8, 800)})
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split() == ["Python", "10", "1", "kB", "8", "800", "B"]
    assert lines[2].split() == ["Markdown", "9", "9", "kB", "–"]
    assert "6 other types" in "\n".join(lines)
    assert all(len(line.rstrip()) <= 80 for line in lines[:-1])


def test_doubts_name_the_glob(capsys: pytest.CaptureFixture[str]) -> None:
    show_doubts("code", {"tools/": (1, 10)})
    assert "tools/ 1 file" in capsys.readouterr().out
