"""What is done about findings: taken out of the text, or the whole file is left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from duotune.config.run import DataConfig
from duotune.data.reasons import Reason
from duotune.data.redaction.finding import Finding, Kind, redact
from duotune.data.redaction.fingerprints import Fingerprints
from duotune.data.redaction.scan import scan

MANY_SECRETS = 3
"""So many different secrets make a file one that is written to hold them."""
_SHOWN = 5
_KEY_BLOCKS = frozenset({"private-key", "putty-key", "rsa-xml-key", "jwk-private-key"})


class FoundValue(BaseModel):
    """A finding as it is stored and reported: never with its value.

    Attributes:
        rule: Name of the rule.
        kind: Secret or personal data.
        line: Line in the original file, from 1.
        fingerprint: Keyed fingerprint of the value.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    rule: str
    kind: Kind
    line: int
    fingerprint: str


@dataclass(frozen=True)
class Cleaned:
    """A text after the scan.

    Attributes:
        text: Without secrets and personal data.
        findings: What was in it.
        reason: Why the file is left out nevertheless, or None.
    """

    text: str
    findings: tuple[FoundValue, ...]
    reason: Reason | None


def places(findings: Sequence[FoundValue]) -> str:
    """Rule and line of the first findings, secrets before personal data, for people."""
    ordered = sorted(findings, key=lambda one: one.kind != "secret")
    more = f" and {len(ordered) - _SHOWN} more" if len(ordered) > _SHOWN else ""
    return ", ".join(f"{one.rule} in line {one.line}" for one in ordered[:_SHOWN]) + more


class Cleaner:
    """Scans texts and applies the settings `data.secrets` and `data.personal_data`.

    A file is left out when it holds a private key, when it holds at least three different secrets, and in strict mode
    (`data.secrets = "drop"`) when it holds any; else each finding becomes a placeholder.

    Args:
        data: The settings.
        fingerprints: Of the values that are found.
    """

    def __init__(self, data: DataConfig, fingerprints: Fingerprints) -> None:
        self._strict = data.secrets == "drop"
        self._personal_data = data.personal_data == "redact"
        self._fingerprints = fingerprints

    def clean(self, text: str, language: str) -> Cleaned:
        """The text without what must not be learned.

        Args:
            text: A text with LF line ends.
            language: linguist's name of its language.
        """
        findings = scan(text, language, self._personal_data)
        if not findings:
            return Cleaned(text, (), None)
        found = tuple(
            FoundValue(
                rule=one.rule,
                kind=one.kind,
                line=one.line,
                fingerprint=self._fingerprints.of(text[one.start : one.end]),
            )
            for one in findings
        )
        return Cleaned(redact(text, findings), found, self._reason(text, findings))

    def _reason(self, text: str, findings: list[Finding]) -> Reason | None:
        held = [one for one in findings if one.kind == "secret"]
        if any(one.rule in _KEY_BLOCKS for one in held):
            return Reason.SECRET_FILE
        if held and self._strict:
            return Reason.HOLDS_SECRET
        different = {text[one.start : one.end] for one in held}
        return Reason.MANY_SECRETS if len(different) >= MANY_SECRETS else None
