"""What an evaluation found. Front ends may import this module: it needs neither torch nor numpy."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

Verdict = Literal["better", "harmful", "no evidence", "too few"]

METRICS: dict[str, str] = {
    "exact_match": "share of answers that equal the author's code, up to blank edges and trailing spaces",
    "edit_similarity": "1 minus the edit distance to the author's code over the longer one's length",
    "cosine_similarity": "cosine of the embeddings of answer and author's code: a proxy for editing effort, not for "
    "correctness",
    "bad_responses": "share of answers that are empty, cut off, looping, not code, or repeat what follows",
    "stopped_by_itself": "share of answers that ended before the length limit",
    "gold_loss": "nats per token that the model needs for the author's code; lower is better",
    "raw_exact_match": "exact match of the whole answer, also where only its first line was asked for",
}
"""Every metric with its meaning, in the order in which they are shown."""

GROUPED = ("edit_similarity", "exact_match", "bad_responses", "gold_loss")
"""The metrics that languages and projects are compared by."""

LOWER_IS_BETTER = frozenset({"bad_responses", "gold_loss"})


class Stored(BaseModel):
    """Base of all that is written to disk: immutable, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Metric(Stored):
    """One metric over one set.

    Attributes:
        base: Mean of the base model's answers.
        adapter: Mean of the adapter's answers (the base's again when no adapter was evaluated).
        difference: adapter minus base.
        interval: 95 % interval of the difference, by file: from the lower to the upper end of the paired bootstrap's
            and the t interval.
        p_value: Two-sided, of no difference: the largest of the paired bootstrap's, the sign flips' by file and, for
            shares, the exact McNemar test's.
    """

    base: float
    adapter: float
    difference: float
    interval: tuple[float, float]
    p_value: float


class SetResult(Stored):
    """One set of held-out items.

    Attributes:
        n: Items.
        files: Files that the items are from.
        metrics: By name, see `METRICS`.
        bad_reasons: How many answers of (base, adapter) were bad for each reason.
    """

    n: int
    files: int
    metrics: dict[str, Metric]
    bad_reasons: dict[str, tuple[int, int]]

    @property
    def has_intervals(self) -> bool:
        """Whether its intervals mean anything: resampling one file shows no spread, which is not certainty."""
        return self.files > 1


class Groups(Stored):
    """All sets' items together, by what they have in common: by name, the largest group first.

    A journal has no need of them: they are in `groups.json` beside the report.
    """

    languages: dict[str, SetResult]
    projects: dict[str, SetResult]


class Pair(Stored):
    """One metric of one item; `adapter` is None when no adapter was evaluated."""

    base: float
    adapter: float | None


class ItemResult(Stored):
    """One line of items.jsonl: everything needed to recompute the figures.

    Attributes:
        prompt: The prompt as the model got it, control tokens spelled out.
        before: The source right above the hole, at most some lines.
        after: The source right below it.
        base: The base model's answer, as generated.
        adapter: The adapter's answer.
        metrics: By name, see `METRICS`.
        bad_reasons: Why the answers of base and adapter are bad; None for one that is not.
        gold_tokens: Tokens of the author's code with its end; gold_loss times this is the sum in nats.
    """

    id: str
    set: str
    kind: str
    project: str
    path: str
    language: str
    prompt: str
    before: str
    after: str
    gold: str
    base: str
    adapter: str | None
    metrics: dict[str, Pair]
    bad_reasons: tuple[str | None, str | None]
    gold_tokens: int


class Evaluation(Stored):
    """The comparison of an adapter with its base model.

    Attributes:
        verdict: See `duotune.evaluation.verdict.decide`.
        reason: One sentence for the verdict.
        compared: False when only the base model was evaluated.
        sets: By name.
        embedder: What `cosine_similarity` was measured with.
        random_pair_similarity: Mean cosine of the gold answers of different items: the zero of that scale.
        model: Fingerprint of the base model.
        precision: Precision in which both answered, such as "bfloat16" or "bfloat16 over nf4 weights".
    """

    verdict: Verdict
    reason: str
    compared: bool
    sets: dict[str, SetResult]
    embedder: str
    random_pair_similarity: float
    model: str
    precision: str
