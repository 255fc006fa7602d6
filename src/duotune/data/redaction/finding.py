"""What a scan finds in a text, and the text without it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from duotune.data.placeholders import placeholder

Kind = Literal["secret", "personal"]


@dataclass(frozen=True)
class Finding:
    """A secret or a piece of personal data in a text.

    Attributes:
        rule: Name of the rule that found it, such as `gitlab-token`.
        kind: What it is.
        word: What its placeholder calls it, such as `token`.
        start: First character of the value.
        end: Character after its last.
        line: Line of its first character, from 1.
    """

    rule: str
    kind: Kind
    word: str
    start: int
    end: int
    line: int = 0


def redact(text: str, findings: Sequence[Finding]) -> str:
    """The text with a placeholder in the place of each finding.

    Args:
        text: The text that was scanned.
        findings: As `scan` gives them: in order, none overlapping another.
    """
    parts: list[str] = []
    last = 0
    for finding in findings:
        parts += [text[last : finding.start], placeholder(finding.word)]
        last = finding.end
    return "".join([*parts, text[last:]])
