"""What stands in a text where a secret or personal data was taken out; such a word is never a training target."""

from __future__ import annotations

import re
from collections.abc import Sequence

from duotune.data.spans import Span

PLACEHOLDER = re.compile(r"REDACTED_[A-Z][A-Z0-9_]*")
"""Matches every placeholder, also right beside other letters (`-pREDACTED_PASSWORD`), and a file's own words of that
form, which are no loss as targets."""


def placeholder(kind: str) -> str:
    """The word for a kind of finding, such as `REDACTED_PASSWORD`; an identifier in nearly every language."""
    return f"REDACTED_{kind.upper().replace('-', '_')}"


def placeholders(text: str) -> list[Span]:
    """Where the placeholders of a text are."""
    if "REDACTED_" not in text:
        return []
    return [Span(*match.span()) for match in PLACEHOLDER.finditer(text)]


def overlaps(spans: Sequence[Span], span: Span) -> bool:
    """Whether any of some spans lies in another one, also in part."""
    return any(one.start < span.end and span.start < one.end for one in spans)
