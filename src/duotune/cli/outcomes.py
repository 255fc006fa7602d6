"""What a finished stage left behind, in a few words beside its bar."""

from __future__ import annotations

from duotune.runs.results import Evaluated, Prepared, Published, Trained
from duotune.runs.state import RunState


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
    tokens = f"{result.train_tokens:,} tokens"
    if result.reused:
        return f"{tokens} · unchanged, used again"
    again = [project.name for project in result.projects if project.reused]
    return f"{tokens} · unchanged, used again: {', '.join(again)}" if again else tokens


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
