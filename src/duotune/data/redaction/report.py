"""The list of findings of a dataset: rule, place and keyed fingerprint of each, never the value."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from duotune.data.parts import PartRecord
from duotune.data.redaction.clean import FoundValue
from duotune.data.redaction.finding import Kind

FINDINGS_FILE = "findings.jsonl"
Outcome = Literal["redacted", "dropped"]


class ReportedFinding(BaseModel):
    """One line of `findings.jsonl`.

    Attributes:
        project: Project of the file.
        path: Its path, printable.
        line: Line in the original file, from 1.
        rule: Name of the rule.
        kind: Secret or personal data.
        outcome: Whether a placeholder stands for the value, or the whole file was left out.
        fingerprint: Keyed fingerprint of the value: equal for equal values, on one host.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    project: str
    path: str
    line: int
    rule: str
    kind: Kind
    outcome: Outcome
    fingerprint: str


class FindingCounts(BaseModel):
    """How much was found, and what was done about it.

    Attributes:
        secrets: Findings of secrets.
        personal: Findings of personal data.
        redacted_files: Files with placeholders.
        dropped_files: Files left out for their secrets.
        by_rule: Findings by rule, most first.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    secrets: int = 0
    personal: int = 0
    redacted_files: int = 0
    dropped_files: int = 0
    by_rule: dict[str, int] = {}


def findings_of(projects: Sequence[str], records: Sequence[PartRecord]) -> Iterator[ReportedFinding]:
    """All findings of some parts.

    Args:
        projects: Name of each part's project.
        records: What each part says of its files.
    """
    for project, record in zip(projects, records, strict=True):
        for kept in record.files:
            yield from (_reported(project, kept.path, found, "redacted") for found in kept.findings)
        for rejected in record.rejected:
            yield from (_reported(project, rejected.path, found, "dropped") for found in rejected.findings)


def write_findings(dataset: Path, findings: Iterable[ReportedFinding]) -> FindingCounts:
    """Write `findings.jsonl`, ordered by project, path and line, and count."""
    ordered = sorted(findings, key=lambda one: (one.project, one.path, one.line))
    with (dataset / FINDINGS_FILE).open("w", encoding="utf-8") as stream:
        stream.writelines(one.model_dump_json() + "\n" for one in ordered)
    files = {(one.project, one.path, one.outcome) for one in ordered}
    outcomes = Counter(outcome for *_, outcome in files)
    kinds = Counter(one.kind for one in ordered)
    return FindingCounts(
        secrets=kinds["secret"],
        personal=kinds["personal"],
        redacted_files=outcomes["redacted"],
        dropped_files=outcomes["dropped"],
        by_rule=dict(sorted(Counter(one.rule for one in ordered).items(), key=lambda item: (-item[1], item[0]))),
    )


def _reported(project: str, path: str, found: FoundValue, outcome: Outcome) -> ReportedFinding:
    return ReportedFinding(
        project=project,
        path=path,
        line=found.line,
        rule=found.rule,
        kind=found.kind,
        outcome=outcome,
        fingerprint=found.fingerprint,
    )
