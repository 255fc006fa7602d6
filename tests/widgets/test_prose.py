"""Reports as pages: wrapped at words, tables that fit, and nothing in them that does anything."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from duotune.widgets.prose import Page, laid_out

REPORT = """# Evaluation of `shop`

**Verdict: better.** A gain is shown.

## fim: 2 items

| | base | adapter |
| --- | ---: | ---: |
| edit similarity | 0.400 | 0.500 |
| bad \\| responses | 0.1 | 0.2 |

- one
- **two**: more

````
a = 1
```
\tb\x1b[2J
````
"""


def rows(text: str, width: int) -> list[str]:
    return ["".join(segment.text for segment in row).rstrip() for row in laid_out(Page(text), width)]


def test_a_report_is_headings_sentences_tables_and_code_without_the_signs_of_markdown() -> None:
    assert rows(REPORT, 60) == [
        "Evaluation of shop",
        "",
        "Verdict: better. A gain is shown.",
        "",
        "fim: 2 items",
        "",
        "                  base  adapter",
        "───────────────────────────────",
        "edit similarity  0.400    0.500",
        "bad | responses    0.1      0.2",
        "",
        " • one",
        " • two: more",
        "",
        "│ a = 1",
        "│ ```",
        "│     b\\x1b[2J",
    ]


@pytest.mark.parametrize("width", [30, 40, 72, 190])
def test_no_row_is_wider_than_the_page_and_no_word_is_broken(width: int) -> None:
    words = "the adapter answered more like the author than its base model did"
    table = f"| name | what it means | n |\n| --- | --- | ---: |\n| first | {words} | 1,234,567 |\n"
    shown = rows(f"{words}\n\n- {words}\n\n{table}", width)
    assert all(cell_len(row) <= width for row in shown)
    assert set(words.split()) <= set(" ".join(shown).split())
    assert "1,234,567" in " ".join(shown)


def test_a_table_that_is_too_wide_is_told_row_by_row() -> None:
    heads = " | ".join(f"figure{number}" for number in range(8))
    cells = " | ".join(f"+0.{number}00 (+0.000 … +0.000)" for number in range(8))
    shown = rows(f"| language | {heads} |\n| --- |{' ---: |' * 8}\n| Python | {cells} |\n", 70)
    assert "Python" in shown
    assert "  figure7  +0.700 (+0.000 … +0.000)" in shown


def test_wide_letters_are_counted_as_they_are_shown() -> None:
    assert all(cell_len(row) <= 12 for row in rows("日本語日本語日本語 日本語\n", 12))
    assert "".join(rows("日本語日本語日本語\n", 12)) == "日本語日本語日本語"


@pytest.mark.parametrize(
    "foreign",
    [
        "[x](http://evil)",
        "![x](file:///etc/passwd)",
        "<b>x</b>",
        "[red]x[/red]",
        "[@click=app.quit]x[/]",
        "&lt;",
        ":x:",
    ],
)
def test_what_would_be_a_link_an_image_or_markup_elsewhere_is_text(foreign: str) -> None:
    assert rows(f"Where: {foreign}\n", 78) == [f"Where: {foreign}"]
    assert foreign in rows(f"| file |\n| --- |\n| {foreign} |\n", 78)


def test_a_fence_that_is_not_closed_loses_nothing() -> None:
    assert rows("```\na\n\n# b", 40) == ["│ a", "│", "│ # b"]
