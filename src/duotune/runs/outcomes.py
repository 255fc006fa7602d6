"""How far a stage is, and what a finished one left behind, in a few words beside its bar."""

from __future__ import annotations

from duotune.runs.results import Evaluated, Findings, Prepared, Published, Trained
from duotune.runs.state import RunState
from duotune.runs.wording import counted, in_bytes


def progress_in_words(state: RunState) -> str:
    """How far the current phase is: `read billing 120/400 files`; empty when there is no phase."""
    progress = state.progress
    if progress is None:
        return ""
    if progress.unit == "bytes":
        return f"{progress.phase} {in_bytes(progress.done)} of {in_bytes(progress.total)}"
    return f"{progress.phase} {progress.done:,}/{progress.total:,} {progress.unit}"


def outcome(state: RunState, stage: str) -> str:
    """One phrase for the result of a stage; empty while it has none."""
    match stage:
        case "prepare":
            prepared = Prepared.of(state.results, stage)
            return _prepared(prepared) if prepared else ""
        case "train":
            trained = Trained.of(state.results, stage)
            return _trained(trained) if trained else ""
        case "evaluate":
            evaluated = Evaluated.of(state.results, stage)
            return str(evaluated.evaluation.get("verdict", "")) if evaluated else ""
        case "publish":
            done = Published.of(state.results, stage)
            return _published(done) if done else ""
    return ""


def _prepared(result: Prepared) -> str:
    again = [project.name for project in result.projects if project.reused]
    told = [f"{result.train_tokens:,} tokens"]
    if result.reused or again:
        told.append("unchanged, used again" if result.reused else f"unchanged, used again: {', '.join(again)}")
    if result.findings is not None and (result.findings.secrets or result.findings.personal):
        told.append(counted(result.findings.secrets + result.findings.personal, "finding"))
    return " · ".join(told)


def findings(state: RunState) -> str:
    """One sentence on the secrets and personal data that were found, and where they are listed; empty without any."""
    prepared = Prepared.of(state.results, "prepare")
    if prepared is None or prepared.findings is None or not (prepared.findings.secrets or prepared.findings.personal):
        return ""
    return f"{_taken_out(prepared.findings)}. They are listed without their values in {prepared.findings.list}."


def _taken_out(found: Findings) -> str:
    what = (found.secrets, "secret", ""), (found.personal, "piece", " of personal data")
    became = (found.redacted_files, "file", " redacted"), (found.dropped_files, "file", " left out")
    listed, files = (
        [f"{counted(count, word)}{rest}" for count, word, rest in amounts if count] for amounts in (what, became)
    )
    return f"{' and '.join(listed)}: {', '.join(files)}" if files else " and ".join(listed)


def _trained(result: Trained) -> str:
    steps = f"{result.steps:,} steps"
    if result.validation_loss is None or result.initial_validation_loss is None:
        return steps
    return f"{steps} · validation {result.initial_validation_loss:.2f} → {result.validation_loss:.2f}"


def _published(result: Published) -> str:
    version = result.published
    if version.state == "withheld":
        return f"{version.name} · withheld"
    return f"{version.name} · identical to what is there" if version.reused else version.name
