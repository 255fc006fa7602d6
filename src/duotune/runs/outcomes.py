"""What a finished stage left behind, in a few words, and what to do with it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from duotune.errors import printable
from duotune.runs.events import RunKind
from duotune.runs.results import Evaluated, Findings, Merged, MergeProof, Prepared, Published, Trained
from duotune.runs.state import RunState
from duotune.runs.wording import counted, in_bytes


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
        case "merge":
            merged = Merged.of(state.results, stage)
            return _merged(merged) if merged else ""
    return ""


def _prepared(result: Prepared) -> str:
    again = [project.name for project in result.projects if project.reused]
    told = [f"{result.train_tokens:,} tokens to train on"]
    if result.reused or again:
        told.append("unchanged, used again" if result.reused else f"unchanged, used again: {', '.join(again)}")
    if result.findings is not None and (result.findings.secrets or result.findings.personal):
        told.append(counted(result.findings.secrets + result.findings.personal, "finding"))
    return " · ".join(told)


def dataset_in_words(result: Prepared) -> Iterator[str]:
    """What there is to train on, to watch the loss with, and to test with: a sentence each."""
    yield (
        f"To train on: {counted(result.train_rows, 'row')} of {counted(result.train_tokens, 'token')}, with those that "
        f"join examples, without padding. The adapter learns to write {result.label_tokens:,} of them; the others are "
        "context."
    )
    yield f"To watch the loss with: {counted(result.validation_rows, 'row')}."
    held_out = ", ".join(f"{count:,} {name}" for name, count in result.items.items()) or "none"
    yield f"Held-out prompts to test with: {printable(held_out)}."


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


def _merged(result: Merged) -> str:
    told = [in_bytes(result.bytes), counted(result.layers, "layer") + " changed"]
    return " · ".join([*told, f"{result.proof.distance:.3f} nats from the adapter" if result.proof else "not proven"])


def aim(state: RunState) -> str:
    """What a run that merges was asked for, in a sentence; empty for other kinds, whose stages say it."""
    order, verb = state.order, "made" if state.state == "finished" else "makes"
    return f"It {verb} a whole model of {order.adapter} and its base model in {order.directory}." if order else ""


def stopping(kind: RunKind) -> str:
    """What a run that was asked to stop does, in a sentence."""
    if kind == "merge":
        return (
            "Stopping before the next tensor or answer; nothing is kept of what was written, and resume begins it anew."
        )
    return "Stopping at the next step, with a checkpoint."


def stop_consequences(kind: RunKind) -> str:
    """What stopping a run means, for a person who is asked."""
    if kind == "merge":
        return (
            "It stops before the next tensor or answer; while the whole model is loaded for its proof, after that. "
            "What was written is deleted; Resume begins it anew."
        )
    return (
        "It stops at its next step and keeps a checkpoint; Resume goes on from there to the same result. "
        "What is being prepared or evaluated is kept as far as it is."
    )


def proof_in_words(proof: MergeProof | None) -> str:
    """What the comparison of a merged model with its adapter came to, in one sentence."""
    if proof is None:
        return "Nothing proves that it answers as the adapter does: what was recorded of that does not tell."
    allowed = "" if proof.tolerance is None else f" ({proof.tolerance} is allowed)"
    return (
        f"On {counted(proof.tokens, 'token')} of {counted(proof.cases, 'recorded answer')} it is {proof.distance:.3f} "
        f"nats per token away from the adapter{allowed}, and {proof.from_base:.3f} from the base model."
    )


def verdict(state: RunState) -> str:
    """What the evaluation found; empty while it has not."""
    return str(state.evaluation.get("verdict", "")) if isinstance(state.evaluation, dict) else ""


def next_step(state: RunState) -> str:
    """One sentence on what to do with what a finished run has published or merged; empty when it did neither."""
    if (merged := Merged.of(state.results, "merge")) is not None:
        return f"Any engine serves it without LoRA, such as `vllm serve {printable(shlex.quote(merged.directory))}`."
    done = Published.of(state.results, "publish")
    if done is None:
        return ""
    version = done.published
    if version.state == "withheld":
        force = " --force REASON" if verdict(state) == "harmful" else ""
        return f"It is stored but not published. `duotune adapters publish {version.name}{force}` publishes it."
    return f"Next: `duotune assign PROJECT {version.adapter}`, then `duotune serve plan`."
