"""What a finished stage left behind, in words."""

from __future__ import annotations

from typing import Any

from duotune.runs.outcomes import findings, outcome
from duotune.runs.results import Findings
from duotune.runs.state import RunState
from support.runs import prepared


def after_prepare(**found: Any) -> RunState:
    values: dict[str, Any] = {"secrets": 0, "personal": 0, "redacted_files": 0, "dropped_files": 0, "list": "/d/list"}
    result = prepared(findings=Findings(**{**values, **found}))
    return RunState(results={"prepare": result.model_dump(mode="json")})


def test_findings_are_counted_and_their_list_is_named() -> None:
    state = after_prepare(secrets=14, personal=1, redacted_files=1, dropped_files=2)
    words = "14 secrets and 1 piece of personal data: 1 file redacted, 2 files left out"
    assert outcome(state, "prepare") == "2,000 tokens to train on · 15 findings"
    assert findings(state) == f"{words}. They are listed without their values in /d/list."


def test_what_there_is_none_of_is_not_counted() -> None:
    assert findings(after_prepare(secrets=2, dropped_files=1)).startswith("2 secrets: 1 file left out. ")
    assert findings(after_prepare(personal=1, redacted_files=1)).startswith("1 piece of personal data: 1 file redacted")


def test_without_findings_nothing_is_said_and_older_results_are_read() -> None:
    state = after_prepare()
    assert outcome(state, "prepare") == "2,000 tokens to train on"
    assert findings(state) == ""
    older = {key: value for key, value in state.results["prepare"].items() if key != "findings"}
    assert findings(RunState(results={"prepare": older})) == ""
    assert outcome(RunState(results={"prepare": older}), "prepare") == "2,000 tokens to train on"
