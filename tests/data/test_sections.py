"""Headings of Markdown and reStructuredText, and what stands below them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from duotune.data.sections import parser, sections

MARKDOWN = """---
title: x
---

# Ledger

Keeps the accounts of a shop.

## Installing

```sh
# not a heading
pip install ledger
```

Setext title
============
Closing paragraph.

> # quoted, not a section of its own

### Empty

#### Last

* a point
"""

RST = """==========
 The Title
==========

What it is for.

Using it
--------

::

    Not a title
    -----------

Then call ``run``.

+------+
| cell |
+------+

Déjà vu
~~~~~~~
Text directly below.
"""


def found(text: str, language: str) -> list[tuple[str, str]]:
    return [(text[s.head : s.body.start].strip(), text[s.body.start : s.body.end]) for s in sections(text, language)]


def test_sections_of_markdown_end_at_the_next_heading_and_code_holds_none() -> None:
    titles = [title for title, _ in found(MARKDOWN, "Markdown")]
    # markdown-it reads front matter as a rule and a setext heading, as every CommonMark reader does
    assert titles[-4:] == ["# Ledger", "## Installing", "Setext title\n============", "#### Last"]
    bodies = dict(found(MARKDOWN, "Markdown"))
    assert bodies["# Ledger"] == "Keeps the accounts of a shop."
    assert bodies["## Installing"] == "```sh\n# not a heading\npip install ledger\n```"
    assert bodies["Setext title\n============"] == "Closing paragraph.\n\n> # quoted, not a section of its own"
    assert bodies["#### Last"] == "* a point"


def test_sections_of_restructured_text_follow_adorned_titles() -> None:
    assert found(RST, "reStructuredText") == [
        ("==========\n The Title\n==========", "What it is for."),
        (
            "Using it\n--------",
            "::\n\n    Not a title\n    -----------\n\nThen call ``run``.\n\n+------+\n| cell |\n+------+",
        ),
        ("Déjà vu\n~~~~~~~", "Text directly below."),
    ]


def test_other_documents_have_no_headings_here() -> None:
    assert found("= Title\n\nText\n", "AsciiDoc") == []
    assert found("no heading at all\n", "Markdown") == []


@pytest.mark.parametrize("language", ["Markdown", "reStructuredText"])
@given(
    text=st.lists(
        st.sampled_from(["# a\n", "b\n", "===\n", "\n", "```\n", "- c\n", "---\n", " d\n", "\u2028é\n", "> e\n"]),
        max_size=20,
    ).map("".join)
)
def test_sections_never_overlap_and_are_trimmed(language: str, text: str) -> None:
    last = 0
    for section in sections(text, language):
        body = text[section.body.start : section.body.end]
        assert last <= section.head < section.body.start < section.body.end
        assert body
        assert body == body.strip()
        last = section.body.end


@given(
    text=st.lists(
        st.sampled_from(
            ["# a\n", "#\n", "##\tb", "#c\n", "####### d\n", "    # e\n", "- # f\n", "> # g\n", "h\n", "\n", "===\n"]
        )
    ).map("".join)
)
def test_headings_are_those_of_commonmark(text: str) -> None:
    def headings(reader: MarkdownIt) -> list[tuple[int, list[int] | None]]:
        return [(token.level, token.map) for token in reader.parse(text) if token.type == "heading_open"]

    assert headings(parser()) == headings(MarkdownIt("commonmark", {"maxNesting": 20}).disable(["inline"]))


def test_a_heading_costs_one_token_of_the_parser_and_no_other_rule_is_asked_first() -> None:
    tokens = parser().parse("# a\n" * 100)
    assert [token.type for token in tokens] == ["heading_open"] * 100
    assert parser().block.ruler.get_active_rules()[0] == "hashes"
