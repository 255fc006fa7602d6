"""What stands in a text where a secret or personal data was taken out; such a word is never a training target."""

from __future__ import annotations

import re

PLACEHOLDER = re.compile(r"REDACTED_[A-Z][A-Z0-9_]*")
"""Matches every placeholder, also right beside other letters (`-pREDACTED_PASSWORD`), and a file's own words of that
form, which are no loss as targets."""


def placeholder(kind: str) -> str:
    """The word for a kind of finding, such as `REDACTED_PASSWORD`; an identifier in nearly every language."""
    return f"REDACTED_{kind.upper().replace('-', '_')}"
