"""What each stage leaves behind, as it is journaled and as front ends read it back."""

from __future__ import annotations

from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict, JsonValue

from duotune.runs.funnel import Funnel

DATA_REPORT = "data.md"
"""The page about the dataset in a run's directory."""

Result = TypeVar("Result", bound="StageResult")


class StageResult(BaseModel):
    """Base of all results: immutable; keys that only newer versions write are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    @classmethod
    def of(cls: type[Result], results: dict[str, dict[str, JsonValue]], stage: str) -> Result | None:
        """The result of a stage in `RunState.results`; None when it is not finished."""
        return cls.model_validate(results[stage]) if stage in results else None


class PreparedProject(StageResult):
    """One project's part.

    Attributes:
        files: Files kept.
        rejected: Files left out.
        reused: Nothing had changed since an earlier run, so nothing was prepared again.
    """

    name: str
    commit: str | None
    files: int
    rejected: int
    tokens: int
    reused: bool


class Findings(StageResult):
    """Secrets and personal data in the files of the projects.

    Attributes:
        secrets: Findings of secrets.
        personal: Findings of personal data: e-mail addresses, public IP addresses, telephone numbers.
        redacted_files: Files in which placeholders stand for them.
        dropped_files: Files left out for their secrets.
        list: The file that lists rule, place and keyed fingerprint of each.
    """

    secrets: int
    personal: int
    redacted_files: int
    dropped_files: int
    list: str


class Prepared(StageResult):
    """The dataset.

    Attributes:
        dataset: Its local directory.
        label_tokens: Tokens that carry a loss.
        items: Held-out prompts by set.
        leaked: Training files that are near-duplicates of held-out ones, measured after the split.
        funnel: What became of the files; None in what older versions left behind.
        findings: What was redacted, or left out; None for results of older versions, which did not look.
    """

    dataset: str
    fingerprint: str
    reused: bool
    train_rows: int
    train_tokens: int
    label_tokens: int
    validation_rows: int
    items: dict[str, int]
    leaked: int
    projects: list[PreparedProject]
    funnel: Funnel | None = None
    findings: Findings | None = None


class Trained(StageResult):
    """The adapter; losses are in nats per label token.

    Attributes:
        adapter: Its local directory, in PEFT's format.
        best_step: Step whose validation loss was the lowest; the adapter is that one.
        validation_loss: The adapter's; None when there was nothing to validate on.
        initial_validation_loss: The base model's.
    """

    adapter: str
    steps: int
    best_step: int
    train_loss: float
    validation_loss: float | None
    initial_validation_loss: float | None
    tokens: int
    seconds: float
    peak_memory_bytes: int


class Evaluated(StageResult):
    """The comparison; `evaluation` is `duotune.evaluation.results.Evaluation` as JSON."""

    evaluation: dict[str, JsonValue]
    report: str


class PublishedVersion(StageResult):
    """One version of an adapter in the catalog."""

    name: str
    adapter: str
    version: int
    state: Literal["published", "withheld"]
    location: str
    reused: bool


class MergeProof(StageResult):
    """How the merged model answered what was recorded of the adapter; mean distances per token, in nats.

    Attributes:
        distance: From the adapter's answers.
        from_base: From the base model's.
        tolerance: Largest distance that was allowed; None where it could not be told.
        device: Where it answered.
    """

    cases: int
    tokens: int
    distance: float
    from_base: float
    tolerance: float | None
    device: str


class Merged(StageResult):
    """A whole model, made of a base model and an adapter.

    Attributes:
        version: The adapter's, such as `payments.v3`.
        directory: Where the model is.
        bytes: Of all its files.
        layers: Layers that the adapter changed.
        left_out: Names of what did not come along from the base model's directory.
        proof: None where nothing was recorded of the adapter to compare with.
    """

    version: str
    directory: str
    bytes: int
    layers: int
    left_out: list[str]
    proof: MergeProof | None


class Published(StageResult):
    """What the last stage did with the adapter."""

    published: PublishedVersion
