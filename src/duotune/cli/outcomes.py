"""What a finished stage left behind, in a few words beside its bar."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import JsonValue

Result = Mapping[str, JsonValue]


def outcome(stage: str, result: Result) -> str:
    """One phrase for the result of a stage; empty when there is nothing to say.

    Args:
        stage: Name of the stage.
        result: As the worker journaled it.
    """
    words = {"prepare": _prepared, "train": _trained, "evaluate": _evaluated, "publish": _published}
    return words[stage](result) if result and stage in words else ""


def _prepared(result: Result) -> str:
    tokens = f"{result['train_tokens']:,} tokens"
    if result.get("reused"):
        return f"{tokens} · nothing changed, the dataset is used again"
    projects = result.get("projects")
    again = (
        [str(p["name"]) for p in projects if isinstance(p, dict) and p["reused"]] if isinstance(projects, list) else []
    )
    return f"{tokens} · unchanged and used again: {', '.join(again)}" if again else tokens


def _trained(result: Result) -> str:
    return f"{result['steps']} steps · validation loss {_loss(result, 'initial_validation_loss')} → {_loss(result, 'validation_loss')}"


def _loss(result: Result, key: str) -> str:
    value = result.get(key)
    return f"{value:.3f}" if isinstance(value, int | float) else "–"


def _evaluated(result: Result) -> str:
    evaluation = result.get("evaluation")
    return str(evaluation.get("verdict", "")) if isinstance(evaluation, dict) else ""


def _published(result: Result) -> str:
    published = result.get("published")
    if not isinstance(published, dict):
        return ""
    withheld = " · withheld" if published.get("state") == "withheld" else ""
    return f"{published.get('name')}{withheld}"
